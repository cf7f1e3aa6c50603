/* How an operation may be repeated: by rules over its model and a table of exceptions. A
 * read by its name is pure; one with an idempotency token is keyed; one that makes what
 * its caller names, where the model has an operation that looks for that name, is probed;
 * all others happen once. */
#ifndef STEPS_AWS_CLASS_H
#define STEPS_AWS_CLASS_H

#include "../steps/aws/model.h"

enum effect class_of_operation(struct service *service, const struct operation *operation);

/* The reason, for people: "its name begins with Describe", "ClientToken takes the key". */
const char *class_reason(struct arena *mem, struct service *service,
	const struct operation *operation);

/* How to look for what a creating operation makes. */
struct look_up {
	const struct operation *operation;
	const char *name; /* the member of the creating input that names it */
	const char *asks; /* the same in the input of the looking one */
	const char *list; /* of the answer: where it stands among others; NULL: not in a list */
	const char *made; /* the member of the creating operation's result; NULL: none */
	const char *found; /* where it stands in the answer, if it is no list; NULL */
};

/* false: the model has none. */
bool class_look_up(struct service *service, const struct operation *operation,
	struct look_up *out);

/* "…NotFound", "NoSuch…", "404": the answer to a look for what is not there. */
bool class_is_absence(struct str code);

/* The step's key in the form that a token member takes: the whole, as much of it as fits
 * (never less than 100 bits), or a UUID made of it. */
const char *class_token(struct arena *mem, struct service *service,
	const struct operation *operation, const char *member, const char *key);

#endif
