/* The owner of a run decides: run_decide(news) -> records and acts. It is pure: it reads
 * no clock, file or socket, and asks the expression engine only through `struct asker`.
 * What it decides it applies at once to the folded state (state.h); what is in flight
 * stands in the owner alone, and a resume never needs it. Acts start when their records
 * are durable; one that only reads has none, and starts when what it follows from is.
 *
 * One time: us. The owner's clock is the wall clock at its claim, carried on by the boot
 * clock (suspend included): it never steps. Records are stamped with it, deadlines and
 * timers are judged by it. If the wall clock stands behind the last record, it goes on
 * from that record. */
#ifndef RUN_DECIDE_H
#define RUN_DECIDE_H

#include "model/playbook.h"
#include "run/state.h"

enum phase { PHASE_PROVIDE, PHASE_LOOK, PHASE_CHECK, PHASE_RUN, PHASE_SETTLE, PHASE_PROBE,
	PHASE_ORPHANS, PHASE_UNDO };
const char *phase_word(enum phase phase);

/* Where an owner stands with one step; ended is final, doubt waits for a person. */
enum stand {
	STAND_NEW, STAND_WAITING, STAND_READY, STAND_PROVIDE, STAND_LOOK, STAND_ASK,
	STAND_CHECK, STAND_RUN, STAND_SETTLE,
	STAND_PROBE, STAND_BACKOFF, STAND_ENDING, STAND_DOUBT, STAND_FINAL,
};
const char *stand_word(enum stand stand);

/* what a question of the owner is about */
struct place {
	const struct node *node;
	/* with indices: loops around it are found by state->parent */
	const char *path;
	struct path_state *state;
	/* an item of node's own loop: `each` of the parent holds the list */
	bool is_item;
	bool is_undo;                                 /* PATH/undo of the node */
};

/* UNKNOWN: needs what only a real run gives */
enum answer { ANSWER_NO, ANSWER_YES, ANSWER_UNKNOWN, ANSWER_ERROR };

/* the arguments of a step, evaluated */
struct prepared {
	struct value in;                              /* recorded form */
	enum effect effect;                           /* its class by these arguments */
};

struct question {
	const char *text, *word, *by, *not_by;
	unsigned at_least;
	/* ns, of a step that asks; 0: that of the node's confirm */
	int64_t within;
};

/* Everything that needs expressions. Each answers at once; texts and values live in mem.
 * ANSWER_ERROR sets err. */
struct asker {
	enum answer (*when)(const struct asker *asker, const struct place *place,
		struct err *err);
	/* for_each: the list; more than 10,000 items is an error. Unknown in a dry run:
	 * no items are carried out. */
	enum answer (*each)(const struct asker *asker, const struct place *place,
		struct arena *mem, struct value *list, struct err *err);
	/* choose: the number of the first branch that holds; ANSWER_NO: none. */
	enum answer (*branch)(const struct asker *asker, const struct place *place,
		int *branch, struct err *err);
	/* Of a change once, before its first attempt; of a check before each asking. A
	 * retry uses the recorded input and is not asked here. YES, UNKNOWN, ERROR. */
	enum answer (*input)(const struct asker *asker, const struct place *place,
		struct arena *mem, struct prepared *out, struct err *err);
	/* The text of a confirm, or of a step whose type asks; before and after are NULL
	 * without preview. */
	enum answer (*question)(const struct asker *asker, const struct place *place,
		const struct value *before, const struct value *after, struct arena *mem,
		struct question *out, struct err *err);
	/* A group (a called playbook too) or a loop has ended with `state`: its outputs
	 * and measures (NULL kind: none). An error makes an ok a failed. */
	enum answer (*close)(const struct asker *asker, const struct place *place,
		enum outcome state, struct arena *mem,
		struct value *outputs, struct value *measures, struct err *err);
	/* The end of the run: members to add to its body (outputs, measures, objectives).
	 * green: a drill met its objectives. */
	void (*end)(const struct asker *asker, enum ending ending, struct arena *mem,
		struct value *members, bool *green);
	void *with;
};

/* What an operation came to, as the shell hands it to the owner. Zeroed is: STEP_WAIT,
 * which is a bug; set what applies. Pointers live as long as the call. */
struct result {
	/* DONE, ABSENT (probe), FAIL, PARTIAL, DOUBT */
	enum verdict verdict;
	/* of the last effect operation to complete */
	enum reach reach;
	/* with FAIL: the same may go well in a moment */
	bool transient;
	/* step_save: `saved` is to be recorded, the attempt goes on; no verdict */
	bool save;
	/* a check answered and does not hold (expect, until, assert; "not yet") */
	bool not_held;
	/* its fail_if is true: no further asking */
	bool fail_if;
	/* of a change or its settle: done, but an assert or an output fails */
	bool assert_failed;
	/* a look: before equals after, nothing to do */
	bool same;
	/* a look: the type cannot tell, it only shows what would be done */
	bool assumed;
	/* a look: digest of before and after */
	const char *shown;
	/* nothing was tried, for nothing new may start: it uses up no try */
	bool refused;
	/* processes that cannot be ended: of the orphans, or of the attempt */
	unsigned left;
	const struct value *before, *after;           /* of a look */
	/* with DONE; already scrubbed; secret ones are not among them */
	const struct value *outputs, *measures;
	const struct value *saved;
	/* dry run: what it could not know; NULL */
	const struct value *unknown;
	/* with FAIL, PARTIAL, DOUBT, not_held, assert_failed; NULL otherwise */
	const struct err *err;
	const char *log_digest;                       /* NULL: no output */
	uint64_t log_bytes;
};

