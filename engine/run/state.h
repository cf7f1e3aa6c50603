/* What the records of a run say: state = fold(records). run_apply is the only code that
 * changes it, live and on resume. It evaluates nothing and reads no clock: whatever came
 * from an expression, a clock or the world stands in a record. show, list, report and the
 * expressions' `steps` read it; nothing of it is needed twice.
 *
 * Times ending in _at, and `at`, are us of the owner's clock as the records hold them
 * (decide.h); 0: none. */
#ifndef RUN_STATE_H
#define RUN_STATE_H

#include "base/list.h"
#include "data/value.h"
#include "model/type.h"
#include "store/store.h"

/* how much may have happened, least first */
enum fate { FATE_NONE, FATE_PARTIAL, FATE_DOUBT, FATE_DONE };
enum outcome { OUT_NONE, OUT_OK, OUT_FAILED, OUT_SKIPPED, OUT_CANCELLED, OUT_DOUBT };
/* `how` of an outcome */
enum way { WAY_NONE, WAY_RAN, WAY_UNCHANGED, WAY_ADOPTED, WAY_RESOLVED };
enum grade { GRADE_NONE, GRADE_CHECKED, GRADE_PREDICTED, GRADE_ASSUMED, GRADE_UNKNOWN };
enum mode { MODE_RUN, MODE_DRY, MODE_DRILL, MODE_UNDO };
/* `what` of a signal */
/* LOST: a lock in a database, and with it the right to change anything. */
enum halt { HALT_NONE, HALT_CANCEL, HALT_STOP, HALT_DEADLINE, HALT_LOST };
enum ending { END_NONE, END_OK, END_FAILED, END_REFUSED, END_CANCELLED, END_OUT_OF_TIME };
enum question_kind { ASK_NOTHING, ASK_CHANGE, ASK_FAILED };
enum choice { CHOICE_NONE, CHOICE_DONE, CHOICE_FAILED, CHOICE_SKIP, CHOICE_RETRY,
	CHOICE_RETRY_AS_NEW };

/* "partial"; each gives the word of the records */
const char *fate_word(enum fate fate);
const char *outcome_word(enum outcome outcome);
const char *way_word(enum way way);
const char *grade_word(enum grade grade);
const char *mode_word(enum mode mode);
const char *halt_word(enum halt halt);
const char *ending_word(enum ending ending);          /* "out_of_time" */
const char *choice_word(enum choice choice);          /* "retry-as-new" */
int ending_exit(enum ending ending);                  /* 0, 1, 3, 5, 6 */

/* path_state.last besides enum kind */
enum { LAST_NONE = -1, LAST_REOPENED = REC_KINDS };

/* What the records say about one path: a step, an item of a loop ("a[3]"), a group, a
 * handler list ("on_failure"), an undo ("a/undo"), or "" for the run's own. Lives in the
 * state's arena and never moves. */
struct path_state {
	const char *path;
	/* the path around it: of a/b[2]/c a/b[2], of that a/b; NULL of "" */
	struct path_state *parent;
	/* in the order of their first mention */
	struct path_state *next;

	/* enum kind of its last record, LAST_NONE, LAST_REOPENED */
	int last;
	uint32_t attempt, generation;
	unsigned tries;                               /* used up, by `retry` records */
	unsigned intents;                             /* of all generations */
	/* first intent of this generation: the age of the key; -1: none */
	int64_t first_at;
	int64_t at, timeout_at;                       /* of the last intent */
	/* the body of the `own` under which it was written; NULL: no intent */
	const struct value *made_by;
	/* enum effect of the intent; -1: no intent yet */
	int effect;
	unsigned type_version;
	/* an intent without effect, retry or outcome */
	bool open;
	enum fate fate;
	/* seq at which something that may still land came up; 0: never */
	uint64_t doubted;
	bool effected;                                /* an `effect` stands */
	/* seq of the open question; 0: none */
	uint64_t ask;
	enum question_kind what;
	/* digest of what the last question showed; "" */
	const char *shown;
	const char *const *approved;                  /* what was approved: as `shown` */
	unsigned n_approved;
	/* that said yes to the open question, and who: "" is not known */
	unsigned n_answers;
	const char *const *answered;
	int64_t until_at, next_at, deadline_at;
	bool begun;
	bool late;                                    /* its deadline passed */
	/* it passed while nobody carried the run out */
	bool grace;
	int branch;                                   /* of `choose`; -1: none */
	enum outcome state;
	enum way how;
	enum grade grade;
	enum choice choice;                           /* of the last resolve */
	uint64_t ended_seq;                           /* seq of the outcome */
	bool reopened;

