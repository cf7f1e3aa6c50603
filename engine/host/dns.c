/* OP_DNS. To a server named by the ask or the run: our own messages. To the system:
 * getaddrinfo for A and AAAA, which heeds /etc/hosts and nsswitch.conf; for other types
 * its servers are asked. */
#include "host/address.h"
#include "host/http.h"
#include "host/message.h"
#include "host/query.h"

#include <netdb.h>
#include <stdio.h>

enum { TYPE_A = 1, TYPE_AAAA = 28, NXDOMAIN = 3, MOST = 32 };

struct system_job {
	struct job job; /* first */
	int family, error;
	char name[256], texts[MOST][ADDRESS_TEXT];
	size_t n;
};

struct dns {
	struct handle handle; /* first */
	struct query *query;
	struct system_job *job;
};

static void
dns_over(struct dns *dns, const struct dns_answer *answer, enum reach reach,
	const struct err *err)
{
	struct op *op = dns->handle.op;
	struct real *real = dns->handle.real;
	if (dns->job != NULL)
		dns->job->job.op = NULL;
	if (answer == NULL)
		op->err = *err;
	op->answer = answer;
	op->reach = reach;
	handle_free(dns);
	real_complete(real, op);
}

static void
on_answer(void *with, const struct dns_answer *answer, bool sent, const struct err *err)
{
	dns_over(with, answer,
		answer != NULL ? REACH_ANSWERED
			: sent ? REACH_SENT
			       : REACH_NONE,
		err);
}

static void
system_work(struct job *base)
{
	struct system_job *job = (struct system_job *)base;
	struct addrinfo hints = {.ai_family = job->family, .ai_socktype = SOCK_STREAM},
			*list = NULL;
	job->error = getaddrinfo(job->name, NULL, &hints, &list);
	for (struct addrinfo *a = list; a != NULL && job->n < MOST; a = a->ai_next)
		address_text(a->ai_addr, job->texts[job->n++]);
	if (list != NULL)
		freeaddrinfo(list);
}

static void
system_done(struct job *base)
{
	struct system_job *job = (struct system_job *)base;
	struct op *op = base->op;
	if (op == NULL)
		return;
	struct dns *dns = op->handle;
	struct err err;
	dns->job = NULL;
	bool absent = job->error == EAI_NONAME,
	     empty = job->error == EAI_NODATA || job->error == EAI_ADDRFAMILY;
	if (job->error != 0 && !absent && !empty) {
		err_set(&err, ERR_RESOLVE, "the name %s cannot be resolved: %s",
			job->name, gai_strerror(job->error));
		err.transient = job->error == EAI_AGAIN;
		dns_over(dns, NULL, REACH_SENT, &err);
		return;
	}
	struct dns_answer *answer = arena_new_of(op->mem, struct dns_answer);
	struct dns_record *records = arena_array(op->mem, struct dns_record, job->n);
	for (size_t i = 0; i < job->n; i++)
		records[i] = (struct dns_record){
			.name = message_name(op->mem, job->name),
			.value = arena_strdup(op->mem, job->texts[i]),
			.type = job->family == AF_INET ? TYPE_A : TYPE_AAAA,
			.section = 1,
		};
	*answer = (struct dns_answer){
		.rcode = absent ? NXDOMAIN : 0, .records = records, .n_records = job->n};
	dns_over(dns, answer, REACH_ANSWERED, NULL);
}

static enum reach
dns_stop(struct dns *dns)
{
	bool sent = dns->job != NULL;
	if (dns->query != NULL)
		sent = query_cancel(dns->query);
	return sent ? REACH_SENT : REACH_NONE;
}

static void
on_deadline(void *with)
{
	struct dns *dns = with;
	struct err err;
	const struct dns_ask *ask = dns->handle.op->ask;
	err_set(&err, ERR_TIMEOUT, "timed out looking up %s%s%s", ask->name,
		ask->server == NULL ? "" : " at ",
		ask->server == NULL ? "" : ask->server);
	err_transient(&err);
	dns_over(dns, NULL, dns_stop(dns), &err);
}

static void
dns_start(struct real *real, struct op *op)
{
	const struct dns_ask *ask = op->ask;
	struct dns *dns = handle_new(real, op, sizeof *dns);
	struct query_ask query = {.name = ask->name,
		.type = ask->type,
		.recurse = ask->recurse,
		.deadline = op->deadline};
	handle_deadline(dns, on_deadline);
	bool by_system = ask->server == NULL && real->options.resolver == NULL;
	if (text_has_control(str_of(ask->name))) {
		dns_over(dns, NULL, REACH_NONE,
			&(struct err){ERR_VALUE,
				.msg = "the name holds a control character"});
	} else if (strlen(ask->name) > 253) {
		dns_over(dns, NULL, REACH_NONE,
			&(struct err){ERR_VALUE, .msg = "the name is too long for DNS"});
	} else if (by_system && (ask->type == TYPE_A || ask->type == TYPE_AAAA)) {
		dns->job = job_new(real, op, sizeof *dns->job);
		dns->job->family = ask->type == TYPE_A ? AF_INET : AF_INET6;
		strcpy(dns->job->name, ask->name);
		real_blocking(&dns->job->job, system_work, system_done);
	} else {
		struct err err;
		if (query_servers(&query, ask->server, &real->options, &err))
			dns->query =
				query_start(real, op->mem, &query, on_answer, dns, &err);
		if (dns->query == NULL)
			dns_over(dns, NULL, REACH_NONE, &err);
	}
}

static void
dns_cancel(struct real *real, struct op *op)
{
	(void)real;
	struct dns *dns = op->handle;
	struct err err;
	err_set(&err, ERR_CANCELLED, "cancelled");
	dns_over(dns, NULL, dns_stop(dns), &err);
}

const struct real_kind real_dns = {.start = dns_start, .cancel = dns_cancel};
