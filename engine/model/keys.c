#include "model/keys.h"

const char *const input_types[] = {
	"string", "int", "number", "bool", "duration", "timestamp", "size", "hostname",
	"url", "path", "list", "map", "run", NULL,
};

const char *const group_names[] = {"block", "parallel", "choose", "playbook", NULL};

const struct field input_keys[] = {
	{.name = "type", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .words = input_types,
	 .help = "string, int, duration, hostname, …"},
	{.name = "default", .type = FIELD_DATA,
	 .help = "without it the input is required; may read run"},
	{.name = "enum", .type = FIELD_LIST, .each = FIELD_DATA,
	 .help = "the only values"},
	{.name = "pattern", .type = FIELD_REGEX, .flags = FIELD_WRITTEN,
	 .help = "for the whole value"},
	{.name = "min", .type = FIELD_DATA, .flags = FIELD_WRITTEN, .help = "at least"},
	{.name = "max", .type = FIELD_DATA, .flags = FIELD_WRITTEN, .help = "at most"},
	{.name = "help", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .help = "shown where it is asked for"},
	{.name = "of", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .pattern = "[a-z][a-z0-9-]{0,63}",
	 .help = "of type run: the playbook's name"},
	{.name = NULL},
};

const struct field secret_keys[] = {
	{.name = "env", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "name of an environment variable"},
	{.name = "file", .type = FIELD_PATH, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "a file that holds it"},
	{.name = "command", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .flags = FIELD_REQUIRED, .either = 1,
	 .help = "a program that prints it, with its arguments"},
	{.name = "aws_secret", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .either = 1,
	 .help = "name in AWS Secrets Manager"},
	{.name = "aws_parameter", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .either = 1,
	 .help = "name in the AWS Parameter Store"},
	{.name = "field", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .help = "a member of a secret that is a JSON object"},
	{.name = "max_age", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
	 .help = "older than that it is fetched again before its next use"},
	{.name = "region", .type = FIELD_TEXT, .help = "of AWS"},
	{.name = "account", .type = FIELD_TEXT, .help = "of AWS"},
	{.name = "profile", .type = FIELD_TEXT, .help = "of AWS"},
	{.name = "role", .type = FIELD_TEXT, .help = "of AWS"},
	{.name = "endpoint", .type = FIELD_URL, .help = "of AWS"},
	{.name = NULL},
};

const struct field limit_keys[] = {
	{.name = "deadline", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
	 .otherwise = "24h", .help = "of the run"},
	{.name = "parallel", .type = FIELD_INT, .flags = FIELD_WRITTEN, .otherwise = "8",
	 .least = 1,
	 .most = 10000, .help = "attempts at once"},
	{.name = "handlers", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
	 .otherwise = "10m", .help = "of all handlers together"},
	{.name = "accounts", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .flags = FIELD_WRITTEN,
	 .help = "AWS accounts and Azure subscriptions whose credentials may be used"},
	{.name = "regions", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .flags = FIELD_WRITTEN,
	 .help = "where things may be; global services by name: [us-west-2, route53]"},
	{.name = "addresses", .type = FIELD_LIST, .each = FIELD_TEXT,
	 .flags = FIELD_WRITTEN,
	 .help = "CIDR ranges that steps may connect to besides public addresses"},
	{.name = NULL},
};

static const struct field contact_keys[] = {
	{.name = "role", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "who"},
	{.name = "how", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .help = "how to reach them"},
	{.name = NULL},
};

static const struct field connection_keys[] = {
	{.name = "host", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .help = "name, address or folder of a socket"},
	{.name = "port", .type = FIELD_INT, .otherwise = "5432", .least = 1,
	 .most = 65535, .help = "of the server"},
	{.name = "db", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .help = "the database"},
	{.name = "user", .type = FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "the role"},
	{.name = "password", .type = FIELD_SECRET, .help = "else from ~/.pgpass"},
	{.name = "sslmode", .type = FIELD_TEXT,
	 .help = "verify-full; on loopback and sockets disable",
	 .words = (const char *const[]){"disable", "require", "verify-ca", "verify-full",
	                                NULL}},
	{.name = "ca", .type = FIELD_PATH, .flags = FIELD_READ,
	 .help = "CA bundle; else the system's"},
	{.name = NULL},
};

const struct field lock_keys[] = {
	{.name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .help = "of the lock"},
	{.name = "postgres", .type = FIELD_OBJECT, .flags = FIELD_REQUIRED,
	 .fields = connection_keys,
	 .help = "a connection: an advisory lock held there"},
	{.name = NULL},
};

