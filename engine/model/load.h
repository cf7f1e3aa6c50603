/* What the parts of the loader share; internal to model/. A file is loaded in passes:
 * YAML to values (yaml), values to nodes with their ids and lists (load_list), the
 * order of what `needs` says (needs), and last, in the order in which steps end, every
 * key and expression (load_step, load_group, load_args), because an expression may
 * read what was understood before it. */
#ifndef MODEL_LOAD_H
#define MODEL_LOAD_H

#include "model/keys.h"
#include "model/playbook.h"

enum { CALL_DEPTH = 8, MOST_NODES = 2000000, MOST_LOOPS = 64, MOST_ITEMS = 10000 };

/* The numbers of the roots, the same in every playbook. */
enum root {
	ROOT_INPUTS,
	ROOT_OBJECTIVES,
	ROOT_RUN,
	ROOT_VARS,
	ROOT_SECRETS,
	ROOT_NOW,
	ROOT_STEPS,
	ROOT_STEP,
	ROOT_SELF,
	ROOT_OUTPUTS,
	ROOT_FAILURE,
	ROOT_WAITING,
	ROOT_INDEX,
	ROOT_ITEM,
	ROOTS,
};

/* In which list of its parent a node stands. */
enum list_kind {
	IN_PART,
	IN_MEMBERS,
	IN_BRANCH,
	IN_FINALLY,
	IN_UNDO,
	IN_PRECONDITIONS,
	IN_PROBE
};

/* "steps.x.status == 'done'" is sure below here. */
struct guard {
	struct str id;
	const struct guard *next;
};

struct view;

/* A node and what only the loader knows of it. */
struct info {
	/* first: a node of the loader is an info */
	struct node node;
	struct book_load *load;
	const struct value *map;                      /* as written */
	/* the member that names the type; NULL for `assert` alone */
	const struct value *type_key, *type_value;
	enum list_kind list;
	/* which branch, and its place in the list */
	unsigned branch, place;
	/* of a member of parallel: its turn by needs */
	unsigned order;
	unsigned stamp;                               /* of the search that saw it last */
	/* of PARALLEL: its members by turn */
	const unsigned *turns;
	const struct guard *guards;                   /* of its `when` */
	const struct guard **branch_guards;           /* of the branches of CHOOSE */
	/* of for_each; NULL: none, or not known yet */
	const struct expr_type *item;
	bool in_items;                                /* its own item can be read */
	bool is_check, is_wrong, status_read, undo_left;
	/* its arguments, as far as they are constant; in scratch */
	const struct value *in;
	/* what others read of it: sure, maybe */
	struct view *views[2];
	const struct expr_type *self;                 /* the type of its answer */
};

/* A file, read once. */
struct file {
	struct file *next;
	const char *path, *full_path, *folder;        /* as first named; absolute */
	const struct source *source;
	struct value top;
	bool is_good, is_open;
	const struct playbook *book;                  /* its first instance */
};

struct ids {
	struct info **places;                         /* open addressing by id */
	size_t n, size;
};

struct loading {
	struct arena *mem, *scratch;
	const struct loader *loader;
	struct diags *diags;
	struct file *files;
	struct node **nodes;
	size_t n_nodes, cap_nodes;
	unsigned stamp;
	const struct info **search;                   /* room for needs_reach */
	size_t n_search;
	/* by the place of the step type in loader->types */
	const struct expr_type **self_types;
};

/* One playbook that is being loaded: the file that was asked for, or one instance of a
 * called one. */
struct book_load {
	struct loading *all;
	struct diags *diags;
	struct playbook *book;
	const struct file *file;
	struct book_load *up;
	struct value top;                             /* judged by playbook_keys */
	struct ids ids;
	struct info *caller;
	unsigned depth;
	const struct expr_type *types[ROOTS];
	const struct value *defaults;                 /* judged; NULL */
	struct scope_names *names[PARTS];
	struct member_types *vars;                    /* grow as they are read */
};

static inline struct info *
info_of(const struct node *node)
{
	return (struct info *)node;
}

/* load.c */
struct playbook *book_load(struct loading *all, const char *path, struct mark at,
	struct info *caller, struct book_load *up);

/* load_list.c: pass 2 */
struct seat {
	struct info *parent;
	enum list_kind list;
	unsigned branch;
	enum part part;
};
struct part_list
list_read(struct book_load *b, const struct value *list, struct seat seat);
struct info *ids_find(const struct book_load *b, struct str id);
size_t info_place(const struct info *info);           /* in its list */

/* needs.c: pass 3 */
void needs_read(struct book_load *b, struct info *parallel);
bool needs_reach(struct loading *all, const struct info *from, const struct info *to);

/* load_top.c, load_given.c, load_run.c: what stands beside the steps */
void inputs_read(struct book_load *b);
void secrets_read(struct book_load *b);
void vars_read(struct book_load *b);
void limits_read(struct book_load *b);                /* limits, locks, on */
void drill_read(struct book_load *b);
/* before the steps are understood */
void top_read(struct book_load *b);
void top_finish(struct book_load *b);                 /* after */

