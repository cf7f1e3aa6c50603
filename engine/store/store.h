/* Runs and their append-only records. A store works on a thread of its own; every call
 * that waits for the disk or the net is an OP_POSTED which completes on the loop. Only
 * open, send, list, read, backup and verify block, and only commands that carry
 * nothing out use those (and `rbx run` before its loop starts). Calls are made from
 * one thread. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "host/host.h"

enum kind {
	REC_RUN, REC_OWN, REC_BEGIN, REC_ASK, REC_ANSWER, REC_INTENT, REC_SAVE,
	REC_EFFECT, REC_RETRY, REC_OUTCOME, REC_RESOLVE, REC_SIGNAL, REC_REBASE,
	REC_TICK, REC_END, REC_NOTE,
	REC_KINDS,
};

const char *kind_word(enum kind kind);                /* "intent" */
bool kind_parse(struct str word, enum kind *out);

struct record {
	uint64_t seq;                    /* 1, 2, 3 … in a run; (run, seq) is the fence */
	int64_t at, boot;                             /* struct now of the turn */
	enum kind kind;
	const char *path;                     /* "deploy[3]/dump"; "" for the run's own */
	uint32_t attempt;                             /* 0 where it means nothing */
	/* JSON text, kept as these bytes; at most 256 KiB. Of the version 2 it names blobs:
	 * {blobs: {NAME: {digest, bytes}}} */
	struct str body;
	uint8_t hash[32];                             /* see record_chain */
};

/* Playbooks and big outputs, kept once and named by their SHA-256. */
struct blob {
	uint8_t digest[32];
	struct str bytes;
};

/* Child output, already masked; not chained. */
struct chunk {
	const char *path;
	uint32_t attempt, number;
	struct str text;
};

struct batch {
	const char *run;
	struct record *records;         /* seq, at, … set; store_append sets the hashes */
	const struct blob *blobs;
	const struct chunk *chunks;
	size_t n_records, n_blobs, n_chunks;
};

/* The hash of each record: SHA-256(hash before | run | seq | at | boot | kind | path |
 * attempt | body), each field with its length before it (store/chain.h). `before`: 32
 * zero bytes before seq 1. Pure. */
void record_chain(const char *run, const uint8_t before[32], struct record *records,
	size_t n);

enum ack {
	ACK_DURABLE,
	ACK_FENCED,                       /* another owner wrote; nothing of it is kept */
	ACK_FULL,      /* durable, in the reserve of a full disk: nothing new may start */
	ACK_BROKEN,                       /* not known to be kept; the process must end */
};
struct append_answer {
	enum ack ack;
	const char *why;                              /* for people; "" when durable */
};

struct store;

/* $XDG_STATE_HOME/rbx, else ~/.local/state/rbx. */
bool store_default(struct arena *mem, struct host *host, const char **out,
	struct err *err);

/* where: a folder that holds store.db, made 0700 if it is missing; or postgresql:…,
 * which is ERR_UNSUPPORTED. ERR_VERSION: written by a newer rbx. */
bool store_open(struct store **out, struct host *host, const char *where,
	struct err *err);
void store_close(struct store *store);       /* after the last completion; accepts NULL */
const char *store_where(const struct store *store);
const char *store_uuid(const struct store *store);    /* 36 characters */

/* One at a time. All that the batch points to lives until completion; posted->answer is
 * an append_answer, and posted->err is never set. */
void store_append(struct store *store, const struct batch *batch, struct op *posted);

/* Who holds a run or a lock: for exit 75. */
struct holder {
	const char *run, *playbook, *host, *user;     /* "" where it is not known */
	const char *step;             /* the path of the run's last record that has one */
	uint32_t pid;
	int64_t since;                                /* wall us of the claim */
	bool alive;                    /* false: it ended without `end`, its locks stay */
};

/* Become the owner: the lock of the run, and the named locks, all or nothing. A named
 * lock belongs to a run until its `end`, over crashes; the same run takes it again.
 * posted->answer is a claim_answer; that somebody else holds it is no err. run and locks
 * (NULL-ended, or NULL) live until completion, the answer as long as posted->mem. */
struct claim;
struct claim_answer {
	struct claim *claim;                          /* NULL: `what` is held */
	const struct holder *held;
	const char *what;                             /* "lock dns/x", "run r1" */
};
void store_claim(struct store *store, const char *run, const char *const *locks,
	struct op *posted);
/* locks_too: the named ones as well, of a run that did nothing. Blocks for that. */
void store_release(struct store *store, struct claim *claim, bool locks_too);

/* Messages to an owner, alive or to come. Who wrote one is what the store knows (the uid
 * of the process, and the person before it as the kernel tells), not what the message
 * says. */
struct message {
	uint64_t id;                                  /* rising in a store */
	int64_t at;                                   /* wall us */
	uint32_t uid;
	const char *user, *host;
	/* as in struct self; NULL: it cannot be told */
	const char *person, *known_by;
	/* Those that open questions name and that the person is in, NULL-ended. Whoever
	 * reads the message finds out; the store leaves it NULL. */
	const char *const *groups;
	struct str body;                              /* JSON {do, step, …} */
};
struct inbox_answer {
	const struct message *messages;               /* live as long as posted->mem */
	size_t n;
};
bool store_send(struct store *store, const char *run, struct str body, uint64_t *id,
	struct err *err);
void store_inbox(struct store *store, const char *run, uint64_t after, struct op *posted);

/* Reading. What `each` is given lives until it returns; false ends the reading. The
 * chain is followed: ERR_IO names the record that is damaged or missing. ERR_VERSION: a
 * record of a kind that this rbx does not know; the run may not be touched. */
bool store_read(struct store *store, const char *run, uint64_t from,
	bool (*each)(const struct record *, void *), void *with, struct err *err);
/* The body of the run's newest record of a kind, which store_read has to confirm; NULL:
 * it has none. */
bool store_newest(struct store *store, const char *run, enum kind kind, struct arena *mem,
	struct str *body, struct err *err);
bool store_blob(struct store *store, const uint8_t digest[32], struct arena *mem,
	struct str *out, struct err *err);
/* path NULL: of all steps. `after`: the id up to which they are known, 0 for all. */
bool store_chunks(struct store *store, const char *run, const char *path, uint64_t after,
	bool (*each)(const struct chunk *, uint64_t id, void *), void *with,
	struct err *err);

struct run_line {
	const char *run;
	const char *playbook, *mode;                  /* its name, else its file */
	const char *of;                    /* the run that this one takes back; "" */
	const char *state;                 /* of `end`, else "running" or "interrupted" */
	int64_t started, ended;                    /* wall us; ended 0: it has no `end` */
	uint64_t records;
	bool alive;
	const char *owner;                      /* "ana@bastion pid 7"; "" unless alive */
};
/* Oldest first. */
bool store_list(struct store *store, struct arena *mem, const struct run_line **out,
	size_t *n, struct err *err);
/* The run that `text` names: a whole id, a unique beginning of one, or "last". */
bool store_find(struct store *store, struct str text, struct arena *mem, const char **run,
	struct err *err);
/* Whether an owner carries it out; *holder, who that is or was last. */
bool store_alive(struct store *store, const char *run, struct arena *mem,
	const struct holder **holder);

/* The chain of a run recomputed: where it breaks, or its head (as hex). Kinds that are
 * not known are followed too. */
bool store_verify(struct store *store, const char *run, struct arena *mem, char **head,
	uint64_t *records, struct err *err);
/* SQLite's online backup to a new file, 0600, synced with its folder. */
bool store_backup(struct store *store, const char *to, struct err *err);

#endif
