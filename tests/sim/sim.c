/* Random playbooks, each carried out once without a fault, then with a crash at every
 * record (before it is durable, and after it, with none of its acts started) and at the
 * start of every operation, resumed, and with a second crash during the resume; judged by
 * what must hold in every run.
 *
 * sim [--seed N] [--count N] [--every N] [--break acts-first|twice|forgets|early]
 *
 * --every N: of each run only every Nth crash point, another one for each seed. --break
 * carries it out with a broken rule: then a violation is what is wanted. The last line is
 * JSON. A seed gives the same run on every machine. */
#include "book.h"
#include "judge.h"

#include "data/json.h"

#include <stdio.h>
#include <stdlib.h>

struct options { uint64_t seed, count, every; struct broken broken; bool turned; };
struct sums { uint64_t seeds, runs, crashes, violations; };

enum { RESUME_AFTER = 100 * 1000000 };

struct seed {
	const struct options *options;
	struct sums *sums;
	uint64_t number;
	struct arena *mem;                            /* of one run */
	const struct scenario *scenario;
	const struct world *base;
};

static void
tell(const struct seed *seed, const struct crash *crash, const char *what)
{
	if (seed->sums->violations++ >= 5)
		return;
	printf("# seed %llu, crash before %llu, after %llu, at operation %u: %s\n",
		(unsigned long long)seed->number, (unsigned long long)crash->before,
		(unsigned long long)crash->after, crash->op, what);
}

static void
run_crashed(struct seed *seed, const struct crash *crashes, size_t n)
{
	struct world *world = world_new(seed->mem, seed->scenario);

	world_break(world, seed->options->broken);
	world_crash(world, crashes, n, RESUME_AFTER);
	const char *what = world_run(world);
	if (what == NULL)
		what = judge_run(seed->mem, seed->scenario, world);
	if (what == NULL)
		what = judge_same(seed->mem, seed->scenario, seed->base, world);
	if (what != NULL)
		tell(seed, crashes, what);
	seed->sums->runs++;
	seed->sums->crashes += world_crashes(world);
	world_close(world);
	arena_reset(seed->mem);
}

static bool
is_chosen(const struct seed *seed, uint64_t point)
{
	return (point + seed->number) % seed->options->every == 0;
}

static void
sweep(struct seed *seed)
{
	size_t n;

	world_records(seed->base, &n);
	for (uint64_t seq = 2; seq <= n; seq++) {
		struct crash points[][2] = {
			{{.before = seq}, {.after = seq + 1}}, {{.after = seq},
				{.before = seq + 2}},
		};
		for (size_t i = 0; is_chosen(seed, seq) && i < 2; i++) {
			run_crashed(seed, points[i], 1);
			run_crashed(seed, points[i], 2);
		}
	}
	for (unsigned op = 1; op <= world_ops(seed->base); op++) {
		struct crash points[] = {{.op = op}, {.op = op + 2}};
		if (is_chosen(seed, op))
			run_crashed(seed, points, 1 + op % 2);
	}
}

static void
run_seed(const struct options *options, struct sums *sums, uint64_t number)
{
	struct arena *mem = arena_new();
	struct value from;
	struct scenario scenario;
	struct err err;
	struct seed seed = {.options = options, .sums = sums, .number = number,
		.mem = arena_new(), .scenario = &scenario};

	if (!json_parse(mem, book_text(mem, number), NULL, &from, &err)) {
		printf("seed %llu: %s\n", (unsigned long long)number, err.msg);
		exit(2);
	}
	scenario_read(mem, &from, &scenario);
	struct world *base = world_new(mem, &scenario);
	const char *what = world_run(base);
	seed.base = base;
	sums->seeds++;
	sums->runs++;
	if (what == NULL)
		what = judge_run(mem, &scenario, base);
	if (what != NULL)
		tell(&seed, &(struct crash){0}, what);
	else
		sweep(&seed);
	world_close(base);
	arena_free(seed.mem);
	arena_free(mem);
}

static bool
read_options(int argc, char **argv, struct options *out)
{
	*out = (struct options){.seed = 1, .count = 100, .every = 1};
	for (int i = 1; i + 1 < argc; i += 2) {
		struct str name = str_of(argv[i]), value = str_of(argv[i + 1]);
		bool ok = str_is(name, "--seed") ? str_uint(value, &out->seed)
			: str_is(name, "--count") ? str_uint(value, &out->count)
			: str_is(name, "--every") ? str_uint(value, &out->every)
			: str_is(name, "--break");
		if (!ok)
			return false;
		out->turned = out->turned || str_is(name, "--break");
		out->broken.acts_first |= str_is(value, "acts-first");
		out->broken.twice |= str_is(value, "twice");
		out->broken.forgets |= str_is(value, "forgets");
		out->broken.early |= str_is(value, "early");
	}
	return argc % 2 == 1 && out->every > 0;
}

int
main(int argc, char **argv)
{
	struct options options;
	struct sums sums = {0};

	if (!read_options(argc, argv, &options)) {
		fprintf(stderr,
			"usage: sim [--seed N] [--count N] [--every N] [--break RULE]\n");
		return 2;
	}
	for (uint64_t i = 0; i < options.count; i++)
		run_seed(&options, &sums, options.seed + i);
	printf("{\"suite\":\"sim\",\"seeds\":%llu,\"runs\":%llu,\"crashes\":%llu,"
		"\"violations\":%llu,\"first\":%llu}\n", (unsigned long long)sums.seeds,
		(unsigned long long)sums.runs, (unsigned long long)sums.crashes,
		(unsigned long long)sums.violations, (unsigned long long)options.seed);
	if (sums.runs == 0 || sums.crashes == 0)
		return 2;
	return (sums.violations > 0) != options.turned;
}
