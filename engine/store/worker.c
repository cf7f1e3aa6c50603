#include "store/local.h"

#include <signal.h>
#include <stdlib.h>

static struct job *
take(struct store *store)
{
	pthread_mutex_lock(&store->queue);
	while (store->first == NULL && !store->stopping)
		pthread_cond_wait(&store->more, &store->queue);
	struct job *job = store->first;
	if (job != NULL) {
		store->first = job->next;
		if (store->first == NULL)
			store->last = &store->first;
	}
	pthread_mutex_unlock(&store->queue);
	return job;
}

/* What nobody waits for. */
static void
tidy(struct store *store)
{
	if (store->batches == FILL_AFTER)
		wal_fill(store);
	if (store->batches > 0 && store->wal_pages >= CHECKPOINT_PAGES)
		store_checkpoint(store, false);
}

static void *
work(void *with)
{
	struct store *store = with;
	struct job *job;
	while ((job = take(store)) != NULL) {
		struct op *op = job->op;
		pthread_mutex_lock(&store->busy);
		op->reach = job->work(store, job) ? REACH_ANSWERED : REACH_SENT;
		pthread_mutex_unlock(&store->busy);
		store->host->type->post(store->host, op);
		pthread_mutex_lock(&store->busy);
		tidy(store);
		pthread_mutex_unlock(&store->busy);
	}
	return NULL;
}

/* Signals belong to the loop thread: the store's is started with all of them blocked. */
static void
start(struct store *store)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&store->thread, NULL, work, store) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	store->started = true;
}

void
store_queue(struct store *store, struct job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&store->queue);
	*store->last = job;
	store->last = &job->next;
	if (!store->started)
		start(store);
	pthread_mutex_unlock(&store->queue);
	/* After it, or the thread would wake only to wait for the mutex. */
	pthread_cond_signal(&store->more);
}

void
store_stop(struct store *store)
{
	pthread_mutex_lock(&store->queue);
	bool started = store->started;
	store->stopping = true;
	pthread_cond_signal(&store->more);
	pthread_mutex_unlock(&store->queue);
	if (started)
		pthread_join(store->thread, NULL);
}
