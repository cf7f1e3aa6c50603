#include "shared.h"
#include "../steps/aws/records.h"

static const struct field alias[] = {
	{.name = "to", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "DNS name of the target"},
	{.name = "zone", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "hosted zone id of the target"},
	{.name = "evaluate_target_health", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "not answered while the target is unhealthy"},
	{.name = NULL},
};

static const struct field record_rows[] = {
	{.name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "of the record"},
	{.name = "type", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .words = (const char *const[]){"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS",
	                                "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB", "TLSA", "TXT", NULL},
	 .help = "of the record"},
	{.name = "values", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .flags = FIELD_REQUIRED | FIELD_SCALAR_OR_LIST, .either = 1, .help = "with ttl"},
	{.name = "alias", .type = FIELD_OBJECT, .fields = alias, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "an AWS resource"},
	{.name = "absent", .type = FIELD_BOOL, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "there shall be none"},
	{.name = "ttl", .type = FIELD_INT, .least = 0, .most = INT32_MAX, .help = "in seconds, with values; else 300"},
	{.name = "set", .type = FIELD_TEXT, .help = "identifier; with one of weight, failover, latency"},
	{.name = "weight", .type = FIELD_INT, .least = 0, .most = 255, .either = 2, .help = "routing by weight"},
	{.name = "failover", .type = FIELD_TEXT, .either = 2,
	 .words = (const char *const[]){"primary", "secondary", NULL}, .help = "routing by health"},
	{.name = "latency", .type = FIELD_TEXT, .either = 2, .help = "routing by latency: the region"},
	{.name = "health_check", .type = FIELD_TEXT, .help = "its id"},
	{.name = NULL},
};

static const struct field in[] = {
	{.name = "zone", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "hosted zone id"},
	{.name = "records", .type = FIELD_LIST, .each = FIELD_OBJECT, .fields = record_rows,
	 .flags = FIELD_REQUIRED, .help = "how they shall be"},
	{.name = "delete_others", .type = FIELD_BOOL, .otherwise = "false",
	 .help = "remove A, AAAA, CNAME, HTTPS, SVCB records of the same names that are not in records"},
	{.name = "", .type = FIELD_ROWS, .fields = aws_fields},
	{.name = NULL},
};

static const struct field out[] = {
	{.name = "was", .type = FIELD_LIST, .each = FIELD_MAP, .flags = FIELD_OUTPUT,
	 .help = "what was there, in the form of records; given as records it restores exactly that"},
	{.name = "change_id", .type = FIELD_TEXT, .flags = FIELD_OUTPUT | FIELD_MAYBE, .help = "of Route 53"},
	{.name = NULL},
};

enum phase { START, LIST, CHANGE, PAUSE, ASK_CHANGE };

struct dns {
	enum phase phase;
	struct value wanted; /* the records of the arguments, canonical */
	struct list_builder found; /* all record sets of their names, canonical */
	struct list_builder names;
	size_t name;                                  /* the one that is listed now */
	struct list_builder strange; /* of those, whose routing `records` cannot say */
	struct value was;
	struct str change_id;
	unsigned asked;
	bool changed;
};

static bool
check(const struct value *args, struct diags *diags)
{
	return records_check(value_get(args, "records"), diags);
}

static step_fn preview, run, settle, undo;

const struct step_type route53_upsert_type = {
	.name = "route53_upsert",
	.summary = "change DNS records in one atomic batch",
	.version = 1,
	.in = in,
	.out = out,
	.effect = IDEMPOTENT,
	.timeout = 5 * NS_MIN,
	.can_undo = true,
	.uses = &aws_credentials,
	.state = sizeof(struct dns),
	.check = check,
	.preview = preview,
	.run = run,
	.settle = settle,
	.undo = undo,
};

/* ---- what is there now */

