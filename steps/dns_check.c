#include "shared.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <strings.h>

static const struct field expect[] = {
	{.name = "values", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_SCALAR_OR_LIST,
	 .either = 1, .help = "exactly these, as a set"},
	{.name = "absent", .type = FIELD_BOOL, .either = 1, .help = "there is no such record"},
	{.name = "same_as", .type = FIELD_TEXT, .either = 1,
	 .help = "each answer is one that this other name has given during the step"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "what is asked"},
	{.name = "type", .type = FIELD_TEXT, .otherwise = "A",
	 .words = (const char *const[]){"A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT", NULL},
	 .help = "of record"},
	{.name = "at", .type = FIELD_TEXT, .otherwise = "system",
	 .pattern = "system|authoritative|[0-9.]+:[0-9]+|\\[[0-9a-fA-F:.]+\\]:[0-9]+",
	 .help = "system, authoritative (every server of the zone must give the answer), or ip:port"},
	{.name = "resolver", .type = FIELD_HOST_PORT,
	 .help = "name server that finds the zone's servers; else the system's"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "what must hold"},
	{.name = NULL},
};

static const struct field server_rows[] = {
	{.name = "server", .type = FIELD_TEXT, .help = "its address"},
	{.name = "values", .type = FIELD_LIST, .each = FIELD_TEXT, .help = "its answer"},
	{.name = "ttl", .type = FIELD_INT, .help = "in seconds"},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "values", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_OUTPUT,
	 .help = "of all answers"},
	{.name = "ttl", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "the largest seen, in seconds"},
	{.name = "servers", .type = FIELD_LIST, .each = FIELD_OBJECT, .fields = server_rows,
	 .help = "what each server said"},
	{.name = NULL},
};

enum {
	TYPE_A = 1,
	TYPE_NS = 2,
	TYPE_CNAME = 5,
	TYPE_TXT = 16,
	TYPE_AAAA = 28,
	MOST_SERVERS = 32,
	MOST_SAME = 64,
};
enum phase { START, SAME_FIRST, ZONE, ADDRESS, ADDRESS6, ASK, FOLLOW, SAME_AGAIN };

struct look {
	enum phase phase;
	struct str zone;                              /* whose NS records are asked for */
	const char *hosts[MOST_SERVERS];              /* name servers of the zone */
	const char
		*servers[MOST_SERVERS]; /* "ip:port" of those; one NULL: the system's */
	size_t n_hosts, host, n_servers, server;
	uint32_t ttl; /* of the alias that is followed */
	struct list_builder answers;                  /* {server, values, ttl} */
	struct list_builder same;                     /* what the other name has given */
};

static step_fn run;

const struct step_type dns_check_type = {
	.name = "dns_check",
	.summary = "ask name servers and judge their answers",
	.version = 1,
	.in = in,
	.out = out,
	.effect = PURE,
	.timeout = 10 * NS_S,
	.is_check = true,
	.state = sizeof(struct look),
	.run = run,
};

static const struct { const char *name; uint16_t number;
} types[] = {
	{"A", 1},
	{"NS", 2},
	{"CNAME", 5},
	{"SOA", 6},
	{"MX", 15},
	{"TXT", 16},
	{"AAAA", 28},
	{"SRV", 33},
	{"CAA", 257},
};

static uint16_t
type_number(struct str name)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (str_is(name, types[i].name))
			return types[i].number;
	return TYPE_A;
}

static struct str
bare(struct str name)
{
	return name.n > 1 && name.p[name.n - 1] == '.' ? (struct str){name.p, name.n - 1}
						       : name;
}

static enum verdict
ask(struct step *step, enum phase phase, const char *server, struct str name,
	uint16_t type, bool recurse)
{
	struct look *look = step->state;
	struct str resolver = value_get_str(step->in, "resolver");
	struct dns_ask ask = {.name = str_cstr(step->mem, name),
		.type = type,
		.recurse = recurse,
		.server = server};
	if (server == NULL && resolver.n > 0)
		ask.server = str_cstr(step->mem, resolver);
	look->phase = phase;
	return step_dns(step, (struct how){.reads = true, .title = ask.name}, &ask);
}

static uint16_t
wanted_type(const struct step *step)
{
	return type_number(value_get_str(step->in, "type"));
}

static struct str
same_as(const struct step *step)
{
	return value_get_str(value_get(step->in, "expect"), "same_as");
}

