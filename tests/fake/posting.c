#include "posting.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { ROOM = 64 };

struct posting {
	struct host host;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct op *ops[ROOM];
	size_t from, to;
	struct self self;
	const char *name, *value;
	int64_t now;
};

static struct now
now(struct host *host)
{
	struct posting *self = (struct posting *)host;
	self->now += 1000;
	return (struct now){self->now, self->now * 1000};
}

static const struct self *
self_of(struct host *host)
{
	return &((struct posting *)host)->self;
}

static void
fill(struct host *host, void *bytes, size_t n)
{
	(void)host;
	if (getrandom(bytes, n, 0) != (ssize_t)n)
		abort();
}

static const char *
env(struct host *host, const char *name)
{
	struct posting *self = (struct posting *)host;
	return self->name != NULL && strcmp(self->name, name) == 0 ? self->value : NULL;
}

static void
post(struct host *host, struct op *op)
{
	struct posting *self = (struct posting *)host;
	pthread_mutex_lock(&self->lock);
	self->ops[self->to++ % ROOM] = op;
	pthread_cond_signal(&self->more);
	pthread_mutex_unlock(&self->lock);
}

/* Everybody is in the group of their own name. */
static bool
in_group(struct host *host, const char *person, const char *group)
{
	(void)host;
	return person == NULL || strcmp(person, group) == 0;
}

static const struct host_type type = {
	.now = now,
	.self = self_of,
	.random = fill,
	.env = env,
	.in_group = in_group,
	.post = post,
};

struct host *
posting_new(struct arena *mem)
{
	struct posting *self = arena_new_of(mem, struct posting);
	self->host.type = &type;
	self->now = INT64_C(1760000000000000);
	self->self = (struct self){.host = "bastion",
		.boot_id = "b",
		.user = "ana",
		.uid = (uint32_t)getuid(),
		.pid = (uint32_t)getpid()};
	pthread_mutex_init(&self->lock, NULL);
	pthread_cond_init(&self->more, NULL);
	return &self->host;
}

struct op *
posting_wait(struct host *host)
{
	struct posting *self = (struct posting *)host;
	pthread_mutex_lock(&self->lock);
	while (self->from == self->to)
		pthread_cond_wait(&self->more, &self->lock);
	struct op *op = self->ops[self->from++ % ROOM];
	pthread_mutex_unlock(&self->lock);
	return op;
}

void
posting_self(struct host *host, struct self self)
{
	((struct posting *)host)->self = self;
}

void
posting_env(struct host *host, const char *name, const char *value)
{
	struct posting *self = (struct posting *)host;
	self->name = name;
	self->value = value;
}
