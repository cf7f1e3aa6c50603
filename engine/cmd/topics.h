/* What `rbx help` explains besides commands: the language, from the tables that the
 * loader reads. */
#ifndef CMD_TOPICS_H
#define CMD_TOPICS_H

#include "data/field.h"

struct topic {
	const char *name, *summary;
	void (*write)(struct buf *out);
};

extern const struct topic topics[];                   /* ends with name NULL */
const struct topic *topic_find(const char *name);     /* NULL: there is none */

/* The rows of a table for people, a line each; what a row holds stands below it. */
void write_fields(struct buf *out, const struct field *fields, int depth);

#endif