static const struct field cron_keys[] = {
	{.name = "cron", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .help = "minute hour day month weekday"},
	{.name = "zone", .type = FIELD_TEXT, .flags = FIELD_WRITTEN, .otherwise = "UTC",
	 .help = "Europe/Berlin"},
	{.name = "catch_up", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .otherwise = "one",
	 .words = (const char *const[]){"one", "none", NULL},
	 .help = "none drops missed starts"},
	{.name = NULL},
};

static const struct field ask_keys[] = {
	{.name = "every", .type = FIELD_DURATION, .flags = FIELD_WRITTEN | FIELD_REQUIRED,
	 .help = "ask trigger so often"},
	{.name = NULL},
};

const struct field start_keys[] = {
	{.name = "schedule", .type = FIELD_OBJECT, .fields = cron_keys,
	 .help = "when a run starts"},
	{.name = "drill", .type = FIELD_OBJECT, .fields = cron_keys,
	 .help = "when a drill starts"},
	{.name = "trigger", .type = FIELD_OBJECT, .fields = ask_keys,
	 .help = "a run starts when trigger holds"},
	{.name = NULL},
};

const struct field drill_keys[] = {
	{.name = "inputs", .type = FIELD_MAP, .each = FIELD_DATA,
	 .help = "of the drill; may read run"},
	{.name = "real", .type = FIELD_BOOL, .flags = FIELD_WRITTEN, .otherwise = "false",
	 .help = "a run; else a dry run"},
	{.name = "undo", .type = FIELD_BOOL, .flags = FIELD_WRITTEN, .otherwise = "true",
	 .help = "undo in reverse what was done"},
	{.name = "confirm", .type = FIELD_BOOL, .flags = FIELD_WRITTEN,
	 .otherwise = "true",
	 .help = "ask as in a run"},
	{.name = "leaves", .type = FIELD_LIST, .each = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .help = "paths of steps that a drill may leave behind"},
	{.name = "every", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
	 .otherwise = "92d", .help = "how long a drill counts"},
	{.name = NULL},
};

static const struct field follow_up_keys[] = {
	{.name = "within", .type = FIELD_DURATION,
	 .flags = FIELD_WRITTEN | FIELD_REQUIRED, .help = "to be done by then"},
	{.name = "text", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .help = "what people still have to do"},
	{.name = NULL},
};

const struct field playbook_keys[] = {
	{.name = "rbx", .type = FIELD_INT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .least = 1, .most = 1,
	 .help = "the language version: 1"},
	{.name = "name", .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .pattern = "[a-z][a-z0-9-]{0,63}", .help = "a name such as emergency-failover"},
	{.name = "summary", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .help = "what it does, for people"},
	{.name = "owner", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .help = "who answers for it"},
	{.name = "contacts", .type = FIELD_LIST, .each = FIELD_OBJECT,
	 .fields = contact_keys,
	 .flags = FIELD_WRITTEN, .help = "shown when a person is needed"},
	{.name = "objectives", .type = FIELD_MAP, .each = FIELD_DATA,
	 .flags = FIELD_WRITTEN,
	 .help = "durations or numbers, met if the measure of that name is at most that"},
	{.name = "inputs", .type = FIELD_MAP, .each = FIELD_OBJECT, .fields = input_keys,
	 .help = "what a run is given"},
	{.name = "secrets", .type = FIELD_MAP, .each = FIELD_OBJECT,
	 .fields = secret_keys,
	 .help = "references only"},
	{.name = "vars", .type = FIELD_MAP, .each = FIELD_DATA,
	 .help = "evaluated once at the start"},
	{.name = "defaults", .type = FIELD_MAP, .each = FIELD_DATA,
	 .flags = FIELD_TAKES_SECRET,
	 .help = "timeout, retry, and by type its arguments: what a step leaves out"},
	{.name = "limits", .type = FIELD_OBJECT, .fields = limit_keys,
	 .help = "of the run"},
	{.name = "locks", .type = FIELD_LIST, .each = FIELD_DATA,
	 .flags = FIELD_TAKES_SECRET,
	 .help = "taken together before the first check"},
	{.name = "on", .type = FIELD_OBJECT, .fields = start_keys,
	 .help = "starts by time or by the trigger; read and checked, not "
		 "carried out in this version"},
	{.name = "trigger", .type = FIELD_LIST, .each = FIELD_DATA,
	 .help = "checks: why a run may start"},
	{.name = "preconditions", .type = FIELD_LIST, .each = FIELD_DATA,
	 .help = "checks: whether it can work"},
	{.name = "steps", .type = FIELD_LIST, .each = FIELD_DATA, .flags = FIELD_REQUIRED,
	 .help = "what is done"},
	{.name = "outputs", .type = FIELD_MAP, .each = FIELD_EXPRESSION,
	 .help = "what a calling playbook and later runs read"},
	{.name = "on_waiting", .type = FIELD_LIST, .each = FIELD_DATA,
	 .help = "when a person is waited for"},
	{.name = "on_success", .type = FIELD_LIST, .each = FIELD_DATA,
	 .help = "after the end done"},
	{.name = "on_failure", .type = FIELD_LIST, .each = FIELD_DATA,
	 .help = "after every other end"},
	{.name = "finally", .type = FIELD_LIST, .each = FIELD_DATA,
	 .help = "at the end, whatever it is"},
	{.name = "drill", .type = FIELD_OBJECT, .fields = drill_keys,
	 .help = "how rbx drill rehearses it"},
	{.name = "follow_up", .type = FIELD_LIST, .each = FIELD_OBJECT,
	 .fields = follow_up_keys,
	 .help = "what people still have to do"},
	{.name = NULL},
};

