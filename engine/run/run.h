/* Carrying a playbook out: what commands call. The loop, its records and the steps live below; a command hands in what it
 * has opened and read, gets the exit status of design.md, and sees everything through an observer. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "run/decide.h"

/* Who watches the run. Any of them may be NULL; none may block. Strings live as long as the call. */
struct observer {
	/* The run has its id, and `owner` and `state` may be looked at from now on in each call. */
	void (*opened)(struct observer *observer, const struct playbook *book, const struct run_state *state,
		const struct owner *owner);
	/* A record is durable. The state may be further on. */
	void (*record)(struct observer *observer, const struct record *record);
	void (*started)(struct observer *observer, const char *path, const struct node *node, enum phase phase,
		uint32_t attempt);
	void (*progress)(struct observer *observer, const char *path, const char *title, uint64_t done,
		uint64_t total, const char *unit);
	void (*output)(struct observer *observer, const char *path, int fd, struct str text);   /* masked */
	/* Before each wait of the loop: draw, and read keys. Returns ns until it wants to be called again at the
	 * latest, INT64_MAX: only when something happens. */
	int64_t (*tick)(struct observer *observer, struct now now);
	/* An answer of the person at the terminal, as the body of a message ({do, step, …}, see commands); false: none. */
	bool (*answer)(struct observer *observer, struct arena *mem, struct str *body);
	/* A line is wanted of the person, a one-time code for instance: `text` says which. NULL: no more. */
	void (*ask)(struct observer *observer, const char *text);
	bool (*said)(struct observer *observer, struct arena *mem, struct str *line);   /* what was typed; false: nothing yet */
	void (*hung_up)(struct observer *observer);   /* the terminal is gone */
	void (*told)(struct observer *observer, enum diag_level level, const struct err *err);  /* of the run, not of a step */
};

struct run_options {
	enum mode mode;
	const char *id;                               /* of run_id, where inputs have read it; NULL: a new one */
	const struct value *inputs;                   /* judged by inputs_apply; runs as their ids */
	const char *const *overrides, *const *reasons;/* NULL-ended, one reason for each; NULL */
	bool yes;                                     /* answers each confirm that wants no word and no group */
	bool no_wait;                                 /* leave with 4 also at a terminal */
	bool tty;                                     /* a person can answer here */
	bool wait_for_locks;
	const char *of;                               /* mode undo: the run that is undone */
	int64_t deadline;                             /* resume: ns from now; 0: as it stands */
	const char *reason;                           /* resume: for the record; NULL */
	/* resume: `book` is a corrected one, and this the one that it takes the place of,
	 * by run_book; what may not change is told to diags. NULL: book is that of the
	 * run. */
	const struct playbook *instead_of;
	struct diags *diags;
	struct observer *observer;                    /* NULL: nobody */
	/* The run as it was left, folded, in `mem`: the caller's, to be closed. Its seq
	 * is 0 where the records may say otherwise (the store or the run was lost). NULL:
	 * not wanted. */
	struct run_state *left;
};

/* A new id of a run: [a-z][a-z0-9-]{0,19}, fit for names in clouds. */
const char *run_id(struct host *host, struct arena *mem);

/* All of them return the exit status: 0 done, 1 failed, 2 wrong input, 3 refused or a secret is missing, 4 a person is
 * needed, 5 cancelled, 6 out of time, 75 held by another. `err` says why where no record does (2, 3 before the start, 75):
 * its code is ERR_NONE otherwise. `run` gets the id, in mem; NULL: nothing began and nothing is on record. */
int run_start(struct host *host, struct store *store, const struct playbook *book,
	const struct run_options *options, struct arena *mem, const char **run, struct err *err);
/* `book` from run_book, or options->instead_of is. With an error in options->diags err
 * says so in short. */
int run_resume(struct host *host, struct store *store, const char *run, const struct playbook *book,
	const struct run_options *options, struct arena *mem, struct err *err);

/* The playbook of a run as it was stored, at the start or by the last resume that brought
 * another one, with all that it includes. NULL: err or diags say why. */
const struct playbook *run_book(struct store *store, const char *run, const struct step_type *const *types,
	struct arena *mem, struct diags *diags, struct err *err);
/* The folded state of a run, from the store. Blocks. */
bool run_fold(struct store *store, const char *run, struct arena *mem, struct run_state *state, struct err *err);
/* What came to the records since. */
bool run_fold_on(struct store *store, const char *run, struct run_state *state, struct err *err);

/* The newest run of the playbook `of` that ended as done: a real one, a drill where `drill`.
 * false with ERR_NOT_FOUND: there is none. Blocks; state_close when it is not needed. */
bool run_former(struct store *store, const char *of, bool drill, struct arena *mem, struct run_state *state,
	struct err *err);

/* What an input of type run holds: {id, status, started, ended, inputs, outputs, measures, steps}. `text`: an id, or "last"
 * (the newest real run of `of` that ended as done; the newest drill where `drill`). false with ERR_NOT_FOUND: none. */
bool run_earlier(struct store *store, struct str text, const char *of, bool drill, struct arena *mem,
	struct value *out, struct err *err);

#endif
