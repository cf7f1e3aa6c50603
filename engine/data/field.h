/* Field tables: one row says what a member of a map is. The loader, the engine, `rbx
 * steps`, `rbx schema` and the types that expressions see read the same rows, so they
 * cannot disagree. A table ends with a row whose name is NULL. */
#ifndef DATA_FIELD_H
#define DATA_FIELD_H

#include "data/expr.h"

enum field_type {
	FIELD_TEXT,
	FIELD_INT,
	FIELD_NUMBER,
	FIELD_BOOL,
	FIELD_DURATION,
	FIELD_SIZE,
	FIELD_TIMESTAMP,
	FIELD_PATH,
	FIELD_PLACE,    /* a path or s3://bucket/key */
	FIELD_S3_PLACE, /* s3://… only */
	FIELD_URL,
	FIELD_SECRET,
	FIELD_DATA,
	FIELD_LIST,
	FIELD_MAP,
	FIELD_OBJECT,
	FIELD_HOST_PORT, /* host:port, [2001:db8::1]:53 */
	FIELD_REGEX,
	FIELD_EXPRESSION, /* a bare expression, one scalar */
	/* no field: the rows of `fields` stand here; its name is "" */
	FIELD_ROWS,
};

enum field_flags {
	FIELD_REQUIRED = 1,
	/* a result that is an output without being named (• in language.md) */
	FIELD_OUTPUT = 2,
	FIELD_SENSITIVE = 4,                          /* a result that is secret */
	/* no ${{ }}: known when the playbook is read */
	FIELD_WRITTEN = 8,
	/* text in which ${{ }} is an error that names args */
	FIELD_SHELL = 16,
	FIELD_MAYBE = 32,                             /* a result that may be absent */
	/* LIST: one item may stand without brackets */
	FIELD_SCALAR_OR_LIST = 64,
	/* DATA and the like in which secrets may stand; SECRET takes them anyway */
	FIELD_TAKES_SECRET = 128,
	/* a PATH whose file is read: must be there when the run starts */
	FIELD_READ = 256,
	/* An OBJECT that gives rows of the same names beside it their values, where
	 * those are not given themselves; it is gone from the final form (`from` of a
	 * connection). */
	FIELD_SPREAD = 512,
};

struct field {
	const char *name;
	enum field_type type;
	unsigned flags;
	/* of the items of a LIST, the members of a MAP */
	enum field_type each;
	/* of an OBJECT, or of each item where `each` is OBJECT */
	const struct field *fields;
	/* the only values of a TEXT, NULL-ended */
	const char *const *words;
	/* the default as it would be written in YAML; NULL: absent */
	const char *otherwise;
	int64_t least, most;                          /* both 0: no bound */
	const char *pattern;                          /* of the whole TEXT */
	const char *help;                             /* one line */
	/* rows of one number exclude each other; 0: none. Where they are REQUIRED
	 * exactly one of them must be there */
	unsigned char either;
	/* the row is there only where the member only_key is one of only_words, */
	const char *only_key;
	/* NULL-ended; only_key NULL: always */
	const char *const *only_words;
};

/* also in ROWS */
const struct field *field_find(const struct field *fields, struct str name);
/* The i-th row, those of ROWS counted in; NULL at the end. So a table is gone through:
 * for (size_t i = 0; (f = field_at(fields, i)) != NULL; i++) */
const struct field *field_at(const struct field *fields, size_t i);
/* The same in one pass, for where it is done often:
 * for (struct field_walk w = {{fields}, 0}; (f = field_next(&w)) != NULL;) */
struct field_walk {
	const struct field *rows[4];                  /* where it is; then in ROWS of it */
	unsigned depth;
};
const struct field *field_next(struct field_walk *walk);

/* Judge an evaluated map by a table and give it its final form: durations as
 * V_DURATION, sizes as V_INT, timestamps as V_TIMESTAMP, numbers and bools in TEXT as
 * they were written, paths absolute (against `folder`), defaults filled in, unknown
 * members refused. UNKNOWN values pass. Every error goes to diags with the place of
 * the value. */
bool fields_apply(const struct field *fields, const struct value *map, const char *folder,
	struct arena *mem, struct value *out, struct diags *diags);

/* One value by one row. */
bool field_apply(const struct field *field, const struct value *v, const char *folder,
	struct arena *mem, struct value *out, struct diags *diags);

/* The same with more said about the surroundings. */
struct field_use {
	/* whose members they are, for messages: "http_check"; NULL: not said */
	const char *of;
	const char *folder;
	/* the place of errors about what is missing; else that of the map */
	struct mark at;
	/* nothing is required and no default is filled in */
	bool partial;
	struct arena *mem;
	struct diags *diags;
};
bool fields_judge(const struct field_use *use, const struct field *fields,
	const struct value *map, struct value *out);
bool field_judge(const struct field_use *use, const struct field *field,
	const struct value *v, struct value *out);

/* Whether a row of the table is there in a map with these members (only_key); true
 * where that is not known yet. */
bool field_is_there(
	const struct field *fields, const struct field *field, const struct value *map);

/* The type of a map with these members, for expressions: `self` and `outputs` of a
 * step type. */
const struct expr_type *fields_expr_type(struct arena *mem, const struct field *fields);

/* JSON Schema 2020-12 of the map */
struct value fields_schema(struct arena *mem, const struct field *fields);
/* of one value */
struct value field_schema(struct arena *mem, const struct field *field);
const char *field_type_name(enum field_type type);    /* for people: "duration" */
/* "a duration, as 90s, 5m or 1h30m" */
const char *field_type_wants(enum field_type type);
/* whether such a value may pass */
bool field_takes(const struct field *field, const struct expr_type *type);

#endif
