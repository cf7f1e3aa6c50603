/* The imperative half of a run, as its files share it: run.c turns the loop, phase.c carries out what was decided, scope.c
 * and asker.c answer with expressions, secrets.c fetches what no record may hold. Internal to run/. */
#ifndef RUN_SHELL_H
#define RUN_SHELL_H

#include "run/attempt.h"
#include "run/decide.h"
#include "run/run.h"

struct frame;
struct job;
struct pending;
struct ids;
struct later;
struct renewal;
struct secret_want;

/* A secret of a playbook, and what it was fetched from. */
struct fetched {
	struct fetched *next;
	const struct playbook *book;
	const struct secret_ref *ref;
	struct value from;                            /* ref->from, evaluated */
	const char *key;                              /* the same for what has the same source */
	const struct value *limits;                   /* within which a provider is asked; NULL */
	const struct secret *secret;                  /* NULL: not yet */
	int64_t at;                                   /* boot ns: when its fetch began */
};

struct secret_output {
	struct secret_output *next;
	const char *path, *name;
	struct value value;
};

/* What an operation came to, until it is decided about. */
struct letter {
	struct letter *next;
	struct news news;
	struct job *job;                              /* its attempt's memory goes when it has been read; NULL */
};

struct shell {
	struct host *host;
	struct store *store;
	const struct playbook *book;
	const struct run_options *options;
	struct observer *observer;
	struct arena *mem;                            /* the run's */
	struct vault *vault;
	struct run_state state;
	const struct run_state *of;                   /* the run that this one undoes; NULL */
	struct owner *owner;
	struct asker asker;
	struct ids *ids;                              /* scope.c: nodes by file and id */
	struct frame *frames;                         /* one for each called playbook that was begun */
	struct fetched *secrets, **secrets_end;
	struct renewal *renewals;                     /* of secrets, under way: renew.c */
	struct secret_want *wants;                    /* that wait for one of them */
	struct limits *limits;                        /* of each playbook: limits.c */
	struct secret_output *secret_outputs;
	bool no_steps;                                /* locks are being named: no step can be read */
	struct claim *claim;
	struct hold *holds;                           /* locks in databases; hold.c */

	struct pending *next, *flying;                /* the batch that is being made, and the one in flight */
	struct op append;
	struct waiter append_done;
	struct letter *letters, **letters_end;
	struct link jobs;
	struct chunk_list *chunks;
	struct clocks clocks;                         /* of far sides */
	struct grants *grants;                        /* what providers gave */
	struct later *later;                          /* memory that goes when nothing is on the stack */

	struct waiter inbox_read, inbox_slept;
	struct op inbox_op, inbox_sleep;
	struct arena *inbox_mem;
	uint64_t inbox_after;
	bool inbox_busy, inbox_sleeps;

	unsigned signals;                             /* INT and TERM that came */
	bool full, refused;                           /* the store is; an effect was refused for it */
	const char *unlocked;                         /* why a lock is lost; NULL: none is */
	bool leaving;                                 /* `exit` is decided */
	bool lost;                                    /* fenced, or the store is broken */
	int exit;
	struct err *err;                              /* of the caller */
};

/* What is on record of a path: in a run that undoes another, also what that left. NULL: nothing. */
const struct path_state *shell_path(const struct shell *shell, const char *path);
const struct node *shell_node(const struct shell *shell, const char *path);  /* of a path with indices */
struct now shell_now(const struct shell *shell);
int64_t shell_time(const struct shell *shell);         /* us of the owner's clock */
void shell_tell(struct shell *shell, struct news news, struct job *job);
/* For the record, once: the same words are not noted again. `of` NULL: nothing for programs. */
void shell_note(struct shell *shell, const char *what, const char *text, const struct value *of);

void shell_later(struct shell *shell, struct arena *mem);
void shell_chunk(struct shell *shell, const struct chunk *chunk);
size_t shell_chunks(const struct shell *shell);       /* bytes that wait for the store */

/* phase.c */
void phase_start(struct shell *shell, const struct act *act, int64_t decided_boot);
/* Of a check, before there is an owner; until: boot ns. See shell_answer. */
void phase_ask(struct shell *shell, const struct act *act, int64_t until);
/* jobs.c: what is under way */
void phase_saved(struct shell *shell, const char *path);
bool phase_kill(struct shell *shell, const char *path);  /* false: nothing is in flight there */
void phases_tick(struct shell *shell);
void phase_kill_link(struct shell *shell, struct link *link);
int64_t phases_due(const struct shell *shell);
/* phase.c */
void job_free(struct job *job);

/* An output that no record may hold lives as long as the process. NULL: there is none. */
void shell_keep_secret(struct shell *shell, const char *path, const char *name, const struct value *v);
const struct value *shell_secret(const struct shell *shell, const char *path, struct str name);

/* asker.c */
void asker_init(struct shell *shell);

#endif
