/* The owner's inside: what is in flight, by place. Only the files of the owner include it
 * (decide, flow, leaf, leaf_end, leaf_cut, emit, seat, timers, course, inbox, reopen).
 *
 * A *seat* is a place of the run's tree: a step, an item, a group, an undo. Lists of
 * seats know which of their members have something to do (`dirty`) and which wait for a
 * slot (`ready`), so that a turn costs the depth of the tree, not its size: a walk goes
 * down into those alone, in the order of the page. What a member said last is counted by
 * its list. */
#ifndef RUN_OWNER_H
#define RUN_OWNER_H

#include "run/decide.h"
#include "run/marks.h"

enum status {                                         /* what a walk hears from a seat */
	/* not visited; it goes on by itself; a person is needed */
	IS_NEW, IS_BUSY, IS_BLOCKED,
	/* not begun: by a stop; by a need that is not met */
	IS_IDLE, IS_HELD,
	/* in doubt, and nobody is asked (any more) */
	IS_DOUBT,
	IS_OK, IS_FAILED, IS_SKIPPED, IS_CANCELLED,
	STATUSES,
};

/* why it was ended */
enum cut { CUT_NONE, CUT_TIMEOUT, CUT_DEADLINE, CUT_CANCEL, CUT_STOP };
/* which timer runs */
enum wait { WAIT_NONE, WAIT_BACKOFF, WAIT_LOOK, WAIT_SETTLE, WAIT_ASK };
/* before a probe or a new attempt */
enum sub { SUB_NONE, SUB_ORPHANS, SUB_WAIT };
enum then { THEN_NONE, THEN_ASK, THEN_PROBE, THEN_UNDO, THEN_INBOX, THEN_PARK, THEN_ACT };

/* in the owner's heap while heap_place is not 0 */
struct timer {
	int64_t at;
	/* of one time: 0 timeout, 1 due, 2 deadline */
	int rank;
	const char *path;
	size_t heap_place;
};

struct list {
	/* the seat whose members these are; NULL: a list of the run */
	struct seat *group;
	/* of the members; NULL: all of them are items or undos */
	struct node *const *nodes;
	struct seat **seats;                          /* made when they are reached */
	const char *prefix;                           /* "a/", "a/finally/" */
	size_t n, at_once;
	size_t reach;                                 /* how many were visited */
	size_t count[STATUSES];
	/* members whose failure ends the list */
	size_t halting;
	/* needs that are not met, by member; NULL: no needs */
	unsigned *unmet;
	/* who needs member i: edges[edge_from[i]] … */
	const unsigned *edges, *edge_from;
	struct marks dirty, ready;
	bool stop_seen;
	unsigned flags_seen;
	/* all are to be visited in the next walk */
	bool again;
};

struct seat {
	const struct node *node;
	const char *path;
	struct path_state *state;
	/* NULL: a handler list of the run */
	struct list *in;
	size_t place;                                 /* in `in` */
	bool is_item, is_undo, is_leaf, is_handler, is_gate;
	bool stands_back; /* a gate that reads one that does not hold */
	bool is_back;                             /* an undo, or a step of an undo list */
	/* in or below a group of which a dry run cannot know whether it is carried out */
	bool is_dark;
	bool is_dry;                               /* below a call with `dry_run: true` */
	struct seat *around;              /* of a list of handlers in a called playbook */
	/* the nearest that is written on it or a group around it */
	enum on_error near;
	/* its failure lets the list go on */
	bool is_forgiven;
	bool seen;                                    /* a walk has been here */

	/* its class, as far as it is known */
	enum effect effect;
	bool has_preview, has_probe, has_settle, has_provider, has_checks, goes_back;
	/* recorded form, before the first intent has it */
	const struct value *in_value;

	enum stand stand, back;                       /* back: what ENDING ended */
	/* seq of the last record when it became READY: what it needs had ended by then;
	 * 0: it was not */
	uint64_t ready_at;
	enum sub sub;
	enum then then;
	/* enum phase of the operation in flight; -1 */
	int phase;
	enum wait wait;
	int64_t wait_at, timeout_at, op_since;
	unsigned tries, polls, good, looks;           /* tries: of a pure step */
	struct err *bad;          /* why it is asked or tried again; NULL: it is not */
	const struct value *was, *after;              /* as the last look saw it */
	const char *shown;
	enum cut cut;
	bool last;                                    /* no further attempt */
	/* resumed: what comes next uses up no try */
	bool free;
	bool absent;                                  /* the probe has just said so */
	/* seq up to which nothing may still land */
	uint64_t settled;
	struct timer timeout, due;