/* load_step.c, load_keys.c, load_judge.c, load_group.c, load_args.c: pass 4 */
void list_understand(struct book_load *b, struct node *const *nodes, size_t n);
void step_understand(struct info *info);
void group_understand(struct info *info);             /* its members */
void call_understand(struct info *info);
void each_understand(struct info *info);
void args_understand(struct info *info);              /* sets in, args, self */
/* What `defaults` gives to arguments by `fields` that leave it out. */
void args_defaults(struct book_load *b, const struct field *fields, const char *type,
	struct value *map);
/* A region that is written and stands outside limits.regions is an error before anything
 * runs. */
void region_judge(struct book_load *b, const struct value *in);
/* the arguments with `defaults` filled in */
const struct value *defaults_for(struct info *info);
/* that each key may stand on such a step */
void keys_judge(struct info *info);
/* times, retry, samples, confirm, … */
void keys_read(struct info *info);
/* outputs, until, fail_if, assert, measures */
void answer_read(struct info *info);
bool is_condition_part(enum part part);               /* trigger and preconditions */
bool is_handler(const struct info *info);
void info_warn(struct info *info);                    /* when all is understood */

/* The value of a key, judged by its row in step_keys: NULL: not there, or wrong and
 * told. */
const struct value *key_judged(struct info *info, const char *name);
const struct value *key_raw(const struct info *info, const char *name);
struct mark key_mark(const struct info *info, const char *name);
bool retry_read(struct book_load *b, const struct value *map, struct retry *retry);

/* scope.c: which names an expression may use */
enum scope_flags { SCOPE_SECRETS = 1, SCOPE_ANSWER = 2, SCOPE_ITEM = 4, SCOPE_AFTER = 8 };
struct scope {
	struct expr_env env;                          /* first */
	struct expr_root roots[ROOTS + MOST_LOOPS];
	struct book_load *load;
	struct info *reader;                          /* NULL: of the playbook itself */
	unsigned flags;
	enum part part;
};
/* branch: SCOPE_AFTER of a choose reads one branch; -1: all. */
struct scope *
scope_of(struct scope *scope, struct info *reader, unsigned flags, int branch);
struct scope *scope_of_book(struct scope *scope, struct book_load *b, unsigned flags);
struct scope_names *names_of(struct info *info);
struct scope_names *names_of_book(struct book_load *b, enum part part);
const struct expr_type *
record_type(struct loading *all, const struct expr_member *members,
	const char *const *names, size_t n);          /* a map of these members */
void scope_types(struct book_load *b);                /* of run, step, failure, waiting */

/* The type of a map as written, whose first `known` members have these types. */
struct member_types {
	struct expr_type type;
	const struct value *map;
	struct expr_member *members;
	size_t known;
};
struct member_types *member_types_of(struct loading *all, const struct value *map);

/* refs.c: which steps may be read from where */
const struct expr_type *
refs_type(struct book_load *b, struct info *reader, unsigned flags, int branch);
/* view.c: what others read of a step */
const struct expr_type *view_type(struct info *info, bool maybe);       /* of steps.x */
/* of what others read as steps.x.outputs */
const struct expr_type *outputs_type(struct info *info, bool maybe);
/* as an output has it */
const struct expr_type *recorded_type(struct arena *mem, const struct expr_type *type);

/* compile.c: expressions and templates in a scope */
const struct expr *expr_read(struct scope *scope, const char *name,
	const struct value *around, const struct value *v);
const struct expr *condition_read(struct scope *scope, const char *name,
	const struct value *around, const struct value *v);
const struct guard *guards_read(struct scope *scope, const struct value *v);
/* of an output, a var … */
bool name_judge(struct book_load *b, const struct value *key);
/* A map of expressions; *list and *n grow as they are read, so that each may read
 * those above it. `good` judges each. */
void exprs_read(struct scope *scope, const struct value *map,
	const struct named_expr **list, size_t *n,
	bool (*good)(struct scope *scope, const struct named_expr *expr,
		const struct value *at));
const struct template *
text_read(struct scope *scope, const struct value *v, unsigned rules);
const struct template *field_read(struct scope *scope, struct scope *secrets,
	const struct field *field, const struct value *v); /* by the row's own rules */
const struct template *fields_read(struct scope *scope, struct scope *secrets,
	const struct field *fields, const struct value *map);
/* where ${{ }} stands: UNKNOWN */
struct value constant_part(struct arena *mem, const struct value *v);
bool has_template(const struct value *v);

/* effect.c */
enum effect class_of(const struct info *info, const struct value *in);

/* input.c */
bool input_judge(const struct input *input, const struct value *v, const char *folder,
	struct arena *mem, struct value *out, struct diags *diags);
const struct expr_type *input_type(const struct input *input);

bool cron_is_valid(struct str text, struct err *err);

#endif