const struct field retry_keys[] = {
	{.name = "attempts", .type = FIELD_INT, .flags = FIELD_WRITTEN, .otherwise = "3",
	 .least = 1,
	 .most = 10000, .help = "at most, the first counted"},
	{.name = "delay", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
	 .otherwise = "2s", .help = "before the second attempt"},
	{.name = "backoff", .type = FIELD_NUMBER, .flags = FIELD_WRITTEN,
	 .otherwise = "2",
	 .help = "each pause is longer by this factor"},
	{.name = "max_delay", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
	 .otherwise = "30s", .help = "no pause is longer"},
	{.name = "jitter", .type = FIELD_NUMBER, .flags = FIELD_WRITTEN,
	 .otherwise = "0.2",
	 .help = "a pause varies by this part of it, 0 to 1"},
	{.name = NULL},
};

const struct field sample_keys[] = {
	{.name = "count", .type = FIELD_INT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .least = 1, .most = 10000,
	 .help = "how often to ask"},
	{.name = "every", .type = FIELD_DURATION, .flags = FIELD_WRITTEN | FIELD_REQUIRED,
	 .help = "pause between two"},
	{.name = "pass", .type = FIELD_INT, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .least = 1, .most = 10000,
	 .help = "at least so many must hold"},
	{.name = NULL},
};

const struct field confirm_keys[] = {
	{.name = "text", .type = FIELD_TEXT, .flags = FIELD_REQUIRED,
	 .help = "the question"},
	{.name = "word", .type = FIELD_TEXT, .help = "must be typed"},
	{.name = "by", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .help = "a group that may answer"},
	{.name = "at_least", .type = FIELD_INT, .flags = FIELD_WRITTEN, .otherwise = "1",
	 .least = 1,
	 .most = 100, .help = "so many persons"},
	{.name = "not_by", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
	 .words = (const char *const[]){"requester", NULL},
	 .help = "requester: somebody else"},
	{.name = "within", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
	 .otherwise = "24h", .help = "no answer by then fails the step"},
	{.name = NULL},
};

const struct field each_keys[] = {
	{.name = "in", .type = FIELD_LIST, .each = FIELD_DATA, .flags = FIELD_REQUIRED,
	 .help = "the items"},
	{.name = "as", .type = FIELD_TEXT, .flags = FIELD_WRITTEN, .otherwise = "item",
	 .pattern = "[a-z][a-z0-9_]{0,63}",
	 .help = "the item's name"},
	{.name = "at_once", .type = FIELD_INT, .flags = FIELD_WRITTEN, .otherwise = "1",
	 .least = 1,
	 .most = 10000, .help = "items at once"},
	{.name = NULL},
};

const struct field call_keys[] = {
	{.name = "file", .type = FIELD_PATH, .flags = FIELD_REQUIRED | FIELD_WRITTEN,
	 .help = "the playbook to carry out"},
	{.name = "inputs", .type = FIELD_MAP, .each = FIELD_DATA, .help = "its inputs"},
	{.name = "dry_run", .type = FIELD_BOOL, .flags = FIELD_WRITTEN,
	 .otherwise = "false",
	 .help = "only a dry run of it: a check"},
	{.name = NULL},
};

const struct field branch_keys[] = {
	{.name = "when", .type = FIELD_EXPRESSION,
	 .help = "the first branch that holds is carried out"},
	{.name = "steps", .type = FIELD_LIST, .each = FIELD_DATA, .flags = FIELD_REQUIRED,
	 .help = "its steps"},
	{.name = "outputs", .type = FIELD_MAP, .each = FIELD_EXPRESSION,
	 .help = "the same names in every branch"},
	{.name = NULL},
};

