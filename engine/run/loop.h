/* The loop of a run and what its parts share besides shell.h. Internal to run/. */
#ifndef RUN_LOOP_H
#define RUN_LOOP_H

#include "run/shell.h"

/* batch.c */
struct arena *batch_mem(struct shell *shell);          /* of the next batch */
void batch_turn(struct shell *shell, const struct turn *turn, struct now now);
void batch_blob(struct shell *shell, struct str bytes);
void batch_send(struct shell *shell);                  /* none is in flight */
/* What is in flight, or comes next, is the last: nothing more is to be decided. */
bool batch_leaves(const struct shell *shell);
int64_t batch_due(const struct shell *shell);
void batch_drop(struct shell *shell);

/* listen.c */
void listen_poll(struct shell *shell);
void listen_signal(struct shell *shell, int number);
void listen_answers(struct shell *shell); /* what the person at the terminal says */

/* loop.c */
/* Until *done: before the run has begun. */
void shell_wait(struct shell *shell, const bool *done);
void shell_tidy(struct shell *shell);                   /* what shell_later kept goes */
int shell_loop(struct shell *shell);
void shell_decide(struct shell *shell, const struct news *news);
/* The run is another's, or the store is gone: everything stops now. */
void shell_lost(struct shell *shell, int exit, const char *why);
/* A lock in a database is lost: nothing new may change anything, what runs is finished,
 * people are told. */
void shell_unlock(struct shell *shell, const char *why);
/* The disk is full: no new effect. */
void shell_fill(struct shell *shell, const char *why);

/* claim.c: to be the owner, with the named locks of the store. *names: those, for the
 * record. */
bool claim_all(struct shell *shell, struct value *names, struct err *err);
bool claim_again(struct shell *shell, struct err *err);          /* those on the record */
/* locks_too: the run did nothing, and holds none of them any more. */
void claim_drop(struct shell *shell, bool locks_too);
/* An operation that is waited for before the run has begun. */
struct call {
	struct waiter waiter;                         /* first */
	bool done;
};
void call_done(struct waiter *waiter, struct op *op);

/* hold.c: locks in databases. False: err, ERR_BUSY where another session holds one; none
 * is held then. */
bool holds_take(struct shell *shell, struct err *err);
void holds_drop(struct shell *shell);
/* claim.c: with --wait until they are free. False: the claim is dropped too; fresh: with
 * its locks. */
bool holds_wait(struct shell *shell, bool fresh, struct err *err);

/* persons.c: message->groups, in mem, of the open questions that name a group. May wait
 * for the name service. */
void persons_place(struct shell *shell, struct message *message, struct arena *mem);
/* Whether every question that wants a certain person can be answered at all; false: err,
 * with the place. */
bool persons_check(struct shell *shell, struct err *err);

/* loop.c: waits for the answer of the job that was begun by phase_ask, and takes it. */
struct letter *shell_answer(struct shell *shell);
/* reask.c: the secret outputs of what is done; of a run that this one takes back, those
 * that the way back reads. false: err, with the step. */
bool reask(struct shell *shell, struct err *err);

/* identities.c: whether all steps act in a region of limits.regions, with credentials of
 * an account of limits.accounts, as far as that can be known before anything has
 * happened. false: err, with the place. */
bool identities_judge(struct shell *shell, struct err *err);

#endif
