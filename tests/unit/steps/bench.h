/* The frame of the tests of step types: a scripted world for each test, and one phase of
 * a type in it. */
#ifndef TESTS_UNIT_STEPS_BENCH_H
#define TESTS_UNIT_STEPS_BENCH_H

#include "../unit.h"

#include "step.h"

struct bench {
	struct arena *mem;
	struct fake *fake;
};

int bench_setup(void **state);
int bench_teardown(void **state);
#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

/* The type of the name; the test fails where there is none. */
const struct step_type *bench_type(const char *name);
struct trial bench_try(struct bench *bench, const char *phase, struct trial trial);

/* Next the world is asked so, and answers: HTTP with status and body, SQL with SQLSTATE
 * and no row, or the operation fails. */
void bench_http(struct bench *bench, const char *asks, int status, const char *body);
void bench_sql(struct bench *bench, const char *asks, const char *sqlstate);
void bench_file(struct bench *bench, const char *asks, const char *content); /* NULL: none */
void bench_fails(struct bench *bench, enum op_kind kind, const char *asks,
	enum err_code code, enum reach reach);

/* The verdict, and a part of what is told. */
void bench_ends(const struct trial *trial, enum verdict verdict, const char *told);

/* What the provider gives to the steps that speak to AWS. */
extern const char bench_keys[];

#endif
