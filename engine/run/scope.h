/* What the names of an expression stand for at one place of a run (language.md, "Names and scope"). Nothing is made before
 * it is read. */
#ifndef RUN_SCOPE_H
#define RUN_SCOPE_H

#include "run/shell.h"

/* One playbook as it is carried out: the run's own, or one that a step calls. */
struct frame {
	struct frame *next;
	const struct playbook *book;
	const char *path;                             /* of the step that calls it; "": the run's own */
	const struct node *call;
	struct value inputs, vars, objectives, secrets;
	bool has_inputs, has_vars, has_secrets;
};

struct scope {
	struct expr_scope expr;                       /* first: what the evaluator is given is the scope */
	struct shell *shell;
	struct frame *frame;
	const struct scope_names *names;
	const struct node *node;                      /* NULL: of the playbook itself */
	const char *path;                             /* with indices; "" of the playbook itself */
	struct arena *mem;
	int64_t now;                                  /* us: one time for an evaluation */
	const struct value *self;                     /* NULL: not here */
	const struct named_expr *outputs;             /* what `outputs` holds besides what is marked in self */
	size_t n_outputs;
	const struct field *out_fields;
	const struct value **evaluated;               /* of outputs, as far as they were read */
	bool *busy;
	struct err inner;                             /* why an output could not be had */
};

void scope_init(struct scope *scope, struct shell *shell, const struct node *node, const char *path,
	struct arena *mem, int64_t now);
/* Of the playbook itself: vars, outputs, locks. */
void scope_book(struct scope *scope, struct shell *shell, const struct playbook *book,
	const char *path, struct arena *mem, int64_t now);
/* `self` and `outputs` are to be had from now on. */
void scope_answer(struct scope *scope, const struct node *node, const struct value *self);
bool scope_eval(struct scope *scope, const struct expr *expr, struct value *out, struct err *err);
bool scope_fill(struct scope *scope, const struct template *template, struct value *out,
	struct err *err);

/* The node of that id in the file of `book`; NULL: there is none. */
const struct node *scope_node(struct shell *shell, const struct playbook *book,
	struct str id);
/* The frame of the playbook in whose file the node stands. */
struct frame *frame_of(struct shell *shell, const struct playbook *book, const char *path);
/* The run's own inputs and vars, typed, before there is a record of them. */
void frame_set(struct frame *frame, const struct value *inputs, const struct value *vars);
bool frame_vars(struct shell *shell, struct frame *frame, struct arena *mem, struct value *out,
	struct err *err);

/* The path of `node` as somebody at `from` (a node and its path) sees it: items of loops that both stand in are the same.
 * Without an item of its own loop. */
const char *path_towards(struct arena *mem, const struct node *from, const char *path,
	const struct node *node);
/* The path of `around`, which is `node` or stands around it, in the path of `node`. */
const char *path_around(struct arena *mem, const struct node *node, const char *path,
	const struct node *around);

/* A recorded value with the type that it had: JSON knows no times, no durations and no whole doubles. */
struct value typed_value(struct arena *mem, const struct value *v, const struct expr_type *type);
struct value typed_input(struct arena *mem, const struct value *v, const char *type);
/* `steps.x` and the like: what the fold says about the node at that path. */
struct value step_value(struct scope *scope, const struct node *node, const char *path);
/* `self` of a step that takes another back: the outputs of that. NULL: there are none. */
const struct value *undone_value(struct scope *scope);
struct value failure_value(struct scope *scope);
struct value waiting_value(struct scope *scope);

#endif