static const char *
zone_path(struct step *step, const char *rest)
{
	struct str zone = value_get_str(step->in, "zone");
	if (str_starts(zone, STR("/hostedzone/")))
		zone = str_from(zone, strlen("/hostedzone/"));
	struct buf path = buf_in(step->mem);
	buf_puts(&path, "/2013-04-01/hostedzone/");
	uri_encode(&path, zone, false);
	buf_puts(&path, rest);
	return path.p;
}

static enum verdict
list_from(struct step *step, struct now now, struct str name, struct str type,
	struct str set)
{
	struct dns *dns = step->state;
	struct buf query = buf_in(step->mem);
	buf_puts(&query, "name=");
	uri_encode(&query, name, false);
	if (type.n > 0) {
		buf_puts(&query, "&type=");
		uri_encode(&query, type, false);
	}
	if (set.n > 0) {
		buf_puts(&query, "&identifier=");
		uri_encode(&query, set, false);
	}
	struct aws_call call = {.service = &aws_route53,
		.method = "GET",
		.path = str_of(zone_path(step, "/rrset")),
		.query = buf_str(&query)};
	struct how how = {.reads = true,
		.tries = 3,
		.title = arena_printf(step->mem, "records of %.*s", STR_FMT(name))};
	dns->phase = LIST;
	return aws_send(step, how, now, &call);
}

static enum verdict
list_next(struct step *step, struct now now)
{
	struct dns *dns = step->state;
	struct str none = {NULL, 0};
	return list_from(step, now, dns->names.items[dns->name].str, none, none);
}

static void
add_name(struct dns *dns, struct str name)
{
	for (size_t i = 0; i < dns->names.n; i++)
		if (str_eq(dns->names.items[i].str, name))
			return;
	list_push(&dns->names, value_str(name));
}

static enum verdict
look(struct step *step, struct now now)
{
	struct dns *dns = step->state;
	const struct value *records = value_get(step->in, "records");
	struct list_builder wanted = {.mem = step->mem};
	dns->names.mem = dns->found.mem = dns->strange.mem = step->mem;
	for (size_t i = 0; records != NULL && i < records->list.n; i++) {
		struct value record =
			record_from_argument(step->mem, &records->list.items[i]);
		list_push(&wanted, record);
		add_name(dns, value_get_str(&record, "name"));
	}
	dns->wanted = list_done(&wanted);
	if (dns->names.n == 0)
		return step_fail(step, ERR_VALUE, false, "'records' is empty");
	return list_next(step, now);
}

/* The record sets of the name that is asked for stand together at the front: false when
 * another name comes. */
static bool
take_page(struct step *step, const struct xml *page)
{
	struct dns *dns = step->state;
	struct str name = dns->names.items[dns->name].str;
	const struct xml *set =
		xml_child(xml_child(page, "ResourceRecordSets"), "ResourceRecordSet");
	for (; set != NULL; set = xml_again(set)) {
		bool strange;
		struct value record = record_from_xml(step->mem, set, &strange);
		if (!str_eq(value_get_str(&record, "name"), name))
			return false;
		if (strange)
			list_push(&dns->strange, record);
		list_push(&dns->found, record);
	}
	return true;
}

/* One answer of the list; STEP_DONE once all names are known. */
static enum verdict
listed(struct step *step, const struct event *event)
{
	struct dns *dns = step->state;
	struct aws_error error;
	if (!aws_answered(step, event->op, true, &error))
		return aws_fail(step, event->op, &error);
	const struct http_answer *answer = event->op->answer;
	const struct xml *page = xml_parse(step->mem, answer->body, step->err);
	if (page == NULL)
		return STEP_FAIL;
	bool same = take_page(step, page);
	struct str next = record_name(step->mem, xml_text(page, "NextRecordName"));
	if (same && str_is(xml_text(page, "IsTruncated"), "true")
		&& str_eq(next, dns->names.items[dns->name].str))
		return list_from(step, event->now, next, xml_text(page, "NextRecordType"),
			xml_text(page, "NextRecordIdentifier"));
	if (++dns->name < dns->names.n)
		return list_next(step, event->now);
	return STEP_DONE;
}