	enum status status;                           /* of the last visit */
	struct list *kids, *undone, *finals, *gates;  /* of a group */
	struct seat **handlers;                       /* of a called playbook, by part */
	unsigned active;                   /* of a called playbook: attempts under way */
	unsigned undone_seen;
};

/* an answer that came while rbx looks for itself */
struct kept_message {
	struct kept_message *next;
	struct message message;
};

struct owner {
	struct arena *mem;
	const struct playbook *book;
	struct run_state *state;
	const struct asker *asker;
	struct owner_options options;
	/* us: owner's clock less boot clock */
	int64_t offset;
	int64_t now, boot;                            /* of this turn: us, ns */
	bool claimed, resumed;
	int exit;                                     /* -1: goes on */
	/* a failure somewhere says: nothing new starts in the run */
	bool stopped;
	/* raised when something changes that every seat may ask for */
	unsigned flags;
	unsigned active, backoffs;
	struct list trigger, preconditions, steps;
	struct seat *handlers[PARTS];
	struct seat *whole;                    /* what a drill or `rbx undo` takes back */
	struct kept_message *inbox;
	/* of the claim, for after its first walk */
	struct kept_message *unread;
	struct timer run_deadline;
	struct timer call;               /* at a terminal: when somebody else is called */
	struct timer **heap;
	size_t n_heap, heap_cap;
	/* seats of steps by ticket: the order of cuts */
	struct seat **order;
	size_t n_order, order_cap;

	struct arena *turn_mem;
	struct turn *turn;
	size_t records_cap, acts_cap;
};

/* ---- emit.c: records and acts */
struct map_builder body_new(struct owner *o);
/* left out if 0 */
void body_time(struct map_builder *body, const char *key, int64_t at);
/* left out if NULL */
void body_text(struct map_builder *body, const char *key, const char *text);
void body_value(struct map_builder *body, const char *key, const struct value *v);
/* of an `ask` before a change */
void body_question(struct map_builder *body, const struct question *question);
void body_error(struct map_builder *body, const struct err *err);
void emit(struct owner *o, enum kind kind, struct path_state *path, uint32_t attempt,
	struct map_builder *body);
struct act *act_add(struct owner *o, enum act_kind kind, const struct seat *seat);

/* ---- timers.c */
void timer_set(struct owner *o, struct timer *timer, int64_t at);
void timer_clear(struct owner *o, struct timer *timer);
/* its deadline, by what it is now */
void timers_of_path(struct owner *o, struct path_state *path);
void timers_of_run(struct owner *o);

/* ---- seat.c */
void list_open(struct owner *o, struct list *list, struct seat *group, const char *prefix,
	struct node *const *nodes,
	size_t n, size_t at_once);
void list_needs(struct owner *o, struct list *list);
struct seat *list_seat(struct owner *o, struct list *list, size_t place);
struct seat *seat_new(struct owner *o, struct list *in, size_t place,
	const struct node *node, const char *path);
void seat_touch(struct seat *seat);
void seat_ready(struct seat *seat, bool ready);
void seat_stand(struct owner *o, struct seat *seat, enum stand stand);
void seat_cut(struct owner *o, struct seat *seat, enum cut cut);
/* its outcome changed from `before` */
void seat_ended(struct owner *o, struct seat *seat, enum outcome before);
bool is_dry(const struct owner *o, const struct seat *seat);
struct place seat_place(const struct seat *seat);
void ticket_take(struct owner *o, struct path_state *path);
bool seat_halts(const struct seat *seat);             /* its failure ends the list */
enum on_error seat_on_error(const struct owner *o, const struct seat *seat);
bool is_cancelled(const struct owner *o);
bool is_halted(const struct owner *o, const struct seat *seat);
/* Undo and what follows the members of a group end too. */
bool is_stopped(const struct owner *o);
bool is_doubted(const struct owner *o, const struct seat *undo);
bool in_window(const struct owner *o, const struct seat *seat);
unsigned slots_left(const struct owner *o);
/* the limits of the playbooks that are called around it allow one more, too */
bool seat_has_room(const struct owner *o, const struct seat *seat);
/* The seat that calls the playbook in which this path stands; NULL: that of the run. Of
 * a call: the one around it. */
struct seat *call_around(const struct path_state *path);
/* duplicates are accepted: its failure goes by unless written otherwise */
bool node_tells(const struct node *node);
/* below steps; NULL */
const struct node *book_node(const struct playbook *book, const char *path);

/* ---- resume.c */
/* its records are of another version of its type */
bool seat_is_outdated(const struct owner *o, const struct seat *seat);
/* parks it; an undo is asked about */
void leaf_outdated(struct owner *o, struct seat *seat);

