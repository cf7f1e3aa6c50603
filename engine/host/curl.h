/* libcurl on the loop: one multi handle for HTTP and mail, at most 128 transfers in it at
 * once, and what every easy handle of rbx must have set. Internal to host/.
 *
 * The admission queue is ours: in curl's own, waiting would count as connecting. A
 * transfer that is still waiting has reached nobody. */
#ifndef HOST_CURL_H
#define HOST_CURL_H

#include "host/address.h"
#include "host/names.h"
#include "host/real.h"

#include <curl/curl.h>

enum { CURL_AT_ONCE = 128 };

struct transfer {
	struct handle handle; /* first: op->handle */
	struct web *web;
	CURL *easy;
	struct curl_slist *lists[3]; /* given back with it */
	CURLSH *share; /* a DNS cache of its own, where a resolver was given; else NULL */
	struct link link; /* in web->waiting, else alone */
	bool looking, running, tls; /* looking up its name; in the multi handle */
	const char *where; /* "host:port", for messages; in op->mem */
	const char *ca_file; /* in use, for messages */
	const struct addresses *limits;
	bool link_local;
	bool connected; /* a connection is there and was checked: the request may leave
			   now */
	bool answering; /* the first byte of the answer has come */
	struct err refused; /* set: why we ourselves ended it; wins over curl's code */
	char address[ADDRESS_TEXT]; /* connected, or tried last */
	int fd; /* of it; where address is set */
	char message[CURL_ERROR_SIZE];
	uint64_t moved; /* bytes up and down at the last look, to see a stall */
	struct timer idle;
	/* Whether no byte for a while is a fault now. */
	bool (*stalls)(struct transfer *t);
	/* The easy handle is out of the multi, and still there. */
	void (*done)(struct transfer *t, CURLcode code);
};

/* What all transfers share, made at the first; NULL and err without libcurl. Given back
 * by web_close. */
struct web *web_of(struct real *real, struct err *err);
void web_close(struct real *real);

/* The easy handle with everything that is common; `url` is not set. tls: the CA bundle is
 * looked up now. */
bool transfer_open(struct transfer *t, const char *ca_file, struct err *err);
/* user NULL: nothing. */
bool transfer_login(struct transfer *t, const char *user, const struct secret *password,
	struct err *err);
/* What our own resolver said of `name`, instead of what curl would ask the system. */
void transfer_names(struct transfer *t, struct arena *mem, const char *name,
	const char *port, const struct names *names);
void transfer_start(struct transfer *t); /* now, or when it is its turn */
/* Out of the multi handle or the queue, the easy handle is gone; t itself stays. Also
 * twice. */
void transfer_close(struct transfer *t);

/* NONE or SENT, whatever is true now. */
enum reach transfer_reach(const struct transfer *t);
/* The message for people of what curl says, or of a passed deadline
 * (CURLE_OPERATION_TIMEDOUT). */
void transfer_explain(struct transfer *t, CURLcode code, struct err *err);

#endif
