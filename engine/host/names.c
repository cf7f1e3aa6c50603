#include "host/names.h"

#include "host/address.h"
#include "host/http.h"
#include "host/query.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

enum { TYPE_A = 1, TYPE_AAAA = 28 };

struct find_job {
	struct job job; /* first */
	struct lookup *lookup; /* NULL: given up */
	char host[256];
	uint16_t port;
	struct names names;
	int error;
};

struct lookup {
	struct real *real;
	names_fn *done;
	void *with;
	const char *host;
	uint16_t port;
	struct names names;
	struct err err;
	struct timer now; /* to be over from the loop */
	struct find_job *job;
	struct query *queries[2]; /* A, AAAA */
};

static void
lookup_free(struct lookup *lookup)
{
	real_timer_stop(lookup->real, &lookup->now);
	if (lookup->job != NULL)
		lookup->job->lookup = NULL;
	for (size_t i = 0; i < 2; i++)
		if (lookup->queries[i] != NULL)
			query_cancel(lookup->queries[i]);
	free(lookup);
}

const struct names *
names_allow(const struct names *names, const struct addresses *limits, struct names *room,
	struct err *err)
{
	room->n = 0;
	for (size_t i = 0; names != NULL && i < names->n; i++)
		if (address_allowed((const struct sockaddr *)&names->list[i], limits,
			    false, err))
			room->list[room->n++] = names->list[i];
	return room->n > 0 ? room : NULL;
}

void
names_cancel(struct lookup *lookup)
{
	if (lookup != NULL)
		lookup_free(lookup);
}

static void
lookup_over(void *with)
{
	struct lookup *lookup = with;
	names_fn *done = lookup->done;
	void *owner = lookup->with;
	struct names names = lookup->names;
	struct err err = lookup->err;
	lookup_free(lookup);
	done(owner, names.n > 0 ? &names : NULL, &err);
}

static void
no_address(struct lookup *lookup, const char *why, bool transient)
{
	err_set(&lookup->err, ERR_RESOLVE, "the name %s cannot be resolved: %s",
		lookup->host, why);
	lookup->err.transient = transient;
}

/* {{{ The system's way, in a thread of the pool */

static void
find_work(struct job *base)
{
	struct find_job *job = (struct find_job *)base;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	char port[8];
	snprintf(port, sizeof port, "%u", job->port);
	job->error = getaddrinfo(job->host, port, &hints, &list);
	for (struct addrinfo *a = list; a != NULL && job->names.n < NAMES_MOST;
		a = a->ai_next)
		memcpy(&job->names.list[job->names.n++], a->ai_addr, a->ai_addrlen);
	if (list != NULL)
		freeaddrinfo(list);
}

static void
find_done(struct job *base)
{
	struct find_job *job = (struct find_job *)base;
	struct lookup *lookup = job->lookup;
	if (lookup == NULL)
		return;
	lookup->job = NULL;
	lookup->names = job->names;
	if (job->names.n == 0)
		no_address(lookup,
			job->error == 0 ? "it has no address" : gai_strerror(job->error),
			job->error == EAI_AGAIN);
	lookup_over(lookup);
}

/* }}} */

static void
take_addresses(struct lookup *lookup, const struct dns_answer *answer)
{
	struct err err;
	for (size_t i = 0; i < answer->n_records && lookup->names.n < NAMES_MOST; i++) {
		const struct dns_record *r = &answer->records[i];
		if (r->section == 1 && (r->type == TYPE_A || r->type == TYPE_AAAA))
			lookup->names.n += address_parse(r->value, lookup->port,
				&lookup->names.list[lookup->names.n], &err);
	}
}

static void
on_answer(struct lookup *lookup, size_t which, const struct dns_answer *answer,
	const struct err *err)
{
	lookup->queries[which] = NULL;
	if (answer != NULL)
		take_addresses(lookup, answer);
	if (answer == NULL)
		no_address(lookup, err->msg, true);
	else if (lookup->err.code == ERR_NONE)
		no_address(lookup,
			answer->rcode == 3           ? "there is no such name"
				: answer->rcode == 0 ? "it has no address"
						     : "the server does not say",
			answer->rcode != 3 && answer->rcode != 0);
	if (lookup->queries[0] == NULL && lookup->queries[1] == NULL)
		lookup_over(lookup);
}

static void
on_a(void *with, const struct dns_answer *answer, bool sent, const struct err *err)
{
	(void)sent;
	on_answer(with, 0, answer, err);
}

static void
on_aaaa(void *with, const struct dns_answer *answer, bool sent, const struct err *err)
{
	(void)sent;
	on_answer(with, 1, answer, err);
}

static bool
ask_resolver(struct lookup *lookup, struct arena *mem, const char *resolver,
	int64_t deadline, struct err *err)
{
	struct query_ask ask = {.name = lookup->host,
		.type = TYPE_A,
		.recurse = true,
		.deadline = deadline};
	if (!query_servers(&ask, resolver, &lookup->real->options, err))
		return false;
	lookup->queries[0] = query_start(lookup->real, mem, &ask, on_a, lookup, err);
	ask.type = TYPE_AAAA;
	lookup->queries[1] = query_start(lookup->real, mem, &ask, on_aaaa, lookup, err);
	return lookup->queries[0] != NULL && lookup->queries[1] != NULL;
}

struct lookup *
names_find(struct real *real, struct arena *mem, const char *host, const char *port,
	const char *resolver, int64_t deadline, names_fn *done, void *with,
	struct err *err)
{
	uint64_t number = 0;
	if (strlen(host) > 253 || !str_uint(str_of(port), &number) || number == 0
		|| number > 65535) {
		err_set(err, ERR_VALUE, "'%s' is not a name and '%s' a port", host, port);
		return NULL;
	}
	if (text_has_control(str_of(host))) {
		err_set(err, ERR_VALUE, "the host's name holds a control character");
		return NULL;
	}
	struct lookup *lookup = calloc(1, sizeof *lookup);
	if (lookup == NULL)
		abort();
	*lookup = (struct lookup){.real = real,
		.done = done,
		.with = with,
		.host = arena_strdup(mem, host),
		.port = (uint16_t)number};
	struct err no;
	if (address_parse(host, lookup->port, &lookup->names.list[0], &no)) {
		lookup->names.n = 1;
		real_timer(real, &lookup->now, real_now(), lookup_over, lookup);
	} else if (resolver != NULL || real->options.resolver != NULL) {
		if (!ask_resolver(lookup, mem, resolver, deadline, err)) {
			lookup_free(lookup);
			return NULL;
		}
	} else {
		struct find_job *job = job_new(real, NULL, sizeof *job);
		strcpy(job->host, host);
		job->port = lookup->port;
		job->lookup = lookup;
		lookup->job = job;
		real_blocking(&job->job, find_work, find_done);
	}
	return lookup;
}
