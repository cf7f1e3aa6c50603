/* A playbook understood: every name resolved, every expression compiled and checked,
 * every form judged. Pure. It lives in one arena, is never changed, and is what the
 * engine, the plan, the graph and the schema of inputs read. */
#ifndef MODEL_PLAYBOOK_H
#define MODEL_PLAYBOOK_H

#include "data/template.h"
#include "model/type.h"

enum node_kind {
	NODE_STEP,
	NODE_ASSERT,
	NODE_BLOCK,
	NODE_PARALLEL,
	NODE_CHOOSE,
	NODE_PLAYBOOK
};
enum on_error {
	ON_ERROR_UNSET,
	ON_ERROR_STOP,
	ON_ERROR_CONTINUE,
	ON_ERROR_UNDO,
	ON_ERROR_ASK
};
enum undo_kind { UNDO_NONE, UNDO_AUTO, UNDO_STEPS };
/* which list of the playbook a node stands below */
enum part {
	PART_TRIGGER,
	PART_PRECONDITIONS,
	PART_STEPS,
	PART_ON_WAITING,
	PART_ON_SUCCESS,
	PART_ON_FAILURE,
	PART_FINALLY,
	PARTS,
};

struct named_expr {                                   /* of outputs and measures */
	const char *name;
	const struct expr *expr;
};

struct assertion {
	const struct expr *check;
	/* NULL: the text of the expression */
	const struct template *message;
};

/* times in ns */
struct retry { unsigned attempts; int64_t delay, max_delay; double backoff, jitter; };
struct samples { unsigned count, pass; int64_t every; };

struct confirm {
	const struct template *text, *word;
	const char *by, *not_by;
	unsigned at_least;
	int64_t within;
};

struct branch {                                       /* of choose */
	const struct expr *when;                      /* NULL: otherwise */
	struct node *const *steps;
	size_t n_steps;
	const struct named_expr *outputs;
	size_t n_outputs;
	struct mark at;
};

/* for_each; `in` gives a list */
struct each { const struct template *in; const char *as; unsigned at_once; };

/* The scope of names in which a node's expressions were compiled: which number each
 * root has, -1: not here. All expressions of a node share the numbers, so one scope of
 * values serves them. Where loops stand in loops `item` is that of the nearest, item +
 * 1 that of the loop around it, and so on. `env` serves template_restore. */
struct scope_names {
	struct expr_env env;
	int inputs, objectives, run, vars, secrets, now, steps, step, self, outputs,
		failure, waiting, index, item;
	unsigned n_items;
};

/* What a trigger or precondition reads: asked after those, if they hold. */
struct gate_read { const struct node *node; struct gate_read *next; };

struct node {
	const char *id;
	struct mark at;                               /* of the id */
	enum node_kind kind;
	enum part part;
	const struct step_type *type;                 /* of NODE_STEP; also of probes */
	/* The group around it; NULL in a list of the playbook itself. Of a called
	 * playbook's top nodes: the NODE_PLAYBOOK step. Of undo steps, preconditions
	 * and the probe: the step to which they belong. */
	struct node *parent;
	/* the one in whose file it stands */
	const struct playbook *book;
	/* unique in the whole tree of books, in the order of the page */
	unsigned number;

	/* of a STEP: the argument map with `defaults` filled in */
	const struct template *args;
	bool args_constant;
	/* its effect is waited for; so long, ns, 0: by timeout */
	bool settles;
	int64_t settle_timeout;
	const struct expr *when, *until, *fail_if;
	const struct assertion *asserts;
	size_t n_asserts;
	const struct named_expr *outputs, *measures;
	size_t n_outputs, n_measures;
	const struct each *each;
	const struct confirm *confirm;
	struct node *const *preconditions;            /* of a change */
	size_t n_preconditions;
	int64_t timeout, deadline, every;             /* ns; 0: none */
	struct retry retry;
	bool retry_written;
	const struct samples *samples;
	const struct value *accept;                   /* a list; NULL */
	/* the author's enum effect; -1: none */
	int effect;
	/* by type, constant arguments and author: the worst case that is left */
	enum effect class;
	struct node *probe;                           /* a check with `done` */
	/* it is asked before the first attempt too: is there anything to do? */
	bool probe_looks;
	const struct expr *done;                      /* of a probe node */
	enum undo_kind undo;
	bool undo_written;
	struct node *const *undo_steps;
	size_t n_undo_steps;
	struct node *const *finally;                  /* of a block */
	size_t n_finally;
	enum on_error on_error;
	const unsigned *needs;                        /* places in parent->members */
	size_t n_needs;
	/* of BLOCK, PARALLEL; of PLAYBOOK: its steps */
	struct node *const *members;
	size_t n_members;
	const struct branch *branches;                /* of CHOOSE */
	size_t n_branches;
	const struct playbook *called;                /* of PLAYBOOK */
	const struct template *call_inputs;           /* map of its inputs */
	bool call_dry_run;
	/* of arguments, when, outputs … of this node */
	const struct scope_names *names;
	struct gate_read *gate_reads;                 /* NULL: none */
};

