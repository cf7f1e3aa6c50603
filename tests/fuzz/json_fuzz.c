/* Our JSON reader against jansson's. Where they differ it must be for a reason that is
 * meant: jansson has no integer above int64, goes deeper than 64, and drops a zero byte
 * that follows a number. What is accepted must come back the same from our writer. */
#include "data/json.h"

/* Before jansson's macros of the same names. */
static const unsigned ways[] = {JSON_COMPACT, JSON_INDENT, JSON_ASCII};

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void
differ(const char *what)
{
	fprintf(stderr, "json_fuzz: %s\n", what);
	abort();
}

static bool same(const struct value *mine, const json_t *theirs);

static bool
same_number(const struct value *mine, const json_t *theirs)
{
	if (json_is_integer(theirs) && mine->kind == V_INT)
		return mine->i == json_integer_value(theirs);
	/* "-0" is a double to us, for an integer has no sign to keep. */
	return mine->kind == V_DOUBLE && mine->d == json_number_value(theirs);
}

static bool
same_list(const struct value *mine, const json_t *theirs)
{
	bool ok = mine->kind == V_LIST && mine->list.n == json_array_size(theirs);
	for (size_t i = 0; ok && i < mine->list.n; i++)
		ok = same(&mine->list.items[i], json_array_get(theirs, i));
	return ok;
}

static bool
same_map(const struct value *mine, const json_t *theirs)
{
	bool ok = mine->kind == V_MAP && mine->map->n == json_object_size(theirs);
	for (size_t i = 0; ok && i < mine->map->n; i++) {
		const struct member *member = &mine->map->members[i];
		const json_t *found =
			json_object_getn(theirs, member->key.str.p, member->key.str.n);
		ok = found != NULL && same(&member->value, found);
	}
	return ok;
}

static bool
same(const struct value *mine, const json_t *theirs)
{
	switch (json_typeof(theirs)) {
	case JSON_NULL: return mine->kind == V_NULL;
	case JSON_TRUE: return mine->kind == V_BOOL && mine->b;
	case JSON_FALSE: return mine->kind == V_BOOL && !mine->b;
	case JSON_STRING:
		return mine->kind == V_STRING
			&& str_eq(mine->str,
				(struct str){json_string_value(theirs),
					json_string_length(theirs)});
	case JSON_ARRAY: return same_list(mine, theirs);
	case JSON_OBJECT: return same_map(mine, theirs);
	default: return same_number(mine, theirs);
	}
}

static void
come_back(struct arena *mem, const struct value *v)
{
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		struct err err;
		struct value again;
		if (!json_parse(
			    mem, str_of(json_text(mem, v, ways[i])), NULL, &again, &err))
			differ("what we wrote is refused");
		if (!value_equal(v, &again))
			differ("what we wrote is another value");
	}
}

static void
compare(bool accepted, const struct value *mine, const struct err *err,
	const json_t *theirs, enum json_error_code code)
{
	if (accepted && theirs != NULL && !same(mine, theirs))
		differ("another value than jansson's");
	if (accepted && theirs == NULL && code != json_error_numeric_overflow
		&& code != json_error_null_byte_in_key)
		differ("accepted, refused by jansson");
	if (!accepted && theirs != NULL && err->code != ERR_LIMIT)
		differ("refused, accepted by jansson");
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *mem = arena_new();
	struct err err = {0};
	json_error_t error = {0};
	struct value mine;
	size_t flags = JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	bool accepted =
		json_parse(mem, (struct str){(const char *)bytes, n}, NULL, &mine, &err);
	json_t *theirs = json_loadb((const char *)bytes, n, flags, &error);
	if (n > 0 && memchr(bytes, 0, n) != NULL) {
		if (accepted)
			differ("a zero byte is accepted");
	} else {
		compare(accepted, &mine, &err, theirs, json_error_code(&error));
	}
	if (accepted)
		come_back(mem, &mine);
	json_decref(theirs);
	arena_free(mem);
	return 0;
}
