/* What AWS says of its services, one fact a line: "KIND NAME<tab>JSON", sorted. The facts
 * of the services that come with rbx lie in the program, packed into blocks that are
 * unpacked one by one when a line of theirs is asked for; models of one's own are text.
 * tools/aws-models writes the lines, tools/pack-models packs them. */
#ifndef STEPS_AWS_FACTS_H
#define STEPS_AWS_FACTS_H

#include "run/step.h"

struct facts;

/* Lives in mem, and so does all that it gives. */
struct facts *facts_open(struct arena *mem);

/* A model of one's own: the whole text of a file, which must live as long as the facts.
 * Its lines go before those of the program. ERR_SYNTAX: a line has another form. */
bool
facts_add(struct facts *facts, const char *service, struct str text, struct err *err);

/* The JSON of one fact, parsed; NULL: there is none. `service` "-" for the kinds that
 * belong to none: service, partition, source. */
const struct value *
facts_find(struct facts *facts, const char *service, const char *kind, struct str name);

/* The names of all facts of a kind, those of a model of one's own as they stand in it,
 * NULL-ended, in mem of the facts. */
const char *const *
facts_names(struct facts *facts, const char *service, const char *kind);

#endif