struct input {
	const char *name, *type, *help, *pattern, *of;/* of: for type run */
	/* the default as written; NULL: required */
	const struct value *otherwise;
	const struct template *otherwise_template;
	const struct value *words;                    /* enum; NULL */
	const struct value *least, *most;
	struct mark at;
};

enum secret_source {
	SECRET_ENV,
	SECRET_FILE,
	SECRET_COMMAND,
	SECRET_PROVIDED /* by a source that comes with a step type */
};
struct secret_ref {
	const char *name;
	enum secret_source source;
	/* text; a list for COMMAND; the provider's arguments for PROVIDED */
	const struct template *from;
	const struct provider *provider;              /* of PROVIDED; NULL else */
	const char *field;
	int64_t max_age;                              /* ns; 0: the run */
	struct mark at;
};

struct named_template { const char *name; const struct template *value; struct mark at; };
struct objective {
	const char *name;
	bool is_duration;
	double number;
	int64_t ns;
	struct mark at;
};
struct lock_ref {
	const struct template *name;
	const struct template *postgres;
	struct mark at;
};
struct follow_up { int64_t within; const struct template *text; };
struct contact { const char *role, *how; };

struct drill {
	const struct named_template *inputs;
	size_t n_inputs;
	bool real, undo, confirm, written;
	const char *const *leaves;                    /* NULL-ended */
	int64_t every;
};

struct part_list { struct node *const *nodes; size_t n; };

struct playbook {
	const char *name, *summary, *owner;
	const char *file, *folder;                    /* as named; absolute folder */
	const struct source *source;
	const struct contact *contacts; size_t n_contacts;
	const struct objective *objectives; size_t n_objectives;
	const struct input *inputs; size_t n_inputs;
	const struct secret_ref *secrets; size_t n_secrets;
	const struct named_template *vars; size_t n_vars;
	const struct lock_ref *locks; size_t n_locks;
	const struct follow_up *follow_ups; size_t n_follow_ups;
	int64_t deadline, handlers;                   /* ns; defaults 24h, 10m */
	unsigned parallel;
	/* as written, evaluated form; for accounts, regions, addresses */
	const struct value *limits;
	struct part_list parts[PARTS];
	const struct named_expr *outputs; size_t n_outputs;
	struct drill drill;
	const struct value *on;                       /* schedule, drill, trigger; NULL */
	/* all that it includes, each once */
	const struct playbook *const *called; size_t n_called;
	const struct scope_names *names;              /* of vars, outputs, locks … */
	/* every node by its number, those of called playbooks too */
	struct node *const *nodes; size_t n_nodes;
	/* the same by book and id, open addressing; NULL while loading */
	const struct node *const *named;
	unsigned named_bits;
};

/* How the loader reads files: the bytes, already checked for owner and mode by the
 * host. A called playbook is asked for by its path. false: err is set. */
struct loader {
	bool (*read)(const struct loader *loader, const char *path, struct str *bytes,
		char **full_path, struct err *err);
	const struct step_type *const *types;
	void *with;
	/* of files that a step reads: a warning; NULL: not asked */
	bool (*exists)(const struct loader *loader, const char *path);
};

/* NULL: errors are in diags (warnings and notes may be there otherwise as well). */
const struct playbook *playbook_load(struct arena *mem, const char *path,
	const struct loader *loader, struct diags *diags);

/* "database/lag", "layers[0]/promote" without indices: the node of a path, NULL if
 * there is none. */
const struct node *playbook_node(const struct playbook *book, struct str path);

/* When `nodes` is complete: makes `named`, so that playbook_node() does not look at
 * every node. */
void playbook_index(struct playbook *book, struct arena *mem);
/* What a node's class is by type, arguments and `effect:`; `in` NULL: the worst case. */
enum effect node_effect(const struct node *node, const struct value *in);
const char *effect_name(enum effect effect);
/* Every place that needs what this version does not carry out (types without `run`):
 * added as notes. */
size_t playbook_unsupported(
	const struct playbook *book, struct diags *diags, enum diag_level level);

/* Inputs: texts by name (from -i) and values (from --inputs), judged by type, defaults
 * filled in; all errors in diags. */
struct input_given {
	const char *name;
	struct str text;
	const struct value *value;
	struct mark at;
};
bool inputs_apply(const struct playbook *book, const struct input_given *given, size_t n,
	const struct expr_scope *scope, int64_t now_us, struct arena *mem,
	struct value *out, struct diags *diags);

#endif
