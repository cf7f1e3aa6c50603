/* The parts of protocol.c: what the writers and the readers of the protocols share. */
#ifndef STEPS_AWS_PROTOCOL_PART_H
#define STEPS_AWS_PROTOCOL_PART_H

#include "../steps/aws/protocol.h"

struct wire {
	struct arena *mem;
	struct service *service;
	const struct operation *operation;
	struct err *err;
	bool failed; /* writing: err is set, what is written is thrown away */
	bool secret; /* reading: inside of something sensitive */
};

/* Sets err once: what is first found wrong is told. */
void wire_refuse(struct wire *w, enum err_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* `what`: the name of a member or a shape. */
void wire_wrong(struct wire *w, const char *what, const char *want,
	const struct value *got);

/* A shape that a model of one's own misses is taken for text. */
const struct shape *wire_shape(const struct wire *w, const struct shape_ref *ref);

/* NULL: null, an optional without a value, or nothing. */
const struct value *value_there(const struct value *v);
/* The members of a map as they stand; NULL with *n = 0 where it is made as it is asked
 * for. A key that is no text is written as JSON. */
const struct member *members_of(const struct value *map, size_t *n);
struct str key_text(struct arena *mem, const struct value *key);

/* ---- scalars: text on every wire but JSON's */

/* A bool, a number, a time, a blob (base64) or text as it is written. `form` holds where
 * neither member nor shape says another. */
struct str scalar_write(struct wire *w, const struct shape_ref *ref,
	const struct shape *shape, const struct value *v, enum time_form form);
/* Back, by the kind of the shape; null: empty where no text stands. ERR_PROTOCOL. */
bool scalar_read(
	struct wire *w, const struct shape *shape, struct str text, struct value *out);
/* A time from what stands in the place of one: timestamp, RFC 3339 text, seconds. */
bool scalar_time(const struct value *v, struct span *out);
/* The bytes of a blob or of text in its place; a map or list as JSON. */
struct str scalar_bytes(struct wire *w, const char *what, const struct value *v);

/* The name on the wire. That of a list's shape holds for what refers to it (EC2), that of
 * a structure only for a document. Where nothing else is said a list that is flattened
 * by its shape (models from before Smithy) goes by the name of its items. */
const char *wire_name(
	const struct shape_ref *ref, const struct shape *shape, const char *otherwise);

/* ---- writers */

struct str write_query(struct wire *w, const struct value *params);
/* The tree that JSON says; `place` IN_BODY alone is taken where `body_only`. */
struct value write_json(struct wire *w, const struct shape_ref *ref,
	const struct value *v, bool body_only);
/* An element and what is in it. */
void write_xml(struct wire *w, struct buf *out, const struct shape_ref *ref,
	const char *name, const struct value *v, bool body_only);
/* Path, query, headers and what else stands outside of the body. */
bool write_rest(
	struct wire *w, const struct value *params, struct protocol_request *out);
/* A body that is large enough, where the operation takes it so. */
void write_gzip(struct wire *w, struct protocol_request *out);
/* "label." with its members filled in. */
bool write_host(struct wire *w, const struct value *params, struct protocol_request *out);

/* ---- readers */

bool read_json(struct wire *w, const struct shape_ref *ref, const struct value *v,
	struct value *out);
/* The members of a structure into `map`; `body_only`: those of the body alone. */
bool read_json_members(struct wire *w, const struct shape *shape, const struct value *v,
	bool body_only, struct map_builder *map);
bool read_xml(struct wire *w, const struct shape_ref *ref, const struct xml *node,
	struct value *out);
bool read_xml_members(struct wire *w, const struct shape *shape, const struct xml *node,
	bool body_only, struct map_builder *map);
/* Status and headers. */
bool read_rest(struct wire *w, const struct shape *shape,
	const struct http_answer *answer, struct map_builder *map);

#endif
