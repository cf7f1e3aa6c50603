#include "../steps/aws/records.h"

#include <arpa/inet.h>

static bool
is_known_text(const struct value *v)
{
	return v != NULL && v->kind == V_STRING;
}

static void
check_routing(const struct value *record, struct diags *diags)
{
	static const char *const routing[] = {"weight", "failover", "latency"};
	const struct value *set = value_get(record, "set"), *first = NULL;
	for (size_t i = 0; i < sizeof routing / sizeof routing[0] && first == NULL; i++)
		first = value_get(record, routing[i]);
	bool absent = value_get_bool(record, "absent", false);
	if (first != NULL && set == NULL)
		err_hint(diag_error(diags, value_mark(first),
				 "a record with a routing needs 'set', its identifier"),
			"Route 53 tells the records of one name and type apart by it");
	if (set != NULL && first == NULL && !absent)
		diag_error(diags, value_mark(set),
			"'set' needs one of weight, failover, latency");
}

static bool
is_address(struct str text, int family)
{
	unsigned char bytes[16];
	char address[64];
	if (text.n >= sizeof address || memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(address, text.p, text.n);
	address[text.n] = '\0';
	return inet_pton(family, address, bytes) == 1;
}

static void
check_values(const struct value *record, struct diags *diags)
{
	const struct value *values = value_get(record, "values"),
			   *type = value_get(record, "type");
	if (values == NULL || values->kind != V_LIST || !is_known_text(type))
		return;
	bool v4 = str_is(type->str, "A"), v6 = str_is(type->str, "AAAA");
	if (values->list.n == 0)
		err_hint(diag_error(diags, value_mark(values), "'values' is empty"),
			"absent: true removes the record");
	if (str_is(type->str, "CNAME") && values->list.n > 1)
		diag_error(diags, value_mark(values), "a CNAME has one value");
	for (size_t i = 0; i < values->list.n; i++) {
		const struct value *v = &values->list.items[i];
		if ((v4 || v6) && v->kind == V_STRING
			&& !is_address(v->str, v4 ? AF_INET : AF_INET6))
			diag_error(diags, value_mark(v),
				"'%.*s' is no IPv%d address, as %.*s has them",
				STR_FMT(v->str), v4 ? 4 : 6, STR_FMT(type->str));
	}
}

static void
check_rest(const struct value *record, struct diags *diags)
{
	const struct value *ttl = value_get(record, "ttl"),
			   *absent = value_get(record, "absent");
	if (ttl != NULL && value_get(record, "alias") != NULL)
		diag_error(diags, value_mark(ttl),
			"an alias has no 'ttl' of its own: its target's holds");
	if (absent != NULL && absent->kind == V_BOOL && !absent->b)
		err_hint(diag_error(diags, value_mark(absent),
				 "'absent: false' says nothing of how it shall be"),
			"give values or alias instead");
}

static bool
same_text(const struct value *a, const struct value *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->kind == V_STRING && b->kind == V_STRING && str_eq(a->str, b->str);
}

static void
check_twice(const struct value *records, size_t at, struct diags *diags)
{
	static const char *const place[] = {"name", "type", "set"};
	const struct value *record = &records->list.items[at];
	for (size_t i = 0; i < at; i++) {
		size_t same = 0;
		for (size_t j = 0; j < 3; j++)
			same += same_text(value_get(record, place[j]),
				value_get(&records->list.items[i], place[j]));
		if (same == 3)
			diag_error(diags, value_mark(record),
				"this record stands above already");
	}
}

bool
records_check(const struct value *records, struct diags *diags)
{
	size_t errors = diags->errors;
	for (size_t i = 0;
		records != NULL && records->kind == V_LIST && i < records->list.n; i++) {
		const struct value *record = &records->list.items[i];
		if (record->kind != V_MAP)
			continue;
		check_routing(record, diags);
		check_values(record, diags);
		check_rest(record, diags);
		check_twice(records, i, diags);
	}
	return diags->errors == errors;
}