	/* of the first intent; NULL: none. in: recorded form */
	const struct value *in, *was;
	const struct value *saved;                    /* NULL: none */
	/* the list of a loop; NULL: no loop */
	const struct value *each;
	const struct value *outputs, *measures;       /* maps; NULL: none */
	/* of the last question or prediction; NULL: none */
	const struct value *before, *after;
	/* message of the last retry, ask or outcome; NULL */
	const char *error, *hint;
	const char *question, *word, *by, *not_by;    /* of the last ask; NULL */
	unsigned at_least;                            /* so many persons; 0: one */
	/* of the last answer or resolve; NULL */
	const char *reason;
	const struct value *answers;                 /* of a step that asks; NULL: none */
	const char *log_digest;                       /* of the attempt's output; NULL */
	uint64_t log_bytes;
	/* first begin, ask, intent or outcome; 0: not yet */
	int64_t started_at;
	int64_t ended_at;                             /* of its outcome; 0: has none */
	/* of the last ask or outcome doubt: since when a person is waited for */
	int64_t asked_at;

	/* sums over the paths below */
	/* how many of them have a fate other than none */
	unsigned touched;
	/* how many of them, and itself, wait for a person, by its scope */
	unsigned waiters;
	/* since when its clock stands still; -1: it goes */
	int64_t since;
	bool is_waiting;                              /* in run_state.waiting */
	struct link waiting;
	/* the owner's; NULL in a state that nobody carries out */
	void *seat, *timer;
	/* the owner's: when it first looked at this path */
	uint64_t ticket;
};

/* Worth knowing of a run: whose credentials it had, how far a clock is off. */
struct note {
	struct note *next;
	int64_t at;
	const char *what, *text;                      /* "identity"; for people */
	const struct value *of;                       /* for programs; NULL: nothing */
};

struct blob_source;

struct run_state {
	struct arena *mem;                            /* of all below; the caller's */
	struct arena *scratch;                        /* of one apply */
	/* of the run, of the store: for keys; set by the caller */
	struct str id, store;
	/* of records whose bodies are large; set by the caller, NULL: there are none */
	const struct blob_source *blobs;
	uint64_t seq;
	int64_t at;
	unsigned epoch;
	enum mode mode;
	/* the body of the record `run`: inputs, vars, playbook, by, of … */
	const struct value *run;
	const struct value *own;                      /* the body of the last `own` */
	/* digest of the playbook that it went on with, a text; NULL: the first one */
	const struct value *rebase;
	int64_t started_at, ended_at;
	int64_t deadline_at;
	enum halt signal;
	enum ending end;
	const struct value *end_body;                 /* NULL: has none */
	/* decided when the handlers began */
	enum ending ending;
	uint64_t reopened;                            /* seq of the last re-opening */
	int64_t reopened_at;
	const char *halt_reason;                      /* of the signal; NULL */
	/* the highest inbox id on the record */
	uint64_t last_message;
	uint64_t *messages;                     /* inbox ids on the record */
	size_t n_messages;
	unsigned predicted;                           /* paths with that grade */
	/* seq of the first outcome failed since the last re-opening; 0 */
	uint64_t first_failed;
	const struct path_state *first_failure;
	/* paths that wait for a person, in that order */
	struct link waiting;
	struct note *notes, *last_note;               /* in order; NULL: none */
	/* all paths in the order of their first mention; first is "" */
	struct path_state *first, *last;
	size_t n_paths;
	struct path_state **table;                    /* open addressing over the paths */
	unsigned bits;
};

void state_init(struct run_state *state, struct arena *mem);
void state_close(struct run_state *state);            /* frees scratch alone */
/* What carried it out is gone: nothing but the fold is left of it. `from` is closed. */
void state_move(struct run_state *to, struct run_state *from);

/* false: the body is not what this version writes (ERR_VERSION for `v` other than 1 and
 * 2), or a blob of it is not to be had; nothing was changed. Copies all it keeps. */
bool run_apply(struct run_state *state, const struct record *record, struct err *err);

/* NULL: never mentioned */
struct path_state *state_find(const struct run_state *state, const char *path);
/* made if it is not there */
struct path_state *state_path(struct run_state *state, const char *path);
/* ok, failed, skipped, cancelled */
/* as if there had been no record of it; what others hold of it stays */
void path_reset(struct path_state *path);
bool path_is_final(const struct path_state *path);
/* what the first cancel does not end: handlers and undo */
bool path_is_handler(const char *path);
/* `status` of steps.x; NULL: pending */
/* PATH/undo, and the steps of an undo list below it */
bool path_is_undo(const char *path);
/* its undo has ended well in this run */
bool path_is_undone(const struct run_state *state, const struct path_state *path);
const char *path_status(const struct run_state *state, const struct path_state *path);

/* R4: base32(SHA-256(store, run, path with its indices, generation)): the same for all
 * attempts on all hosts. */
char *path_key(struct arena *mem, const struct run_state *state,
	const struct path_state *path);

#endif
