/* A whole run on the scripted host, with the engine's own loop and a store in memory:
 * nothing leaves the process, and no time passes but by waiting. */
#ifndef TESTS_FAKE_WHOLE_H
#define TESTS_FAKE_WHOLE_H

#include "host.h"
#include "memory.h"
#include "run/run.h"

struct whole {
	struct observer observer;                     /* first */
	struct loader loader;
	struct arena *mem;
	struct fake *fake;
	struct host *host;
	struct store *store;
	const char *names[8], *texts[8];              /* of files */
	size_t n_files;
	struct buf said; /* what was told of the run, one a line */
	struct run_options options;                   /* of whole_run and whole_resume */
	const char *run;                              /* its id, after whole_run */
	struct err err;
	/* Called for each record that is durable; NULL: not. */
	void (*record)(struct whole *whole, const struct record *record);
};

void whole_open(struct whole *whole, struct arena *mem);
/* A playbook from its text. */
const struct playbook *whole_book(struct whole *whole, const char *text);
/* One that a playbook calls; before whole_book. */
void whole_file(struct whole *whole, const char *name, const char *text);
/* The exit status. Inputs have their defaults. */
int whole_run(struct whole *whole, const struct playbook *book);
int whole_resume(struct whole *whole, const struct playbook *book);
/* What is on record from the record `from` (1: the first) on, one a line: "kind path" and
 * the state of those that have one. Runs, owners and notes are left out. */
const char *whole_trace(const struct whole *whole, uint64_t from);

#endif