/* ---- which servers */

static enum verdict
ask_zone(struct step *step)
{
	struct look *look = step->state;
	return ask(step, ZONE, NULL, look->zone, TYPE_NS, true);
}

static enum verdict
ask_address(struct step *step, enum phase phase)
{
	struct look *look = step->state;
	return ask(step, phase, NULL, str_of(look->hosts[look->host]),
		phase == ADDRESS ? TYPE_A : TYPE_AAAA, true);
}

static enum verdict
ask_server(struct step *step)
{
	struct look *look = step->state;
	bool authoritative = look->n_hosts > 0;
	return ask(step, ASK, look->servers[look->server],
		value_get_str(step->in, "name"), wanted_type(step), !authoritative);
}

static enum verdict
find_servers(struct step *step)
{
	struct look *look = step->state;
	struct str at = value_get_str(step->in, "at");
	if (str_is(at, "authoritative")) {
		look->zone = bare(value_get_str(step->in, "name"));
		return ask_zone(step);
	}
	look->servers[0] = str_is(at, "system") ? NULL : str_cstr(step->mem, at);
	look->n_servers = 1;
	return ask_server(step);
}

/* Names of DNS, whose case means nothing (RFC 4343). */
static bool
same_name(struct str a, struct str b)
{
	return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* The zone is the nearest name above that has NS records of its own: those behind an
 * alias are another zone's. */
static enum verdict
zone_seen(struct step *step, const struct dns_answer *answer)
{
	struct look *look = step->state;
	for (size_t i = 0; i < answer->n_records && look->n_hosts < MOST_SERVERS; i++)
		if (answer->records[i].section == 1 && answer->records[i].type == TYPE_NS
			&& same_name(str_of(answer->records[i].name), look->zone))
			look->hosts[look->n_hosts++] = answer->records[i].value;
	if (look->n_hosts > 0)
		return ask_address(step, ADDRESS);
	str_cut(look->zone, '.', &look->zone);
	if (look->zone.n == 0)
		return step_fail(step, ERR_RESOLVE, true,
			"no name server of %.*s was found",
			STR_FMT(value_get_str(step->in, "name")));
	return ask_zone(step);
}

/* Servers answer at port 53; where a resolver is given with another port (a lab), they
 * are asked at that. */
static const char *
port_of_servers(struct step *step)
{
	struct str resolver = value_get_str(step->in, "resolver");
	if (resolver.n == 0)
		resolver = str_of(step_env(step, "RBX_RESOLVER"));
	for (size_t i = resolver.n; i > 0; i--)
		if (resolver.p[i - 1] == ':')
			return str_cstr(step->mem, str_from(resolver, i));
	return "53";
}

/* Every server has to be asked: one that has no address is an error. */
static enum verdict
address_seen(struct step *step, const struct dns_answer *answer)
{
	struct look *look = step->state;
	bool v6 = look->phase == ADDRESS6;
	size_t before = look->n_servers;
	for (size_t i = 0; i < answer->n_records && look->n_servers < MOST_SERVERS; i++)
		if (answer->records[i].section == 1
			&& answer->records[i].type == (v6 ? TYPE_AAAA : TYPE_A))
			look->servers[look->n_servers++] = arena_printf(step->mem,
				v6 ? "[%s]:%s" : "%s:%s", answer->records[i].value,
				port_of_servers(step));
	if (look->n_servers == before && !v6)
		return ask_address(step, ADDRESS6);
	if (look->n_servers == before)
		return step_fail(step, ERR_RESOLVE, true,
			"the name server %s of %.*s has no address",
			look->hosts[look->host], STR_FMT(look->zone));
	return ++look->host < look->n_hosts ? ask_address(step, ADDRESS)
					    : ask_server(step);
}

/* ---- what they say */

/* Whether two texts say the same record: addresses in any of their spellings, TXT byte by
 * byte (quotes around the whole are the zone file's), all else by names. */
static bool
same_value(uint16_t type, struct str a, struct str b)
{
	unsigned char x[16] = {0}, y[16] = {0};
	char p[64], q[64];
	int family = type == TYPE_AAAA ? AF_INET6 : AF_INET;
	if (type == TYPE_TXT) {
		struct str *both[] = {&a, &b};
		for (size_t i = 0; i < 2; i++)
			if (both[i]->n > 1 && both[i]->p[0] == '"'
				&& both[i]->p[both[i]->n - 1] == '"')
				*both[i] = (struct str){both[i]->p + 1, both[i]->n - 2};
		return str_eq(a, b);
	}
	if ((type == TYPE_A || type == TYPE_AAAA) && a.n < sizeof p && b.n < sizeof q) {
		snprintf(p, sizeof p, "%.*s", STR_FMT(a));
		snprintf(q, sizeof q, "%.*s", STR_FMT(b));
		if (inet_pton(family, p, x) == 1 && inet_pton(family, q, y) == 1)
			return memcmp(x, y, sizeof x) == 0;
	}
	return same_name(bare(a), bare(b));
}

static bool
holds(uint16_t type, const struct value *items, size_t n, struct str text)
{
	for (size_t i = 0; i < n; i++)
		if (same_value(type, items[i].str, text))
			return true;
	return false;
}

static void
take_values(struct step *step, const struct dns_answer *answer, uint16_t type,
	struct list_builder *values, uint32_t *ttl)
{
	values->mem = step->mem;
	for (size_t i = 0; i < answer->n_records; i++) {
		const struct dns_record *record = &answer->records[i];
		if (record->section != 1 || record->type != type)
			continue;
		struct str value = str_of(record->value);
		if (!holds(type, values->items, values->n, value))
			list_push(values, value_str(value));
		if (record->ttl > *ttl)
			*ttl = record->ttl;
	}
}

static bool
within(uint16_t type, const struct value *a, size_t n, const struct value *b, size_t m)
{
	for (size_t i = 0; i < n; i++)
		if (!holds(type, b, m, a[i].str))
			return false;
	return true;
}

static enum verdict
judge_one(struct step *step, const struct value *answer)
{
	struct look *look = step->state;
	const struct value *want = value_get(step->in, "expect"),
			   *values = value_get(answer, "values"),
			   *exact = value_get(want, "values");
	struct str server = value_get_str(answer, "server");
	const struct value *got = values->list.items;
	size_t n = values->list.n;
	uint16_t type = wanted_type(step);
	char *seen = value_short(step->mem, values, 120);
	if (value_get_bool(want, "absent", false))
		return n == 0 ? STEP_DONE
			      : step_unmet(step, "%.*s answers %s, expected no record",
					STR_FMT(server), seen);
	if (n == 0)
		return step_unmet(step, "%.*s has no %.*s record of %.*s",
			STR_FMT(server), STR_FMT(value_get_str(step->in, "type")),
			STR_FMT(value_get_str(step->in, "name")));
	if (exact != NULL && exact->kind == V_LIST
		&& (!within(type, got, n, exact->list.items, exact->list.n)
			|| !within(type, exact->list.items, exact->list.n, got, n)))
		return step_unmet(step, "%.*s answers %s, expected %s", STR_FMT(server),
			seen, value_short(step->mem, exact, 120));
	if (same_as(step).n > 0
		&& !within(type, got, n, look->same.items, look->same.n)) {
		struct value given = list_done(&look->same);
		return step_unmet(step, "%.*s answers %s, while %.*s gives %s",
			STR_FMT(server), seen, STR_FMT(same_as(step)),
			value_short(step->mem, &given, 120));
	}
	return STEP_DONE;
}

static struct value
result_of(struct step *step)
{
	struct look *look = step->state;
	struct list_builder all = {.mem = step->mem};
	struct map_builder map = {.mem = step->mem};
	int64_t ttl = 0;
	for (size_t i = 0; i < look->answers.n; i++) {
		const struct value *values = value_get(&look->answers.items[i], "values");
		int64_t mine = value_get_int(&look->answers.items[i], "ttl", 0);
		ttl = mine > ttl ? mine : ttl;
		for (size_t j = 0; j < values->list.n; j++)
			if (!holds(wanted_type(step), all.items, all.n,
				    values->list.items[j].str))
				list_push(&all, values->list.items[j]);
	}
	map_put(&map, "values", list_done(&all));
	map_put(&map, "ttl", value_int(ttl));
	map_put(&map, "servers", list_done(&look->answers));
	return map_done(&map);
}

static enum verdict
judge(struct step *step)
{
	struct look *look = step->state;
	struct value result = result_of(step);
	step_done(step, result);
	for (size_t i = 0; i < look->answers.n; i++) {
		enum verdict verdict = judge_one(step, &look->answers.items[i]);
		if (verdict != STEP_DONE && look->phase != SAME_AGAIN
			&& same_as(step).n > 0)
			return ask(step, SAME_AGAIN, NULL, same_as(step),
				wanted_type(step), true);
		if (verdict != STEP_DONE)
			return verdict;
	}
	return step_done(step, result);
}

static const char *
server_name(struct step *step, const char *server)
{
	struct str resolver = value_get_str(step->in, "resolver");
	if (server != NULL)
		return server;
	if (resolver.n > 0)
		return str_cstr(step->mem, resolver);
	return step_env(step, "RBX_RESOLVER") != NULL ? step_env(step, "RBX_RESOLVER")
						      : "the system's resolver";
}

static enum verdict
take_answer(struct step *step, const struct dns_answer *answer, uint32_t ttl)
{
	struct look *look = step->state;
	struct list_builder values = {0};
	struct map_builder map = {.mem = step->mem};
	take_values(step, answer, wanted_type(step), &values, &ttl);
	map_put(&map, "server",
		value_str(str_of(server_name(step, look->servers[look->server]))));
	map_put(&map, "values", list_done(&values));
	map_put(&map, "ttl", value_int(ttl));
	look->answers.mem = step->mem;
	list_push(&look->answers, map_done(&map));
	return ++look->server < look->n_servers ? ask_server(step) : judge(step);
}

/* An alias for a name that the zone's own servers do not answer for: where it leads.
 * NULL: it has the record, or there is none. */
static const struct dns_record *
alias_in(const struct step *step, const struct dns_answer *answer)
{
	const struct dns_record *alias = NULL;
	for (size_t i = 0; i < answer->n_records; i++) {
		const struct dns_record *record = &answer->records[i];
		if (record->section == 1 && record->type == wanted_type(step))
			return NULL;
		if (record->section == 1 && record->type == TYPE_CNAME)
			alias = record;
	}
	return alias;
}

static enum verdict
server_seen(struct step *step, const struct dns_answer *answer)
{
	struct look *look = step->state;
	const struct dns_record *alias = alias_in(step, answer);
	if (look->n_hosts > 0 && !answer->authoritative)
		return step_fail(step, ERR_PROTOCOL, true,
			"%s does not answer for the zone", look->servers[look->server]);
	if (look->n_hosts == 0 || alias == NULL)
		return take_answer(step, answer, 0);
	look->ttl = alias->ttl;
	return ask(step, FOLLOW, NULL, str_of(alias->value), wanted_type(step), true);
}

static void
same_seen(struct step *step, const struct dns_answer *answer)
{
	struct look *look = step->state;
	uint32_t ttl = 0;
	if (look->same.n < MOST_SAME)
		take_values(step, answer, wanted_type(step), &look->same, &ttl);
}

static enum verdict
answered(struct step *step, const struct dns_answer *answer)
{
	struct look *look = step->state;
	switch (look->phase) {
	case SAME_FIRST:
		same_seen(step, answer);
		return find_servers(step);
	case SAME_AGAIN:
		same_seen(step, answer);
		return judge(step);
	case ZONE:
		return zone_seen(step, answer);
	case ADDRESS: case ADDRESS6:
		return address_seen(step, answer);
	case FOLLOW:
		return take_answer(step, answer, look->ttl);
	default:
		return server_seen(step, answer);
	}
}

/* RFC 1035, 4.1.1. */
static const char *
rcode_word(int rcode)
{
	static const char *const words[] = {
		"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
	return rcode >= 0 && rcode < 6 ? words[rcode] : "an error";
}

static enum verdict
run(struct step *step, const struct event *event)
{
	enum { NO_ERROR = 0, NAME_ERROR = 3 };
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return same_as(step).n > 0 ? ask(step, SAME_FIRST, NULL, same_as(step),
						     wanted_type(step), true)
					   : find_servers(step);
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	const struct dns_answer *answer = event->op->answer;
	if (answer->rcode != NO_ERROR && answer->rcode != NAME_ERROR)
		return step_fail(step, ERR_RESOLVE, true,
			"%s answers %s (%d) to the question for %s",
			server_name(
				step, ((const struct dns_ask *)event->op->ask)->server),
			rcode_word(answer->rcode), answer->rcode,
			((const struct dns_ask *)event->op->ask)->name);
	return answered(step, answer);
}