/* ---- what shall be */

static bool
is_other(struct step *step, const struct value *found)
{
	struct dns *dns = step->state;
	return value_get_bool(step->in, "delete_others", false)
		&& record_is_address(found) && records_find(&dns->wanted, found) == NULL;
}

static struct value
found_list(struct step *step)
{
	struct dns *dns = step->state;
	return list_done(&dns->found);
}

/* Before and after, place by place: the wanted records in their order, then the others
 * that go. */
static void
compare(struct step *step, struct value *before, struct value *after)
{
	struct dns *dns = step->state;
	struct value found = found_list(step);
	struct list_builder was = {.mem = step->mem}, will = {.mem = step->mem};
	for (size_t i = 0; i < dns->wanted.list.n; i++) {
		const struct value *want = &dns->wanted.list.items[i],
				   *now = records_find(&found, want);
		list_push(&was, now != NULL ? *now : record_absent(step->mem, want));
		list_push(&will,
			record_is_absent(want) ? record_absent(step->mem, want) : *want);
	}
	for (size_t i = 0; i < found.list.n; i++)
		if (is_other(step, &found.list.items[i])) {
			list_push(&was, found.list.items[i]);
			list_push(&will, record_absent(step->mem, &found.list.items[i]));
		}
	*before = list_done(&was);
	*after = list_done(&will);
}

static void
warn(struct step *step, const struct value *after)
{
	struct dns *dns = step->state;
	struct value found = found_list(step);
	for (size_t i = 0; i < found.list.n; i++)
		if (record_is_address(&found.list.items[i])
			&& records_find(after, &found.list.items[i]) == NULL)
			step_note(step,
				"%s stays as it is (delete_others: true removes it)",
				record_text(step->mem, &found.list.items[i]));
	for (size_t i = 0; i < dns->wanted.list.n; i++) {
		const struct value *want = &dns->wanted.list.items[i];
		if (value_get_int(want, "weight", 1) == 0
			&& value_get_bool(value_get(want, "alias"),
				"evaluate_target_health", false))
			step_note(step,
				"%s has weight 0 and evaluate_target_health: "
				"Route 53 answers with it when the others are unhealthy",
				record_text(step->mem, want));
	}
}

static struct value
result_of(struct step *step, const struct value *was)
{
	struct dns *dns = step->state;
	struct map_builder result = {.mem = step->mem};
	map_put(&result, "was", *was);
	if (dns->change_id.n > 0)
		map_put(&result, "change_id", value_str(dns->change_id));
	return map_done(&result);
}

static enum verdict
preview(struct step *step, const struct event *event)
{
	struct value before, after;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled");
	if (event->kind == EV_START)
		return look(step, event->now);
	enum verdict verdict = listed(step, event);
	if (verdict != STEP_DONE)
		return verdict;
	struct map_builder result = {.mem = step->mem};
	compare(step, &before, &after);
	map_put(&result, "before", before);
	map_put(&result, "after", after);
	warn(step, &after);
	map_put(&result, "out", result_of(step, &before));
	return step_done(step, map_done(&result));
}

/* ---- the change */

