/* One phase of one step, carried out: the type's function is handed events and answers with verdicts, its operations run
 * in slots, and at the end one verdict stands with how far the last effect got. What the verdict means for the step is
 * decided elsewhere. */
#ifndef RUN_ATTEMPT_H
#define RUN_ATTEMPT_H

#include "run/clocks.h"
#include "run/slot.h"

enum { ATTEMPT_GRACE_S = 10 };                         /* to clean up after a cancel */

struct attempt;

struct attempt_type {                                 /* what happens outside of the attempt */
	void (*ended)(struct attempt *attempt);       /* verdict, err and out stand; called once */
	void (*saved)(struct attempt *attempt, const struct value *value);  /* answer with attempt_saved */
	void (*output)(struct attempt *attempt, int fd, struct str text, bool keep);  /* of a child, masked */
	void (*progress)(struct attempt *attempt);    /* title, done, total, unit have changed */
	void (*notes)(struct attempt *attempt, const char *text);  /* step_note; NULL: nobody hears it */
	/* The boot clock is looked at before an effect: false with err, and the effect is not started. */
	bool (*may_start)(struct attempt *attempt, struct err *err);
	/* step_ask: puts the question; its answer goes to attempt->said, and the slot is stopped. false: nobody can be
	 * asked. NULL: nobody ever. */
	bool (*asks)(struct attempt *attempt, unsigned slot, const char *text);
	/* What the provider gave is to be fetched again; attempt_renewed says that it was tried. false: there is none.
	 * NULL: never. */
	bool (*renews)(struct attempt *attempt);
};

struct attempt {
	struct step step;                             /* first: a step_fn's step is its attempt */
	const struct attempt_type *outside;
	void *owner;                                  /* of who looks after the attempt */
	struct host *host;
	struct vault *vault;
	struct clocks *clocks;                        /* of far sides; NULL: none are kept */
	step_fn *fn;
	const char *phase;                            /* "run", "preview", …: for messages */
	bool reads_only;                              /* an effect is refused */
	int64_t until;                                /* boot ns: the end of the attempt */
	int64_t timeout_at; /* boot ns: when its owner ends it; 0: nobody does */
	struct slot **slots;                          /* n_slots, in step.mem; NULL: not used yet */
	unsigned n_slots;
	unsigned flying;                              /* operations that have not completed */
	bool saving, stopping, cleaning, closing, over;
	int64_t clean_until;                          /* while cleaning */
	enum verdict verdict;                         /* the final one, STEP_WAIT before */
	struct err err;                               /* where step.err points */
	bool any_effect;                              /* an effect operation has completed */
	enum reach reach;                             /* of the last effect operation to complete */
	unsigned left;                                /* processes that could not be ended */
	const char *title;
	uint64_t done, total;
	const char *unit;
	struct str said;                              /* the answer to the last step_ask */
};

/* The step's fields that are the caller's to fill in stand already: type, in, was, saved, … ; mem, state and err are
 * made here. Nothing ends from inside: the first `ended` may come from here, though, where a step needs no operation. */
void attempt_start(struct attempt *attempt, step_fn *fn, struct now now);
void attempt_saved(struct attempt *attempt, struct now now);
/* Ends what is in flight; then the step may clean up for ten seconds. */
void attempt_cancel(struct attempt *attempt);
/* The next moment at which attempt_tick must be called (boot ns), INT64_MAX: none. */
int64_t attempt_due(const struct attempt *attempt);
void attempt_tick(struct attempt *attempt, struct now now);
void attempt_renewed(struct attempt *attempt);
/* A slot's operation has completed and stands in slot->op. For slot.c. */
void attempt_completed(struct attempt *attempt, struct slot *slot);
struct now attempt_now(const struct attempt *attempt);

#endif