const struct field assert_keys[] = {
	{.name = "check", .type = FIELD_EXPRESSION, .flags = FIELD_REQUIRED,
	 .help = "must hold"},
	{.name = "message", .type = FIELD_TEXT, .help = "told where it does not hold"},
	{.name = NULL},
};

const struct step_key step_keys[] = {
	{ON_ALL, {.name = "id", .type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_WRITTEN,
		.pattern = "[a-z][a-z0-9_]{0,63}",
		.help = "its name, unique in the file"}},
	{ON_ALL, {.name = "when", .type = FIELD_EXPRESSION, .help = "false: skipped"}},
	{ON_ALL, {.name = "for_each", .type = FIELD_DATA,
		.help = "a list, or {in, as, at_once}"}},
	{ON_ALL, {.name = "needs", .type = FIELD_LIST, .each = FIELD_TEXT,
		.flags = FIELD_WRITTEN,
		.help = "in parallel: siblings to wait for"}},
	{ON_CHANGE | ON_GROUP | ON_CALL, {.name = "confirm", .type = FIELD_DATA,
		.help = "a question to a person: text, or {text, word, by, at_least, "
			"not_by, within}"}},
	{ON_CHANGE, {.name = "preconditions", .type = FIELD_LIST, .each = FIELD_DATA,
		.help = "checks: unmet, the step fails"}},
	{ON_CHECK | ON_CHANGE, {.name = "timeout", .type = FIELD_DURATION,
		.flags = FIELD_WRITTEN, .help = "of one attempt"}},
	{ON_ALL, {.name = "deadline", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
		.help = "from start to outcome"}},
	{ON_CHECK | ON_CHANGE, {.name = "retry", .type = FIELD_OBJECT,
		.fields = retry_keys,
		.help = "how often a failure is repeated that may be repeated"}},
	{ON_CHECK, {.name = "every", .type = FIELD_DURATION, .flags = FIELD_WRITTEN,
		.help = "ask again until it holds; needs deadline"}},
	{ON_CHECK, {.name = "until", .type = FIELD_EXPRESSION,
		.help = "must hold as well; with every"}},
	{ON_CHECK, {.name = "fail_if", .type = FIELD_EXPRESSION,
		.help = "true: fails at once; with every"}},
	{ON_CHECK, {.name = "samples", .type = FIELD_OBJECT, .fields = sample_keys,
		.help = "ask count times, at least pass must hold"}},
	{ON_CHECK | ON_CHANGE, {.name = "accept", .type = FIELD_LIST, .each = FIELD_TEXT,
		.flags = FIELD_WRITTEN,
		.help = "codes that are an answer, not a failure"}},
	{ON_CHECK | ON_CHANGE, {.name = "assert", .type = FIELD_LIST, .each = FIELD_DATA,
		.help = "expressions, or {check, message}: hold of the last answer"}},
	{ON_CHECK | ON_CHANGE | ON_GROUP, {.name = "outputs", .type = FIELD_MAP,
		.each = FIELD_EXPRESSION,
		.help = "named parts of the result"}},
	{ON_ALL, {.name = "measures", .type = FIELD_MAP, .each = FIELD_EXPRESSION,
		.help = "durations or numbers, when the step is done"}},
	{ON_CHECK | ON_CHANGE, {.name = "effect", .type = FIELD_TEXT,
		.flags = FIELD_WRITTEN,
		.words = (const char *const[]){"pure", "idempotent", "once", "repeatable",
		                               NULL},
		.help = "the author vouches for this class"}},
	{ON_CHANGE, {.name = "probe", .type = FIELD_DATA,
		.help = "a check: is the effect there?"}},
	{ON_CHANGE | ON_CALL, {.name = "undo", .type = FIELD_DATA,
		.help = "auto, none, or steps"}},
	{ON_GROUP, {.name = "finally", .type = FIELD_LIST, .each = FIELD_DATA,
		.help = "of a block: carried out however its members ended"}},
	{ON_ALL, {.name = "on_error", .type = FIELD_TEXT, .flags = FIELD_WRITTEN,
		.words = (const char *const[]){"stop", "continue", "undo", "ask", NULL},
		.help = "what follows a failure"}},
	{0, {.name = NULL}},
};

const struct step_key *
step_key_find(struct str name)
{
	for (const struct step_key *key = step_keys; key->row.name != NULL; key++)
		if (str_is(name, key->row.name))
			return key;
	return NULL;
}
