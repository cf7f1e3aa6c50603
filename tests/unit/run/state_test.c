/* The fold by itself: what single records make of a state, and what it refuses. */
#include "../unit.h"
#include "base/digest.h"
#include "data/json.h"
#include "run/blobs.h"
#include "run/state.h"

struct folding { struct arena *mem; struct run_state state; int64_t at; };

static void
apply(struct folding *f, enum kind kind, const char *path, unsigned attempt,
	const char *body)
{
	struct err err = {0};
	struct record record = {.seq = f->state.seq + 1, .at = ++f->at, .kind = kind,
		.path = path,
		.attempt = attempt, .body = str_of(body)};

	if (!run_apply(&f->state, &record, &err))
		fail_msg("%s", err.msg);
}

static int
setup(void **with)
{
	struct folding *f = calloc(1, sizeof *f);

	f->mem = arena_new();
	state_init(&f->state, f->mem);
	f->state.id = STR("r1");
	f->state.store = STR("s");
	*with = f;
	apply(f, REC_RUN, "", 0, "{\"v\":1,\"mode\":\"run\",\"deadline_at\":100}");
	apply(f, REC_OWN, "", 0, "{\"v\":1,\"epoch\":1,\"why\":\"start\"}");
	return 0;
}

static int
teardown(void **with)
{
	struct folding *f = *with;

	state_close(&f->state);
	arena_free(f->mem);
	free(f);
	return 0;
}

static void
test_paths(void **with)
{
	struct folding *f = *with;
	const struct path_state *c = state_path(&f->state, "a/b[2]/c");

	assert_string_equal(c->parent->path, "a/b[2]");
	assert_string_equal(c->parent->parent->path, "a/b");
	assert_string_equal(c->parent->parent->parent->path, "a");
	assert_string_equal(c->parent->parent->parent->parent->path, "");
	assert_ptr_equal(state_find(&f->state, "a/b[2]/c"), c);
	assert_null(state_find(&f->state, "a/b[3]"));
	for (int i = 0; i < 5000; i++)
		state_path(&f->state, arena_printf(f->mem, "s%d", i));
	for (int i = 0; i < 5000; i++)
		assert_non_null(state_find(&f->state, arena_printf(f->mem, "s%d", i)));
	assert_ptr_equal(state_find(&f->state, "a/b[2]/c"), c);
}

static void
test_crash_is_doubt(void **with)
{
	struct folding *f = *with;
	const char *intent = "{\"v\":1,\"effect\":\"idempotent\",\"was\":\"A\","
		"\"in\":{\"x\":1}}";

	apply(f, REC_INTENT, "a", 1, intent);
	const struct path_state *a = state_find(&f->state, "a");
	assert_int_equal(a->fate, FATE_NONE);
	assert_true(a->open);
	apply(f, REC_INTENT, "a", 2, "{\"v\":1,\"effect\":\"idempotent\",\"was\":\"B\"}");
	assert_int_equal(a->fate, FATE_DOUBT);
	assert_str(a->was->str, "A");
	assert_int_equal(value_get_int(a->in, "x", 0), 1);
	apply(f, REC_OUTCOME, "a", 2,
		"{\"v\":1,\"state\":\"ok\",\"fate\":\"done\",\"how\":\"ran\"}");
	assert_int_equal(a->fate, FATE_DONE);
	assert_string_equal(path_status(&f->state, a), "done");
	apply(f, REC_OUTCOME, "a/undo", 1,
		"{\"v\":1,\"state\":\"ok\",\"fate\":\"done\"}");
	assert_string_equal(path_status(&f->state, a), "undone");
}

/* From the first question below a scope to the last answer its clock stands still. */
static void
test_a_persons_time(void **with)
{
	struct folding *f = *with;

	apply(f, REC_BEGIN, "g", 0, "{\"v\":1,\"deadline_at\":50}");
	apply(f, REC_ASK, "g/a", 0, "{\"v\":1,\"what\":\"change\"}");
	f->at = 20;
	apply(f, REC_ASK, "g/b[1]", 0, "{\"v\":1,\"what\":\"change\"}");
	f->at = 30;
	apply(f, REC_ANSWER, "g/a", 0, "{\"v\":1,\"yes\":true}");
	assert_int_equal(state_find(&f->state, "g")->deadline_at, 50);
	f->at = 39;
	apply(f, REC_ANSWER, "g/b[1]", 0, "{\"v\":1,\"yes\":false}");
	assert_int_equal(state_find(&f->state, "g")->deadline_at, 50 + 40 - 4);
	assert_int_equal(f->state.deadline_at, 100 + 40 - 4);
	assert_true(list_is_empty(&f->state.waiting));
}

static void
test_reopen(void **with)
{
	struct folding *f = *with;

	apply(f, REC_OUTCOME, "g/x", 1,
		"{\"v\":1,\"state\":\"failed\",\"fate\":\"none\"}");
	apply(f, REC_OUTCOME, "g", 0, "{\"v\":1,\"state\":\"ok\",\"fate\":\"done\"}");
	apply(f, REC_BEGIN, "b", 0, "{\"v\":1,\"deadline_at\":3}");
	apply(f, REC_OUTCOME, "b", 1,
		"{\"v\":1,\"state\":\"failed\",\"fate\":\"partial\"}");
	apply(f, REC_OUTCOME, "on_failure/h", 1,
		"{\"v\":1,\"state\":\"ok\",\"fate\":\"done\"}");
	apply(f, REC_END, "", 0, "{\"v\":1,\"state\":\"failed\",\"exit\":1}");
	assert_int_equal(f->state.first->touched, 3);
	apply(f, REC_OWN, "", 0, "{\"v\":1,\"epoch\":2,\"why\":\"reopen\"}");
	assert_int_equal(state_find(&f->state, "g/x")->state, OUT_FAILED);
	assert_int_equal(state_find(&f->state, "b")->last, LAST_REOPENED);
	assert_int_equal(state_find(&f->state, "b")->fate, FATE_PARTIAL);
	assert_int_equal(state_find(&f->state, "b")->deadline_at, 0);
	assert_int_equal(state_find(&f->state, "on_failure/h")->last, LAST_NONE);
	assert_int_equal(f->state.end, END_NONE);
	assert_int_equal(f->state.first->touched, 2);
}

