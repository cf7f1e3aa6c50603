/* JSONTestSuite against our reader. What is accepted must also come back the same when it
 * is written and read again. Prints the failing ids, and last "N passed, N failed".
 * usage: json [FILE.jsonl] */
#include <stdio.h>

#include "base/digest.h"
#include "conformance.h"

/* The value written out, or the message: the whole answer as one text. */
static const char *
answer_to(struct arena *mem, struct str text, bool *accepted)
{
	struct err err;
	struct value v;
	*accepted = json_parse(mem, text, NULL, &v, &err);
	return *accepted ? json_text(mem, &v, JSON_COMPACT) : arena_strdup(mem, err.msg);
}

static bool
comes_back(struct arena *mem, struct str text)
{
	struct err err;
	struct value first, second;
	return json_parse(mem, text, NULL, &first, &err)
		&& json_parse(mem, str_of(json_text(mem, &first, JSON_COMPACT)), NULL,
			&second, &err)
		&& value_equal(&first, &second);
}

/* The suite accepts what RFC 8259 only advises against and what tools disagree about: a
 * name that stands twice. To us it is an error, for one of the two would be dropped in
 * silence. */
static bool
is_refused_by_us(struct str id)
{
	return str_starts(id, STR("json/y_object_duplicated_key"));
}

static bool
judge(struct arena *mem, struct str expect, struct str text, const char **why)
{
	bool accepted, again;
	const char *one = answer_to(mem, text, &accepted),
		   *two = answer_to(mem, text, &again);
	*why = one;
	if (accepted != again || strcmp(one, two) != 0)
		return (*why = "another answer the second time") == NULL;
	if (accepted && !comes_back(mem, text))
		return (*why = "does not come back the same") == NULL;
	if (str_is(expect, "accept"))
		return accepted;
	return str_is(expect, "reject") ? !accepted : str_is(expect, "either");
}

static bool
run_case(struct arena *mem, const struct value *c)
{
	struct str id = value_get_str(c, "id"), expect = value_get_str(c, "expect"), text;
	const char *why = "the case holds no base64";
	expect = is_refused_by_us(id) ? STR("reject") : expect;
	if (base64_parse(mem, value_get_str(c, "base64"), &text)
		&& judge(mem, expect, text, &why))
		return true;
	printf("%.*s: %s\n", STR_FMT(id), why);
	return false;
}

int
main(int argc, char **argv)
{
	return conformance_main("json/cases.jsonl", argc, argv, run_case);
}