/* ---- leaf.c: what comes next at a step */
enum status leaf_visit(struct owner *o, struct seat *seat, bool stop);
void leaf_op(struct owner *o, struct seat *seat, enum phase phase, int64_t timeout_ns);
void leaf_wait(struct owner *o, struct seat *seat, enum wait wait, int64_t at);
void leaf_start(struct owner *o, struct seat *seat);
void leaf_look(struct owner *o, struct seat *seat);
void leaf_looked(struct owner *o, struct seat *seat, const struct result *result);
void leaf_ask(struct owner *o, struct seat *seat);
void leaf_check(struct owner *o, struct seat *seat);
void leaf_act(struct owner *o, struct seat *seat);
void leaf_orphans(struct owner *o, struct seat *seat, enum then then);
void leaf_orphaned(struct owner *o, struct seat *seat, const struct result *result);
void leaf_waited(struct owner *o, struct seat *seat);
void leaf_adopt(struct owner *o, struct seat *seat, const struct result *result);
void leaf_settle(struct owner *o, struct seat *seat);

/* ---- leaf_end.c: what happened at a step */
struct final {
	enum outcome state;
	enum fate fate;
	enum way how;
	enum grade grade;
	const struct result *result;                  /* NULL: nothing to tell besides */
};
void leaf_final(struct owner *o, struct seat *seat, struct final final);
void leaf_fail(struct owner *o, struct seat *seat, enum fate fate, bool transient,
	const struct result *result);
void leaf_ask_failed(struct owner *o, struct seat *seat, enum fate fate,
	const struct result *result);
void leaf_give_up(struct owner *o, struct seat *seat, enum fate fate,
	const struct result *result);
void leaf_completed(struct owner *o, struct seat *seat, const struct result *result);
void leaf_predict(struct owner *o, struct seat *seat, const struct result *result);

/* ---- leaf_cut.c: what ends a step from outside */
/* it was ended by its deadline, a cancel or a stop */
bool seat_is_off(const struct seat *seat);
/* err of a step whose deadline has passed: what its last answer was */
const struct err *leaf_late(const struct owner *o, const struct seat *seat,
	struct err *err);
void leaf_timer(struct owner *o, struct seat *seat);
void leaf_cut(struct owner *o, struct seat *seat, enum cut why);
/* resume.c */
void leaf_resume(struct owner *o, struct seat *seat);

/* ---- undo.c */
const struct path_state *seat_undone(const struct owner *o, const struct seat *undo);
enum status undo_visit(struct owner *o, struct seat *group);
enum status undo_list_visit(struct owner *o, struct seat *seat, bool stop);
bool undo_has_failed(const struct seat *group);        /* a person gave some of it up */
void undo_left(struct owner *o, struct map_builder *body, bool *clean);

/* ---- flow.c: groups */
enum status seat_visit(struct owner *o, struct seat *seat, bool stop);
enum status list_walk(struct owner *o, struct list *list, bool stop);
void group_refuse(struct owner *o, struct seat *seat, enum outcome state,
	const struct err *err);
enum status status_of(enum outcome outcome);

/* ---- handlers.c: lists that follow, of the run and of a called playbook */
struct handling {
	const struct playbook *book;
	struct seat **seats;                      /* by part; made when they are needed */
	struct seat *around;              /* the step that called; NULL: the run itself */
	enum ending end;
};
/* IS_BUSY, IS_OK, or IS_FAILED: a step of a `finally` failed or is in doubt. */
enum status handlers_visit(struct owner *o, const struct handling *handling);
void handlers_begin(struct owner *o, struct seat *seat, enum ending end);
struct seat *handlers_seat(struct owner *o, const char *name,
	const struct part_list *part, struct seat *around);
/* IS_BUSY, IS_IDLE, IS_FAILED, IS_OK */
enum status gates_visit(struct owner *o, struct list *list);

/* ---- course.c: the run as a whole */
void course_advance(struct owner *o);

/* ---- inbox.c */
bool inbox_has_resolve(struct owner *o, const char *path);
/* Every step is told that nothing new starts; stop: what runs ends too. */
void inbox_cut(struct owner *o, bool stop);
void inbox_take(struct owner *o, const struct message *message);
/* --yes: answers its question, if it may */
void inbox_yes(struct owner *o, const struct seat *seat);
/* some of what was kept may be taken now */
bool inbox_is_ripe(struct owner *o);
void inbox_claim(struct owner *o, const struct message *message);
/* one that was unread at the claim is taken */
bool inbox_next(struct owner *o);
/* what was kept, and may be taken now */
void inbox_waiting(struct owner *o);

#endif