static void
test_key(void **with)
{
	struct folding *f = *with;
	struct path_state *a = state_path(&f->state, "a");
	const char *key = path_key(f->mem, &f->state, a);

	assert_int_equal(strlen(key), KEY_LENGTH);
	a->attempt = 7;
	assert_string_equal(path_key(f->mem, &f->state, a), key);
	a->generation = 1;
	assert_string_not_equal(path_key(f->mem, &f->state, a), key);
	assert_string_not_equal(path_key(f->mem, &f->state, state_path(&f->state,
		"a[1]")),
		path_key(f->mem, &f->state, state_path(&f->state, "a[0]")));
}

static void
test_refused(void **with)
{
	struct folding *f = *with;
	struct err err;
	struct record record = {.seq = 3, .kind = REC_BEGIN, .path = "x",
		.body = STR("{\"v\":3}")};

	assert_false(run_apply(&f->state, &record, &err));
	assert_int_equal(err.code, ERR_VERSION);
	record.body = STR("{\"v\":1");
	assert_false(run_apply(&f->state, &record, &err));
	assert_int_equal(f->state.seq, 2);
	assert_null(state_find(&f->state, "x"));
}

struct held { struct blob *blobs; size_t n; };

static bool
find_held(const struct blob_source *source, const uint8_t digest[32], struct arena *mem,
	struct str *out, struct err *err)
{
	const struct held *held = source->with;

	(void)mem;
	for (size_t i = 0; i < held->n; i++) {
		if (memcmp(held->blobs[i].digest, digest, SHA256_SIZE) != 0)
			continue;
		*out = held->blobs[i].bytes;
		return true;
	}
	return err_set(err, ERR_NOT_FOUND, "lost");
}

/* {"v":1,"state":"ok","fate":"done","outputs":{"a":"xxx…","n":7}} */
static struct value
outcome_with(struct arena *mem, size_t size, struct str *text)
{
	struct buf long_text = buf_in(mem), json = buf_in(mem);
	struct map_builder body = {.mem = mem}, outputs = {.mem = mem};
	struct value v;

	for (size_t i = 0; i < size; i++)
		buf_putc(&long_text, 'x');
	map_put(&outputs, "a", value_str(buf_str(&long_text)));
	map_put(&outputs, "n", value_int(7));
	map_put(&body, "v", value_int(1));
	map_put(&body, "state", value_str(STR("ok")));
	map_put(&body, "fate", value_str(STR("done")));
	map_put(&body, "outputs", map_done(&outputs));
	v = map_done(&body);
	json_write(&json, &v, JSON_COMPACT);
	*text = buf_str(&json);
	return v;
}

static void
test_large_bodies_name_blobs(void **with)
{
	struct folding *f = *with;
	struct blob *blobs = NULL;
	struct str text;
	struct err err = {0};
	struct value body = outcome_with(f->mem, 1000, &text);

	assert_int_equal(blobs_split(f->mem, &body, &text, &blobs), 0);
	assert_true(str_find(text, STR("\"v\":1")) < text.n);
	body = outcome_with(f->mem, 400 * 1024, &text);
	assert_int_equal(blobs_split(f->mem, &body, &text, &blobs), 1);
	assert_true(text.n < 512);
	assert_true(str_find(text, STR("\"v\":2")) < text.n);

	struct record record = {.seq = 3, .at = 9, .kind = REC_OUTCOME, .path = "a",
		.body = text};
	struct held held = {blobs, 1};
	struct blob_source source = {.find = find_held, .with = &held};
	assert_false(run_apply(&f->state, &record, &err));
	assert_int_equal(f->state.seq, 2);
	f->state.blobs = &source;
	assert_ok(run_apply(&f->state, &record, &err));
	const struct path_state *a = state_find(&f->state, "a");
	assert_int_equal(value_get_str(a->outputs, "a").n, 400 * 1024);
	assert_int_equal(value_get_int(a->outputs, "n", 0), 7);
	held.n = 0;
	assert_false(run_apply(&f->state, &record, &err));
	assert_non_null(strstr(err.msg, "lost"));
}

/* What somebody else wrote under `blobs` in an output is an output. */
static void
test_a_body_of_version_1_names_no_blobs(void **with)
{
	struct folding *f = *with;

	apply(f, REC_OUTCOME, "a", 0, "{\"v\":1,\"state\":\"ok\",\"fate\":\"done\","
		"\"blobs\":{\"outputs\":{\"digest\":\"00\"}},"
		"\"outputs\":{\"blobs\":{\"outputs\":{\"digest\":\"00\"}}}}");
	assert_non_null(value_get(state_find(&f->state, "a")->outputs, "blobs"));
}

#define folded(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		folded(test_paths), folded(test_crash_is_doubt),
			folded(test_a_persons_time),
		folded(test_reopen), folded(test_key), folded(test_refused),
		folded(test_large_bodies_name_blobs),
		folded(test_a_body_of_version_1_names_no_blobs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
