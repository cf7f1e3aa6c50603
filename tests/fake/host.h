/* A scripted host with a clock of its own: no time passes but by waiting, nothing leaves the process. A test lists what
 * it expects to be asked, in order, and what comes of it. */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include "base/arena.h"
#include "host/host.h"

struct fake;

struct expected {
	enum op_kind kind;
	const char *asks;                             /* must be part of fake_describe of the operation; NULL: any */
	const char *lacks;                            /* must not be part of it */
	const void *answer;                           /* NULL with no err: an answer zeroed */
	enum reach reach;                             /* of an operation with err; an answer is always ANSWERED */
	enum err_code code;                           /* other than ERR_NONE: it fails */
	const char *message;
	bool transient;
	int64_t after;                                /* ns until it completes */
	bool hangs;                                   /* until it is cancelled or its deadline passes; then reach SENT */
	struct str out, err;                          /* of a child: given to tail, and kept */
	int exit;
	const char *bytes;                            /* what an OP_READ reads; each read takes a piece */
};

/* The world begins at 2026-01-19T13:00:00Z. */
struct fake *fake_new(struct arena *mem);
struct host *fake_host(struct fake *fake);
void fake_expect(struct fake *fake, struct expected expected);
/* Of a kind that may be asked at any time and any number of times: SLEEP needs none, it sleeps. */
void fake_always(struct fake *fake, struct expected expected);
void fake_env(struct fake *fake, const char *name, const char *value);
void fake_pass(struct fake *fake, int64_t ns);         /* time passes, nothing completes */
void fake_signal(struct fake *fake, int64_t at, int number);   /* at: boot ns */
/* Expectations that were not met, as text; NULL: none. And how many operations were started. */
const char *fake_left(const struct fake *fake);
unsigned fake_started(const struct fake *fake, enum op_kind kind);
/* "GET https://a/b [header] body", "exec: /bin/sh -c … < input", "file load /x": for `asks` and for messages. */
char *fake_describe(struct arena *mem, const struct op *op);

#endif