/* Deletions first: a CNAME must be gone before an A record of its name can stand. */
static bool
write_batch(struct step *step, struct buf *xml, const struct value *from,
	const struct value *to, bool again)
{
	size_t n = 0;
	buf_puts(xml,
		"<?xml version=\"1.0\" "
		"encoding=\"UTF-8\"?><ChangeResourceRecordSetsRequest "
		"xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/"
		"\"><ChangeBatch><Comment>rbx ");
	xml_escape(xml, str_of(step->run == NULL ? "" : step->run));
	buf_puts(xml, "</Comment><Changes>");
	for (size_t i = 0; i < from->list.n; i++)
		if (!record_is_absent(&from->list.items[i])
			&& record_is_absent(&to->list.items[i])) {
			record_write_change(xml, "DELETE", &from->list.items[i]);
			n++;
		}
	for (size_t i = 0; i < to->list.n; i++)
		if (!record_is_absent(&to->list.items[i])
			&& (again
				|| !value_equal(&from->list.items[i],
					&to->list.items[i]))) {
			record_write_change(xml, "UPSERT", &to->list.items[i]);
			n++;
		}
	buf_puts(xml, "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
	return n > 0;
}

/* One that would be changed and could not be put back. */
static const struct value *
strange_one(struct step *step, const struct value *from, const struct value *to)
{
	struct dns *dns = step->state;
	struct value strange = list_done(&dns->strange);
	for (size_t i = 0; i < from->list.n; i++)
		if (!value_equal(&from->list.items[i], &to->list.items[i])
			&& records_find(&strange, &from->list.items[i]) != NULL)
			return &from->list.items[i];
	return NULL;
}

static enum verdict
change(struct step *step, struct now now, const struct value *from,
	const struct value *to)
{
	struct dns *dns = step->state;
	/* All is as wanted, and the answer to the attempt that made it so was lost:
	 * only the same UPSERT once more gives a change to wait for. */
	bool again = step->attempt > 1 && value_equal(from, to);
	struct buf body = buf_in(step->mem);
	if (!write_batch(step, &body, from, to, again))
		return STEP_DONE;
	const struct value *strange = strange_one(step, from, to);
	if (strange != NULL)
		return step_fail(step, ERR_VALUE, false,
			"%s has a routing that rbx does not know: it could not be put "
			"back",
			record_text(step->mem, strange));
	struct aws_call call = {.service = &aws_route53,
		.method = "POST",
		.path = str_of(zone_path(step, "/rrset/")),
		.body = buf_str(&body),
		.content_type = "application/xml"};
	dns->phase = CHANGE;
	return aws_send(step, (struct how){.title = "change the records"}, now, &call);
}

/* Another change of the zone under way is refused for the moment, and nothing was done.
 */
static enum verdict
changed(struct step *step, const struct event *event)
{
	struct dns *dns = step->state;
	struct aws_error error;
	if (!aws_answered(step, event->op, false, &error)) {
		enum verdict verdict = aws_fail(step, event->op, &error);
		if (event->op->err.code == ERR_NONE
			&& str_is(error.code, "PriorRequestNotComplete"))
			verdict = STEP_FAIL;
		return verdict;
	}
	const struct http_answer *answer = event->op->answer;
	const struct xml *root = xml_parse(step->mem, answer->body, step->err);
	struct str id = xml_text(xml_child(root, "ChangeInfo"), "Id");
	dns->change_id =
		str_starts(id, STR("/change/")) ? str_from(id, strlen("/change/")) : id;
	if (dns->change_id.n == 0)
		return step_fail(step, ERR_PROTOCOL, false, "Route 53 gave no change id"),
		       STEP_DOUBT;
	return STEP_DONE;
}

static enum verdict
run(struct step *step, const struct event *event)
{
	struct dns *dns = step->state;
	struct value before, after;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"),
		       dns->phase == CHANGE ? STEP_DOUBT : STEP_FAIL;
	if (event->kind == EV_START)
		return look(step, event->now);
	enum verdict verdict =
		dns->phase == LIST ? listed(step, event) : changed(step, event);
	if (verdict != STEP_DONE)
		return verdict;
	if (dns->phase == LIST) {
		compare(step, &before, &after);
		dns->was = before;
		verdict = change(step, event->now, &before, &after);
		if (verdict != STEP_DONE)
			return verdict;
	}
	return step_done(
		step, result_of(step, step->was != NULL ? step->was : &dns->was));
}

/* ---- until it holds everywhere */

static enum verdict
ask_change(struct step *step, struct now now)
{
	struct dns *dns = step->state;
	struct buf path = buf_in(step->mem);
	buf_puts(&path, "/2013-04-01/change/");
	uri_encode(&path, dns->change_id, false);
	struct aws_call call = {
		.service = &aws_route53, .method = "GET", .path = buf_str(&path)};
	dns->phase = ASK_CHANGE;
	return aws_send(step,
		(struct how){.reads = true, .tries = 3, .title = "wait for INSYNC"}, now,
		&call);
}

/* Route 53 takes some 30 to 60 s; asked at first each second, then each five. */
static enum verdict
change_seen(struct step *step, const struct event *event)
{
	struct dns *dns = step->state;
	struct aws_error error;
	if (!aws_answered(step, event->op, true, &error))
		return aws_fail(step, event->op, &error);
	const struct http_answer *answer = event->op->answer;
	const struct xml *root = xml_parse(step->mem, answer->body, step->err);
	if (root == NULL)
		return STEP_FAIL;
	if (str_is(xml_text(xml_child(root, "ChangeInfo"), "Status"), "INSYNC"))
		return STEP_DONE;
	dns->phase = PAUSE;
	return step_sleep(step, 0, ++dns->asked < 5 ? NS_S : 5 * NS_S);
}

static enum verdict
wait_insync(struct step *step, const struct event *event)
{
	struct dns *dns = step->state;
	if (dns->phase == ASK_CHANGE)
		return change_seen(step, event);
	return ask_change(step, event->now);
}

static enum verdict
settle(struct step *step, const struct event *event)
{
	struct dns *dns = step->state;
	const struct value *result = step->out;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false,
			"cancelled before Route 53 said INSYNC");
	if (event->kind == EV_START)
		dns->change_id = value_get_str(result, "change_id");
	if (dns->change_id.n == 0)
		return STEP_DONE;
	return wait_insync(step, event);
}

