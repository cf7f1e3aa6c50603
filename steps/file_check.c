#include "shared.h"

static const struct field expect[] = {
	{.name = "max_age", .type = FIELD_DURATION, .help = "changed at most that long ago"},
	{.name = "min_size", .type = FIELD_SIZE, .help = "at least that long"},
	{.name = "max_size", .type = FIELD_SIZE, .help = "at most that long"},
	{.name = "sha256", .type = FIELD_TEXT, .pattern = "[0-9a-fA-F]{64}", .help = "its digest"},
	{.name = "absent", .type = FIELD_BOOL, .help = "there is no such file"},
	{.name = NULL},
};

static const struct field in_rows[] = {
	{.name = "path", .type = FIELD_PATH, .flags = FIELD_REQUIRED, .help = "the file"},
	{.name = "json", .type = FIELD_BOOL, .otherwise = "false", .help = "parse it"},
	{.name = "expect", .type = FIELD_OBJECT, .fields = expect, .help = "without: it exists"},
	{.name = NULL},
};

static const struct field out_rows[] = {
	{.name = "bytes", .type = FIELD_INT, .flags = FIELD_OUTPUT, .help = "its length"},
	{.name = "modified", .type = FIELD_TIMESTAMP, .flags = FIELD_OUTPUT, .help = "when it changed"},
	{.name = "sha256", .type = FIELD_TEXT, .flags = FIELD_OUTPUT, .help = "its digest"},
	{.name = "json", .type = FIELD_DATA, .flags = FIELD_MAYBE, .help = "with json: what it holds"},
	{.name = NULL},
};

enum { JSON_MOST = 16 * 1024 * 1024 };

/* What is not there has nothing else to judge. */
static bool
check(const struct value *args, struct diags *diags)
{
	const struct value *want = value_get(args, "expect"),
			   *absent = value_get(want, "absent");
	if (absent == NULL || absent->kind != V_BOOL || !absent->b
		|| (want->map->n == 1 && !value_get_bool(args, "json", false)))
		return true;
	diag_error(diags, value_mark(absent),
		"'absent' stands alone: what is not there has nothing else to judge");
	return false;
}

static enum verdict
look(struct step *step)
{
	const struct value *wanted = value_get(step->in, "expect");
	struct file_ask ask = {
		.path = str_cstr(step->mem, value_get_str(step->in, "path")),
		.what = FILE_DIGEST,
		.most = JSON_MOST};
	if (value_get_bool(wanted, "absent", false))
		ask.what = FILE_STAT;
	else if (value_get_bool(step->in, "json", false))
		ask.what = FILE_LOAD;
	return step_file(step, (struct how){.reads = true, .title = ask.path}, &ask);
}

static bool
is_same_digest(struct str hex, const uint8_t sha256[32])
{
	uint8_t wanted[32];
	char lower[64];
	if (hex.n != sizeof lower)
		return false;
	for (size_t i = 0; i < hex.n; i++)
		lower[i] = hex.p[i] >= 'A' && hex.p[i] <= 'F' ? (char)(hex.p[i] + 32)
							      : hex.p[i];
	return hex_parse((struct str){lower, sizeof lower}, wanted, 32)
		&& memcmp(wanted, sha256, 32) == 0;
}

static enum verdict
judge(struct step *step, const struct file_answer *file, int64_t now_us)
{
	const struct value *wanted = value_get(step->in, "expect");
	const struct value *age = value_get(wanted, "max_age"),
			   *sha = value_get(wanted, "sha256");
	int64_t size = (int64_t)file->size;
	if (value_get_bool(wanted, "absent", false))
		return file->exists ? step_unmet(step, "the file is there") : STEP_DONE;
	if (file->is_folder)
		return step_unmet(step, "it is a folder");
	if (age != NULL && now_us - file->modified > span_us(age->span))
		return step_unmet(step, "it was changed %s ago, which is more than %s",
			duration_short(step->mem, (now_us - file->modified) * 1000),
			duration_text(step->mem, span_ns(age->span)));
	int64_t least = value_get_int(wanted, "min_size", 0),
		most = value_get_int(wanted, "max_size", INT64_MAX);
	if (size < least || size > most)
		return step_unmet(step, "it has %lld bytes, expected at %s %lld",
			(long long)size, size < least ? "least" : "most",
			(long long)(size < least ? least : most));
	if (sha != NULL && !is_same_digest(sha->str, file->sha256))
		return step_unmet(
			step, "its SHA-256 is %s", hex_text(step->mem, file->sha256, 32));
	return STEP_DONE;
}

static enum verdict
tell(struct step *step, const struct file_answer *file, int64_t now_us)
{
	struct map_builder out = {.mem = step->mem};
	struct value json;
	bool parse = value_get_bool(step->in, "json", false) && file->exists;
	if (file->exists) {
		map_put(&out, "bytes", value_int((int64_t)file->size));
		map_put(&out, "modified", value_time_us(file->modified));
		map_put(&out, "sha256",
			value_text(
				step->mem, "%s", hex_text(step->mem, file->sha256, 32)));
	}
	if (parse && !json_parse(step->mem, file->bytes, NULL, &json, step->err)) {
		err_wrap(step->err, "the file is no JSON");
		return STEP_FAIL;
	}
	if (parse)
		map_put(&out, "json", json);
	step_done(step, map_done(&out));
	return judge(step, file, now_us);
}

static enum verdict
run(struct step *step, const struct event *event)
{
	if (event->kind == EV_START)
		return look(step);
	if (event->kind != EV_OP)
		return step_fail(step, ERR_CANCELLED, false, "ended before it was known");
	if (event->op->err.code == ERR_NOT_FOUND)
		return step_unmet(step, "%s", event->op->err.msg);
	if (event->op->err.code != ERR_NONE)
		return step_fail_op(step, event->op);
	return tell(step, event->op->answer, event->now.wall);
}

const struct step_type file_check_type = {
	.name = "file_check",
	.summary = "look at a file",
	.version = 1,
	.in = in_rows,
	.out = out_rows,
	.effect = PURE,
	.timeout = 30 * NS_S,
	.is_check = true,
	.check = check,
	.run = run,
};
