/* What a step type is, as data: validate, plan, schema, `rbx steps` and the resume
 * decision read it; only run/ calls into it. It stands in model/ because a playbook
 * cannot be understood without it. The list is handed down from main. */
#ifndef MODEL_TYPE_H
#define MODEL_TYPE_H

#include "data/field.h"

enum effect { PURE, IDEMPOTENT, KEYED, PROBED, ONCE, REPEATABLE };

enum verdict {
	/* at least one operation is in flight */
	STEP_WAIT,
	/* it is so; step->out is set. preview: out is {before, after}, equal = nothing
	 * to do */
	STEP_DONE,
	/* probe only: certainly not there */
	STEP_ABSENT,
	/* the other side refused, or nothing was sent: nothing changed */
	STEP_FAIL,
	/* it answered, and something may have changed: exit code 1 */
	STEP_PARTIAL,
	STEP_DOUBT,                                   /* cannot be known from here */
/* a final verdict stops what is in flight; it counts once all of it has completed */
};

struct step;
struct event;
typedef enum verdict step_fn(struct step *step, const struct event *event);

/* A value that several steps need and no record may hold: credentials, a token, a
 * secret. Fetched once per key and run, one fetch at a time, kept in locked memory,
 * renewed 5 minutes before out.valid_until. In `run`, step->got is what `uses` gave and
 * step->saved what this one gave before in this run, NULL at first. out.identity, a map
 * with `text` for people, says whose it is, and goes on the record. */
struct provider {
	const char *name; /* of a source of secrets: its key in `secrets` */
	const struct field *in;
	bool (*key)(const struct value *in, struct buf *key, struct err *err);
	const struct provider *uses;
	size_t state;
	step_fn *run;                                 /* reads only */
};

/* What people ask of a type that knows more than its fields: `rbx NAME WORD…`. */
struct asked {
	const char *const *words;
	size_t n;
	bool classes; /* the effects of all that it can do */
};

struct explained { struct buf text; struct value value; }; /* for people, for programs */

struct step_type {
	const char *name, *summary;
	/* raised when the meaning of recorded in, was or saved changes */
	unsigned version;
	const struct field *in, *out;
	enum effect effect;                           /* the worst case */
	enum effect (*effect_of)(const struct value *in);   /* NULL: effect holds */
	/* of an attempt, ns; 0: none (manual, wait) */
	int64_t timeout;
	/* KEYED: how long the far side remembers the key, less a margin; ns */
	int64_t window;
	const struct provider *uses;
	/* sources of secrets that come with the type, for `secrets` of a playbook: what
	 * they give has the member `value`. Ended by NULL; NULL: none */
	const struct provider *const *secrets;
	/* whether `uses` is needed; NULL: always */
	bool (*uses_if)(const struct value *in);
	/* private bytes, zeroed, in the attempt's arena */
	size_t state;
	/* operations in flight at once, 0 = 1, at most 32 */
	unsigned slots;
	/* a check: always PURE, may stand in trigger and preconditions */
	bool is_check;
	/* it is a question to a person: asked like a confirm, then run with the
	 * answers in step->got */
	bool asks;
	/* of a type that asks: the answers in their final form; pure. false: err says
	 * which is wrong and what was expected */
	bool (*answers)(struct arena *mem, const struct value *in,
		const struct value *given, struct value *out, struct err *err);
	/* whether what it did has to be waited for by `settle`; NULL: always where there
	 * is one. Of constant arguments, as are the next two */
	bool (*settles)(const struct value *in);
	/* how often a check asks again without the author's `every`, ns; 0: once */
	int64_t (*every_of)(const struct value *in);
	/* what expressions see of its results, where the arguments say more of them than
	 * `out`; may give NULL */
	const struct expr_type *(*out_type)(struct arena *mem, const struct value *in);
	/* the author may write `effect:` (exec, ssh, http_request, sql, aws, azure) */
	bool takes_effect;
	bool takes_accept;                            /* its results have `code` */
	/* `undo: auto` is possible; `undo` where it is carried out */
	bool can_undo;
	/* what fields cannot say; pure; parts may be UNKNOWN */
	bool (*check)(const struct value *in, struct diags *diags);
	/* reads only: {before, after}; dry run, confirm, and before the intent if undo
	 * is auto */
	/* NULL: always. Else the preview can tell something of these arguments only, and is
	 * then asked before the first attempt too: is there anything to do? */
	bool (*looks_if)(const struct value *in);
	step_fn *preview;
	/* reads only: DONE with out, ABSENT, or DOUBT; PROBED requires it */
	step_fn *probe;
	/* the effect, and nothing after it. NULL: known, not in this version */
	step_fn *run;
	/* reads only: wait until the effect holds (INSYNC, available); repeated at
	 * will */
	step_fn *settle;
	/* back to was, guarded: if the world is neither was nor ours, STEP_FAIL */
	step_fn *undo;
	/* NULL: its fields say all. ERR_UNKNOWN_NAME */
	bool (*explain)(struct arena *mem, const struct asked *asked,
		struct explained *out, struct err *err);
	/* What an attempt that was given up left in the world, as `saved` names it, for
	 * `rbx gc`. leftover reads only: DONE with out = {what: text for people, bytes?},
	 * or ABSENT; sweep removes it. `in` is as it was recorded, secrets absent; limits
	 * and was are NULL. Both or neither. */
	step_fn *leftover, *sweep;
	/* Of an attempt that saved nothing and may have begun something all the same.
	 * Reads only: DONE with a list of {at, id, saved}: when it was begun, what it is
	 * called, and what would have been saved of it; perhaps of others too. NULL: it
	 * saves first */
	step_fn *astray;
	/* what the arena does not own; exactly once, no operation in flight */
	void (*drop)(struct step *step);
};

/* The type of that name, or NULL. Sorted, ended by NULL. */
const struct step_type *
step_type_find(const struct step_type *const *types, struct str name);

/* The source of secrets of that name, or NULL. */
const struct provider *
secret_source_find(const struct step_type *const *types, struct str name);

#endif
