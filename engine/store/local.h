/* The insides of the SQLite store, shared by the files of this folder only. */
#ifndef STORE_LOCAL_H
#define STORE_LOCAL_H

#include <pthread.h>
#include <sys/types.h>

#include "store/db.h"
#include "store/store.h"

/* Something for the store thread. It lies in the arena of its op, so that nobody touches
 * it once the op is posted. */
struct job {
	struct job *next;
	struct op *op;
	bool (*work)(struct store *store, struct job *job);  /* false: op->err is set */
};

struct store {
	struct host *host;
	struct arena *mem;                            /* grows in store_open only */
	const char *where;
	char uuid[37];
	int folder, owners;                 /* descriptors of the folder and of owners/ */
	int write_lock;                               /* of store.lock */
	int letters;                    /* -1: it is a store of one person */
	gid_t readers;                                /* the group of letters/ */

	/* Guards all below: the store thread holds it for each job, and who blocks. */
	pthread_mutex_t busy;
	struct db db;
	uint64_t wal_pages;                         /* in the WAL after the last commit */
	unsigned batches;                       /* written as an owner, who checkpoints */
	bool full;                                    /* the reserve is gone */
	bool broken;                                  /* nothing is written any more */
	char why[320];                                /* of full or broken */

	pthread_mutex_t queue;                        /* guards all below */
	pthread_cond_t more;
	pthread_t thread;
	bool started, stopping;
	struct job *first, **last;
};

enum {
	CHECKPOINT_PAGES = (4 << 20) / DB_PAGE,
	FILL_AFTER = 24,                       /* batches: it will be a long run */
	WAL_ROOM = (4 << 20) + (1 << 18), /* its pages, their headers, and a batch more */
	BALLAST = 8 << 20,            /* bytes that the last records of a full disk get */
};

/* worker.c */
/* The thread starts with the first. */
void store_queue(struct store *store, struct job *job);
void store_stop(struct store *store);           /* ends the thread after what is queued */

/* write.c: every write stands between these two, under store.lock and the mutex. */
bool write_begin(struct store *store, struct err *err);
bool write_end(struct store *store, bool commit, struct err *err);
/* whole: the WAL is cut to nothing. */
void store_checkpoint(struct store *store, bool whole);
bool store_break(struct store *store, const struct err *err); /* remembers why; false */

/* ballast.c */
void ballast_make(struct store *store);      /* sets full where there is no room for it */
void ballast_drop(struct store *store);
void wal_fill(struct store *store);

/* Who sent a message; person NULL: it cannot be told (host.h, struct self). */
struct sender {
	int64_t at;                                   /* wall us */
	uid_t uid;
	const char *user, *host, *person, *known_by;
};

/* inbox.c; in a transaction of its own */
bool message_add(struct store *store, const char *run, struct str body,
	const struct sender *sender, uint64_t *id, struct err *err);

/* letters.c */
bool letters_open(struct store *store, struct err *err);    /* where there are any */
bool letters_is_reader(const struct store *store);  /* it may leave letters, and read */
bool letters_share(const struct store *store, struct err *err);
bool letters_put(struct store *store, const char *run, struct str body, struct err *err);
/* Those to the run become messages of the inbox. */
bool letters_take(struct store *store, const char *run, struct err *err);

/* claim.c */
bool run_id_fits(const char *run);            /* [A-Za-z0-9._-]{1,64}, no leading point */
const struct holder *holder_of(struct store *store, const char *run, struct arena *mem);

/* runs.c */
/* How many records were appended to it; ERR_NOT_FOUND: no such run. */
bool run_count(struct store *store, const char *run, uint64_t *records, struct err *err);
bool run_ended(struct store *store, const char *run);
/* "": it is not known. */
const char *run_playbook(struct store *store, const char *run, struct arena *mem);

#endif
