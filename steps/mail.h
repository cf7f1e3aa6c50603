/* A mail as RFC 5322 has it: addresses with display names, headers beyond ASCII, a body
 * that passes every relay. Pure. */
#ifndef STEPS_MAIL_H
#define STEPS_MAIL_H

#include "run/step.h"

struct mail_address {
	struct str name;                              /* to be shown; empty: none */
	struct str at;                                /* user@host, ASCII */
};

/* "user@host" or "Name <user@host>", the name in quotes or not. */
bool mail_address_parse(
	struct arena *mem, struct str text, struct mail_address *out, struct err *err);

struct mail {
	struct mail_address from;
	const struct mail_address *to;
	size_t n_to;
	struct str subject, text;
	const char *key, *run; /* key: of the Message-ID, the same for every attempt */
	int64_t at;                                   /* us */
};

/* With the host of the sender, as RFC 5322, 3.6.4 recommends. With angle brackets. */
const char *mail_id(struct arena *mem, const struct mail *mail);
struct str mail_message(struct arena *mem, const struct mail *mail);

#endif