/* ---- back */

/* From ours to what was; where a record is neither, somebody else has changed it since.
 */
static enum verdict
go_back(struct step *step, struct now now)
{
	struct dns *dns = step->state;
	struct value found = found_list(step), none, ours;
	struct list_builder from = {.mem = step->mem}, to = {.mem = step->mem};
	compare(step, &none, &ours);
	for (size_t i = 0; step->was != NULL && i < step->was->list.n; i++) {
		struct value was =
			record_from_argument(step->mem, &step->was->list.items[i]);
		const struct value *there = records_find(&found, &was),
				   *mine = records_find(&ours, &was);
		struct value is = there != NULL ? *there : record_absent(step->mem, &was);
		struct value gone = record_absent(step->mem, &was);
		if (record_is_absent(&was))
			was = gone;
		if (!value_equal(&is, &was)
			&& !value_equal(&is, mine != NULL ? mine : &gone))
			return step_fail(step, ERR_EXISTS, false,
				"%s is neither as it was nor as this run left it: %s",
				record_text(step->mem, &was),
				value_short(step->mem, &is, 120));
		list_push(&from, is);
		list_push(&to, was);
	}
	struct value before = list_done(&from), after = list_done(&to);
	dns->changed = true;
	return change(step, now, &before, &after);
}

static enum verdict
undo(struct step *step, const struct event *event)
{
	struct dns *dns = step->state;
	struct value nothing = value_map(step->mem, NULL, 0);
	enum verdict verdict;
	if (event->kind == EV_CANCEL)
		return step_fail(step, ERR_CANCELLED, false, "cancelled"),
		       dns->changed ? STEP_DOUBT : STEP_FAIL;
	if (event->kind == EV_START)
		return look(step, event->now);
	if (dns->phase == LIST) {
		verdict = listed(step, event);
		if (verdict == STEP_DONE)
			verdict = go_back(step, event->now);
		return verdict == STEP_DONE ? step_done(step, nothing) : verdict;
	}
	if (dns->phase == CHANGE) {
		verdict = changed(step, event);
		return verdict == STEP_DONE ? ask_change(step, event->now) : verdict;
	}
	verdict = wait_insync(step, event);
	return verdict == STEP_DONE ? step_done(step, nothing) : verdict;
}
