#include "bench.h"

#include "steps/steps.h"

const char bench_keys[] = "{\"access_key_id\":\"AKIDEXAMPLE\",\"secret_access_key\":\"x\","
	"\"token\":\"\",\"region\":\"eu-west-1\",\"source\":\"environment\"}";

int
bench_setup(void **state)
{
	struct arena *mem = arena_new();
	struct bench *bench = arena_new_of(mem, struct bench);
	*bench = (struct bench){mem, fake_new(mem)};
	*state = bench;
	return 0;
}

int
bench_teardown(void **state)
{
	struct bench *bench = *state;
	arena_free(bench->mem);
	return 0;
}

const struct step_type *
bench_type(const char *name)
{
	for (size_t i = 0; step_types[i] != NULL; i++)
		if (strcmp(step_types[i]->name, name) == 0)
			return step_types[i];
	fail_msg("no type %s", name);
	return NULL;
}

struct trial
bench_try(struct bench *bench, const char *phase, struct trial trial)
{
	trial_run(bench->fake, bench->mem, phase, &trial);
	return trial;
}

void
bench_http(struct bench *bench, const char *asks, int status, const char *body)
{
	struct http_answer *answer = arena_new_of(bench->mem, struct http_answer);
	*answer = (struct http_answer){.status = status, .body = str_of(body),
		.address = "192.0.2.1", .total_ns = 20 * NS_MS};
	fake_expect(bench->fake,
		(struct expected){OP_HTTP, .asks = asks, .answer = answer});
}

void
bench_sql(struct bench *bench, const char *asks, const char *sqlstate)
{
	struct sql_answer *answer = arena_new_of(bench->mem, struct sql_answer);
	*answer = (struct sql_answer){.sqlstate = sqlstate, .message = "as the server says",
		.affected = 1};
	fake_expect(bench->fake, (struct expected){OP_SQL, .asks = asks, .answer = answer});
}

void
bench_file(struct bench *bench, const char *asks, const char *content)
{
	struct file_answer *answer = arena_new_of(bench->mem, struct file_answer);
	if (content != NULL)
		*answer = (struct file_answer){.exists = true, .bytes = str_of(content),
			.size = strlen(content)};
	fake_expect(bench->fake, (struct expected){OP_FILE, .asks = asks, .answer = answer});
}

void
bench_fails(struct bench *bench, enum op_kind kind, const char *asks, enum err_code code,
	enum reach reach)
{
	fake_expect(bench->fake,
		(struct expected){kind, .asks = asks, .code = code, .reach = reach,
			.message = "as the network says"});
}

void
bench_ends(const struct trial *trial, enum verdict verdict, const char *told)
{
	if (trial->verdict != verdict)
		fail_msg("verdict %d, expected %d: %s", trial->verdict, verdict,
			trial->err.msg);
	if (told != NULL && strstr(trial->err.msg, told) == NULL
		&& strstr(trial->err.hint, told) == NULL)
		fail_msg("'%s' is not in '%s' (%s)", told, trial->err.msg,
			trial->err.hint);
}
