#include "../steps/aws/records.h"

#include <stdlib.h>

struct str
record_name(struct arena *mem, struct str name)
{
	struct buf out = buf_in(mem);
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool octal = c == '\\' && i + 3 < name.n && name.p[i + 1] >= '0'
			&& name.p[i + 1] <= '3';
		if (octal) {
			c = (char)((name.p[i + 1] - '0') * 64 + (name.p[i + 2] - '0') * 8
				+ (name.p[i + 3] - '0'));
			i += 3;
		}
		buf_putc(&out, c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c);
	}
	if (out.n > 1 && out.p[out.n - 1] == '.')
		buf_cut(&out, out.n - 1);
	return buf_str(&out);
}

static int
by_text(const void *a, const void *b)
{
	return str_cmp(((const struct value *)a)->str, ((const struct value *)b)->str);
}

static struct value
sorted(struct arena *mem, const struct value *items, size_t n)
{
	struct value *copy = arena_array(mem, struct value, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = value_str(items[i].str);
	qsort(copy, n, sizeof *copy, by_text);
	return value_list(copy, n);
}

static struct value
alias_of(struct arena *mem, struct str to, struct str zone, bool health)
{
	struct map_builder alias = {.mem = mem};
	map_put(&alias, "to", value_str(record_name(mem, to)));
	map_put(&alias, "zone", value_str(zone));
	map_put(&alias, "evaluate_target_health", value_bool(health));
	return map_done(&alias);
}

static void
copy_member(struct map_builder *map, const struct value *from, const char *name)
{
	const struct value *v = value_get(from, name);
	if (v != NULL && v->kind != V_NULL) {
		struct value plain = *v;
		plain.source = NULL;
		map_put(map, name, plain);
	}
}

struct value
record_from_argument(struct arena *mem, const struct value *record)
{
	static const char *const routing[] = {
		"set", "weight", "failover", "latency", "health_check"};
	struct map_builder map = {.mem = mem};
	const struct value *alias = value_get(record, "alias"),
			   *values = value_get(record, "values");
	map_put(&map, "name", value_str(record_name(mem, value_get_str(record, "name"))));
	map_put(&map, "type", value_str(value_get_str(record, "type")));
	for (size_t i = 0; i < sizeof routing / sizeof routing[0]; i++)
		copy_member(&map, record, routing[i]);
	if (value_get_bool(record, "absent", false)) {
		map_put(&map, "absent", value_bool(true));
	} else if (alias != NULL && alias->kind == V_MAP) {
		map_put(&map, "alias",
			alias_of(mem, value_get_str(alias, "to"),
				value_get_str(alias, "zone"),
				value_get_bool(alias, "evaluate_target_health", false)));
	} else if (values != NULL && values->kind == V_LIST) {
		map_put(&map, "ttl", value_int(value_get_int(record, "ttl", 300)));
		map_put(&map, "values", sorted(mem, values->list.items, values->list.n));
	}
	return map_done(&map);
}

static struct str
lower(struct arena *mem, struct str text)
{
	struct str copy = str_copy(mem, text);
	for (size_t i = 0; i < copy.n; i++)
		if (copy.p[i] >= 'A' && copy.p[i] <= 'Z')
			((char *)copy.p)[i] += 'a' - 'A';
	return copy;
}

static void
read_routing(
	struct arena *mem, struct map_builder *map, const struct xml *set, bool *strange)
{
	static const char *const known[] = {"Name", "Type", "SetIdentifier", "Weight",
		"Failover", "Region", "HealthCheckId", "TTL", "ResourceRecords",
		"AliasTarget", NULL};
	struct str id = xml_text(set, "SetIdentifier"),
		   failover = xml_text(set, "Failover");
	struct str region = xml_text(set, "Region"),
		   health = xml_text(set, "HealthCheckId");
	int64_t weight;
	if (id.n > 0)
		map_put(map, "set", value_str(id));
	if (str_int(xml_text(set, "Weight"), &weight))
		map_put(map, "weight", value_int(weight));
	if (failover.n > 0)
		map_put(map, "failover", value_str(lower(mem, failover)));
	if (region.n > 0)
		map_put(map, "latency", value_str(region));
	if (health.n > 0)
		map_put(map, "health_check", value_str(health));
	for (const struct xml *child = set->first; child != NULL; child = child->next) {
		bool is_known = false;
		for (size_t i = 0; known[i] != NULL; i++)
			is_known |= str_is(child->name, known[i]);
		*strange |= !is_known;
	}
}

struct value
record_from_xml(struct arena *mem, const struct xml *set, bool *strange)
{
	struct map_builder map = {.mem = mem};
	const struct xml *alias = xml_child(set, "AliasTarget");
	int64_t ttl = 0;
	*strange = false;
	map_put(&map, "name", value_str(record_name(mem, xml_text(set, "Name"))));
	map_put(&map, "type", value_str(xml_text(set, "Type")));
	read_routing(mem, &map, set, strange);
	if (alias != NULL) {
		map_put(&map, "alias",
			alias_of(mem, xml_text(alias, "DNSName"),
				xml_text(alias, "HostedZoneId"),
				str_is(xml_text(alias, "EvaluateTargetHealth"), "true")));
		return map_done(&map);
	}
	struct list_builder values = {.mem = mem};
	const struct xml *item =
		xml_child(xml_child(set, "ResourceRecords"), "ResourceRecord");
	for (; item != NULL; item = xml_again(item))
		list_push(&values, value_str(xml_text(item, "Value")));
	str_int(xml_text(set, "TTL"), &ttl);
	map_put(&map, "ttl", value_int(ttl));
	map_put(&map, "values", sorted(mem, values.items, values.n));
	return map_done(&map);
}

struct value
record_absent(struct arena *mem, const struct value *record)
{
	struct map_builder map = {.mem = mem};
	copy_member(&map, record, "name");
	copy_member(&map, record, "type");
	copy_member(&map, record, "set");
	map_put(&map, "absent", value_bool(true));
	return map_done(&map);
}

bool
record_is_absent(const struct value *record)
{
	return value_get_bool(record, "absent", false);
}

bool
record_same_place(const struct value *a, const struct value *b)
{
	return str_eq(value_get_str(a, "name"), value_get_str(b, "name"))
		&& str_eq(value_get_str(a, "type"), value_get_str(b, "type"))
		&& str_eq(value_get_str(a, "set"), value_get_str(b, "set"));
}

const struct value *
records_find(const struct value *list, const struct value *like)
{
	for (size_t i = 0; list != NULL && list->kind == V_LIST && i < list->list.n; i++)
		if (record_same_place(&list->list.items[i], like))
			return &list->list.items[i];
	return NULL;
}

bool
record_is_address(const struct value *record)
{
	static const char *const types[] = {"A", "AAAA", "CNAME", "HTTPS", "SVCB"};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (str_is(value_get_str(record, "type"), types[i]))
			return true;
	return false;
}

static void
element(struct buf *out, const char *name, struct str text)
{
	if (text.n == 0)
		return;
	buf_printf(out, "<%s>", name);
	xml_escape(out, text);
	buf_printf(out, "</%s>", name);
}

static void
write_alias(struct buf *out, const struct value *alias)
{
	buf_puts(out, "<AliasTarget>");
	element(out, "HostedZoneId", value_get_str(alias, "zone"));
	element(out, "DNSName", value_get_str(alias, "to"));
	buf_printf(out, "<EvaluateTargetHealth>%s</EvaluateTargetHealth></AliasTarget>",
		value_get_bool(alias, "evaluate_target_health", false) ? "true"
								       : "false");
}

static void
write_values(struct buf *out, const struct value *record)
{
	const struct value *values = value_get(record, "values");
	buf_printf(out, "<TTL>%lld</TTL><ResourceRecords>",
		(long long)value_get_int(record, "ttl", 0));
	for (size_t i = 0; values != NULL && i < values->list.n; i++) {
		buf_puts(out, "<ResourceRecord>");
		element(out, "Value", values->list.items[i].str);
		buf_puts(out, "</ResourceRecord>");
	}
	buf_puts(out, "</ResourceRecords>");
}

/* The order of the elements is that of the schema. */
void
record_write_change(struct buf *out, const char *action, const struct value *record)
{
	struct str failover = value_get_str(record, "failover");
	const struct value *alias = value_get(record, "alias"),
			   *weight = value_get(record, "weight");
	buf_printf(out, "<Change><Action>%s</Action><ResourceRecordSet>", action);
	element(out, "Name", value_get_str(record, "name"));
	element(out, "Type", value_get_str(record, "type"));
	element(out, "SetIdentifier", value_get_str(record, "set"));
	if (weight != NULL)
		buf_printf(out, "<Weight>%lld</Weight>", (long long)weight->i);
	element(out, "Region", value_get_str(record, "latency"));
	if (failover.n > 0)
		buf_printf(out, "<Failover>%s</Failover>",
			str_is(failover, "primary") ? "PRIMARY" : "SECONDARY");
	if (alias != NULL)
		write_alias(out, alias);
	else
		write_values(out, record);
	element(out, "HealthCheckId", value_get_str(record, "health_check"));
	buf_puts(out, "</ResourceRecordSet></Change>");
}

char *
record_text(struct arena *mem, const struct value *record)
{
	struct str set = value_get_str(record, "set");
	return arena_printf(mem, "%.*s %.*s%s%.*s",
		STR_FMT(value_get_str(record, "name")),
		STR_FMT(value_get_str(record, "type")), set.n > 0 ? " " : "",
		STR_FMT(set));
}
