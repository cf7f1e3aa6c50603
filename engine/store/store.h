/* Runs and their append-only records. A store works on a thread of its own; every call that waits for the disk or the net
 * is an OP_POSTED which completes on the loop. Only open, list, read, backup and verify block, and only commands that carry
 * nothing out use those (and `rbx run` before its loop starts). */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "host/host.h"

enum kind {
	REC_RUN, REC_OWN, REC_BEGIN, REC_ASK, REC_ANSWER, REC_INTENT, REC_SAVE, REC_EFFECT, REC_RETRY, REC_OUTCOME,
	REC_RESOLVE, REC_SIGNAL, REC_REBASE, REC_TICK, REC_END,
	REC_KINDS,
};

const char *kind_word(enum kind kind);                /* "intent" */
bool kind_parse(struct str word, enum kind *out);

struct record {
	uint64_t seq;                                 /* 1, 2, 3 … in a run; (run, seq) is the primary key and the fence */
	int64_t at, boot;                             /* struct now of the turn */
	enum kind kind;
	const char *path;                             /* "deploy[3]/dump"; "" for the run's own */
	uint32_t attempt;                             /* 0 where it means nothing */
	struct str body;                              /* JSON text, hashed and kept as these bytes; at most 256 KiB */
	uint8_t hash[32];                             /* SHA-256(hash before | run | seq | at | boot | kind | path | attempt | body), each length-prefixed */
};

struct blob { uint8_t digest[32]; struct str bytes; };                       /* playbooks, big outputs; kept once, named by digest */
struct chunk { const char *path; uint32_t attempt, number; struct str text; };  /* child output, already masked; not chained */
struct batch {
	const char *run;
	struct record *records;                       /* seq, at, … set; the hashes are filled in by record_chain */
	const struct blob *blobs;
	const struct chunk *chunks;
	size_t n_records, n_blobs, n_chunks;
};

/* hash of each record from the one before (32 zero bytes before seq 1). Pure. */
void record_chain(const char *run, const uint8_t before[32], struct record *records, size_t n);

enum ack { ACK_DURABLE, ACK_FENCED, ACK_FULL, ACK_BROKEN };                  /* BROKEN: an I/O error; the process must end */
struct append_answer { enum ack ack; };

struct store;

/* where: a path (a folder that holds store.db, made 0700 if missing), or postgresql:… ("not in this version" so far). */
bool store_open(struct store **out, struct host *host, const char *where, struct err *err);
void store_close(struct store *store);
const char *store_where(const struct store *store);
const char *store_uuid(const struct store *store);

/* One at a time. Everything the batch points to lives until completion; posted->answer is an append_answer. */
void store_append(struct store *store, const struct batch *batch, struct op *posted);

/* Who holds a run or a lock: for exit 75. */
struct holder { const char *run, *playbook, *host, *user, *step; uint32_t pid; int64_t since; };
/* Become the owner: an OFD lock of the run, and the named locks; all or nothing. A named lock belongs to a run until its
 * `end`, over crashes. posted->answer is a claim_answer; ERR_BUSY in posted->err never: `held` says who. */
struct claim;
struct claim_answer { struct claim *claim; const struct holder *held; const char *what; };  /* claim NULL: `what` ("lock dns/x", "run r1") is held */
void store_claim(struct store *store, const char *run, const char *const *locks, struct op *posted);
void store_release(struct store *store, struct claim *claim, bool locks_too);

/* Messages to an owner, alive or to come. The writer's identity is what the store knows (uid), not what it says. */
struct message { uint64_t id; int64_t at; uint32_t uid; const char *user, *host; struct str body; };  /* body: JSON {do, step, …} */
bool store_send(struct store *store, const char *run, struct str body, uint64_t *id, struct err *err);      /* blocks */
void store_inbox(struct store *store, const char *run, uint64_t after, struct op *posted);     /* answer: inbox_answer */
struct inbox_answer { const struct message *messages; size_t n; };

/* Reading: block, for commands and before the loop starts. `each` false ends the reading. */
bool store_read(struct store *store, const char *run, uint64_t from, bool (*each)(const struct record *, void *), void *with,
	struct err *err);
bool store_blob(struct store *store, const uint8_t digest[32], struct arena *mem, struct str *out, struct err *err);
bool store_chunks(struct store *store, const char *run, const char *path, uint64_t after, bool (*each)(const struct chunk *, uint64_t id, void *),
	void *with, struct err *err);
struct run_line { const char *run, *playbook, *mode, *state; int64_t started, ended; uint64_t records; bool alive; const char *owner; };
bool store_list(struct store *store, struct arena *mem, const struct run_line **out, size_t *n, struct err *err);
/* The run that `text` names: a whole id, a unique beginning of one, or "last". */
bool store_find(struct store *store, struct str text, struct arena *mem, const char **run, struct err *err);
bool store_alive(struct store *store, const char *run, struct arena *mem, const struct holder **holder);

/* The chain of a run recomputed: where it breaks, or its head (as hex). */
bool store_verify(struct store *store, const char *run, struct arena *mem, char **head, uint64_t *records, struct err *err);
bool store_backup(struct store *store, const char *to, struct err *err);     /* SQLite's online backup to a new file */

#endif