enum news_kind { NEWS_START, NEWS_CLAIM, NEWS_OP, NEWS_DUE, NEWS_TIMEOUT, NEWS_DEADLINE,
	NEWS_MESSAGE, NEWS_NOTE, NEWS_LOST };

struct news {
	enum news_kind kind;
	enum mode mode;                               /* START */
	/* CLAIM: "resume", "takeover", "reopen" */
	const char *why;
	/* CLAIM: --deadline, ns; 0: as it stands */
	int64_t deadline;
	/* members to add to the bodies of `run` and `own`; NULL: none */
	const struct value *run, *own;
	/* CLAIM: the members of `rebase`: it goes on with another playbook; NULL: it does
	 * not */
	const struct value *rebase;
	/* OP, DUE, TIMEOUT, DEADLINE ("": the run's) */
	const char *path;
	const struct result *result;                  /* OP */
	const struct message *message;
	/* LOST: a lock is lost, text: which and why. NOTE: members of its body: what, text,
	 * and `of`: what programs read; NULL */
	const char *note, *text;
	const struct value *of;
	/* CLAIM: what waits in the inbox; a `resolve` among it is taken before an open
	 * intent is decided about */
	const struct message *messages;
	size_t n_messages;
};

/* Bodies of messages, with `reason` in each:
 *   {do: cancel} {do: stop}            after: the last seq that the sender saw
 *   {do: approve, step, ask, yes}      ask: seq of the question (left out: the open one);
 *                                      word: as typed; answers: of a step that asks
 *   {do: resolve, step, choice}        outputs: with the choice `done` */
enum act_kind {
	/* start `phase` of the step; answer by NEWS_OP */
	ACT_OP,
	/* the save is durable: the attempt in flight goes on (EV_SAVED) */
	ACT_SAVED,
	/* end what is in flight at the path; it still answers by NEWS_OP. At once */
	ACT_KILL,
	/* leave with `code`; 4: a person is needed and nothing else can go on */
	ACT_EXIT,
};

struct act {
	enum act_kind kind;
	enum phase phase;
	/* of ACT_OP; of UNDO and of orphans before it: the node that is undone */
	const struct node *node;
	const char *path;
	struct path_state *state;
	/* of PHASE_UNDO and the orphans before it: what the step that is undone left on
	 * record (in, was, saved, outputs), of this run or of the one in options.of */
	const struct path_state *undone;
	uint32_t attempt;
	/* owner's clock; owner_boot gives boot ns; 0: none */
	int64_t timeout_at;
	/* seq of the last record that it may rest on: what it follows from (R2) is not
	 * later. What only reads starts when that one is durable */
	uint64_t after;
	/* boot ns of its turn, by which one that waited too long is not started; set by
	 * who carries it out */
	int64_t decided;
	/* ACT_OP of a check: its arguments as `input` gave them; of a change see
	 * state->in once it has an intent, before that these; NULL: constant */
	const struct value *in;
	int code;
};

/* all of it lives in the arena that run_decide was given */
struct turn {
	/* seq, at, boot, kind, path, attempt, body; hashes are the store's */
	struct record *records;
	struct act *acts;
	struct blob *blobs;                           /* of the records */
	size_t n_records, n_acts, n_blobs;
};

struct owner_options {
	/* a person can answer here: wait instead of leaving with 4 */
	bool tty;
	/* paths of gates that may fail in this run, NULL-ended; may be NULL */
	const char *const *overrides;
	const char *const *reasons;                   /* one for each */
	/* questions that want no word, group or second person are answered at once, in
	 * the name of this user */
	bool yes;
	uint32_t uid;
	const char *user, *host, *person, *known_by;
	/* the run that a run of the mode `undo` takes back, folded; NULL else */
	const struct run_state *of;
};

struct owner;
struct owner *owner_new(struct arena *mem, const struct playbook *book,
	struct run_state *state,
	const struct asker *asker, const struct owner_options *options);

/* One turn. The records are already applied to the state when it returns. */
void run_decide(struct owner *owner, const struct news *news, struct now now,
	struct arena *mem, struct turn *turn);

/* The next due thing as boot ns, INT64_MAX: none. Changes with every turn only. */
int64_t owner_next(const struct owner *owner);
/* The first thing that is due at `now` as news: TIMEOUT, DUE or DEADLINE; false: none.
 * One turn each. */
bool owner_due(struct owner *owner, struct now now, struct news *out);
/* us of the owner's clock */
/* The terminal is gone: from the next turn on it is a run without one. */
void owner_alone(struct owner *owner);
int64_t owner_time(const struct owner *owner, struct now now);
/* boot ns of a time of the owner's clock */
int64_t owner_boot(const struct owner *owner, int64_t at);

bool node_asks(const struct node *node);              /* it is nothing but a question */

/* For the live view: every step that this owner has looked at and that has not ended, in
 * the order in which it did. */
struct live_view {
	const struct node *node;
	const struct path_state *state;
	enum stand stand;
	/* of the operation in flight, if in_flight */
	enum phase phase;
	bool in_flight;
	/* since: when the operation was started */
	int64_t since, due_at;
};
void owner_each_live(const struct owner *owner, void (*each)(const struct live_view *view,
	void *with), void *with);

/* Whether `resume` may claim it, and how ("resume", "reopen"). false: err says why not
 * (ended as ok or refused, undone, a `finally` changed something, out of time without
 * `deadline`). */
bool state_may_resume(const struct run_state *state, int64_t now_us, bool has_deadline,
	const char **why,
	struct err *err);

#endif
