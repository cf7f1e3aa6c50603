#include "host/starttls.h"

bool
starttls_open(struct starttls *talk, const char *protocol, struct err *err)
{
	*talk = (struct starttls){.smtp = strcmp(protocol, "smtp") == 0};
	if (!talk->smtp && strcmp(protocol, "postgres") != 0)
		return err_set(err, ERR_VALUE,
			"'%s' is not a protocol that begins TLS later", protocol);
	return true;
}

/* SSLRequest of PostgreSQL's protocol 3 (53.7): answered by one byte. */
static enum starttls_wants
next_postgres(struct starttls *talk, struct str *out, const char *where, struct err *err)
{
	if (talk->step == 0) {
		talk->step = 1;
		*out = STR("\0\0\0\010\004\322\026\057");
		return STARTTLS_SEND;
	}
	if (talk->n == 0)
		return STARTTLS_READ;
	if (talk->n == 1 && talk->in[0] == 'S')
		return STARTTLS_TLS;
	if (talk->in[0] == 'N')
		err_set(err, ERR_TLS, "%s does not offer TLS", where);
	else
		err_set(err, ERR_PROTOCOL, "%s does not answer as PostgreSQL", where);
	return STARTTLS_FAILED;
}

/* A whole reply of RFC 5321, 4.2: lines "250-…" and a last one "250 …". *offers: a line
 * says STARTTLS. */
static bool
take_reply(struct starttls *talk, int *code, bool *offers)
{
	struct str rest = {talk->in, talk->n};
	while (rest.n > 0) {
		struct str after, line = str_cut(rest, '\n', &after);
		if (after.p == NULL)
			return false;
		line = str_trim(line);
		struct str word = str_from(line, line.n < 4 ? line.n : 4);
		*offers |= word.n == 8 && strncasecmp(word.p, "STARTTLS", 8) == 0;
		rest = after;
		int64_t number = 0;
		*code = line.n >= 3 && str_int((struct str){line.p, 3}, &number)
			? (int)number
			: -1;
		if (*code >= 0 && line.n >= 4 && line.p[3] == '-')
			continue;
		memmove(talk->in, rest.p, rest.n);
		talk->n = rest.n;
		return true;
	}
	return false;
}

static enum starttls_wants
next_smtp(struct starttls *talk, struct str *out, const char *where, struct err *err)
{
	static const struct {
		int code;
		const char *say;
	} steps[] = {
		{220, "EHLO rbx.invalid\r\n"},
		{250, "STARTTLS\r\n"},
		{220, NULL},
	};
	int code = 0;
	bool offers = false;
	if (!take_reply(talk, &code, &offers))
		return STARTTLS_READ;
	if (code != steps[talk->step].code || talk->n > 0) {
		err_set(err, ERR_PROTOCOL, "%s does not answer as a mail server: code %d",
			where, code);
		return STARTTLS_FAILED;
	}
	if (talk->step == 1 && !offers) {
		err_set(err, ERR_TLS, "%s does not offer TLS", where);
		return STARTTLS_FAILED;
	}
	*out = str_of(steps[talk->step].say);
	talk->step++;
	return out->p == NULL ? STARTTLS_TLS : STARTTLS_SEND;
}

enum starttls_wants
starttls_next(struct starttls *talk, struct str came, struct str *out, const char *where,
	struct err *err)
{
	if (came.n > sizeof talk->in - talk->n) {
		err_set(err, ERR_LIMIT, "%s talks too much before TLS", where);
		return STARTTLS_FAILED;
	}
	if (came.n > 0)
		memcpy(talk->in + talk->n, came.p, came.n);
	talk->n += came.n;
	return talk->smtp ? next_smtp(talk, out, where, err)
			  : next_postgres(talk, out, where, err);
}
