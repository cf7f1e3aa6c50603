/* A real host, and servers on loopback for it to talk to. */
#ifndef TESTS_UNIT_HOST_NET_H
#define TESTS_UNIT_HOST_NET_H

#include "../unit.h"

#include "host/host.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How late a deadline may be told: 250 ms are promised, and a loaded machine adds its
 * own. */
#define NET_LATE NS_S

/* A script that prints "NAME PORT" lines and then "ready FOLDER", and ends with its
 * standard input. */
struct servers {
	pid_t pid;
	int in;
	size_t n;
	struct {
		char name[32];
		int port;
	} list[64];
	char folder[256];
};

static inline void
servers_start(struct servers *servers, const char *script)
{
	char path[512];
	int in[2], out[2];
	snprintf(path, sizeof path, "%s/%s", getenv("RBX_SOURCE"), script);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	servers->pid = fork();
	if (servers->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		execl(getenv("RBX_PYTHON"), "python3", path, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	servers->in = in[1];
	FILE *lines = fdopen(out[0], "r");
	char name[32], value[256];
	while (fscanf(lines, "%31s %255s", name, value) == 2
		&& strcmp(name, "ready") != 0) {
		strcpy(servers->list[servers->n].name, name);
		servers->list[servers->n++].port = atoi(value);
		assert_true(servers->n < 64);
	}
	assert_string_equal(name, "ready");
	strcpy(servers->folder, value);
	fclose(lines);
}

static inline void
servers_stop(struct servers *servers)
{
	close(servers->in);
	waitpid(servers->pid, NULL, 0);
}

static inline int
servers_port(const struct servers *servers, const char *name)
{
	for (size_t i = 0; i < servers->n; i++)
		if (strcmp(servers->list[i].name, name) == 0)
			return servers->list[i].port;
	fail_msg("no server '%s'", name);
	return 0;
}

static inline int64_t
net_now(struct host *host)
{
	return host->type->now(host).boot;
}

static inline void
net_wait(struct host *host, struct op *op)
{
	while (host->type->wait(host, net_now(host) + 60 * NS_S, NULL) != op)
		if (net_now(host) > op->deadline + 10 * NS_S)
			fail_msg("the operation did not complete");
}

static inline void
net_run(struct host *host, struct op *op)
{
	if (op->deadline == 0)
		op->deadline = net_now(host) + 10 * NS_S;
	host->type->start(host, op);
	net_wait(host, op);
}

#endif
