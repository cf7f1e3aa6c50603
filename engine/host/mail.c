/* OP_MAIL by curl's SMTP. Until the first byte of the message has been taken nothing can
 * be delivered: REACH_NONE. */
#include "host/curl.h"
#include "host/http.h"

#include <stdlib.h>

struct mail {
	struct transfer t; /* first */
	const struct mail_ask *ask;
	struct request_url url;
	struct lookup *lookup;                        /* by the run's resolver; NULL */
	size_t taken; /* of the message */
	bool taking; /* curl has begun to take it */
	int code; /* of the last whole reply */
	char *recipient; /* that was named last; in op->mem */
	bool names; /* the last thing that was said named it */
	struct buf reply;
};

static void
mail_over(struct mail *mail, const struct mail_answer *answer, enum reach reach,
	const struct err *err)
{
	struct op *op = mail->t.handle.op;
	struct real *real = mail->t.handle.real;
	names_cancel(mail->lookup);
	transfer_close(&mail->t);
	if (answer == NULL)
		op->err = *err;
	op->answer = answer;
	op->reach = reach;
	handle_free(mail);
	real_complete(real, op);
}

static size_t
give_message(char *into, size_t size, size_t count, void *with)
{
	struct mail *mail = with;
	size_t n = mail->ask->message.n - mail->taken;
	if (n > size * count)
		n = size * count;
	memcpy(into, mail->ask->message.p + mail->taken, n);
	mail->taken += n;
	mail->taking = true;
	return n;
}

/* Each line that the server says (RFC 5321, 4.2): "250-more" and at last "250 text". */
static size_t
on_reply(char *p, size_t size, size_t count, void *with)
{
	struct mail *mail = with;
	struct str line = str_trim((struct str){p, size * count});
	int64_t code = 0;
	if (line.n < 3 || !str_int((struct str){line.p, 3}, &code)
		|| (line.n > 3 && line.p[3] == '-'))
		return size * count;
	mail->code = (int)code;
	buf_cut(&mail->reply, 0);
	buf_add(&mail->reply, str_from(line, line.n > 4 ? 4 : line.n));
	mail->t.answering = mail->taking;
	/* After a refusal curl says QUIT and blocks for the reply to it; it cannot where
	 * nothing can be sent. */
	if (mail->t.connected && code >= 400)
		shutdown(mail->t.fd, SHUT_WR);
	return size * count;
}

/* What curl says, a line at a time: of recipients it tells only that one was refused. */
static int
on_talk(CURL *easy, curl_infotype type, char *p, size_t n, void *with)
{
	struct mail *mail = with;
	struct str line = {p, n}, start = STR("RCPT TO:<");
	(void)easy;
	if (type != CURLINFO_HEADER_OUT)
		return 0;
	mail->names = n > start.n && strncasecmp(p, start.p, start.n) == 0;
	if (mail->names)
		mail->recipient = str_cstr(mail->t.handle.op->mem,
			str_cut(str_from(line, start.n), '>', &(struct str){0}));
	return 0;
}

static bool
refused_by_server(const struct mail *mail, CURLcode code)
{
	return mail->code >= 400
		&& (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR
			|| code == CURLE_WEIRD_SERVER_REPLY);
}

static void
on_done(struct transfer *t, CURLcode code)
{
	struct mail *mail = (struct mail *)t;
	struct err err;
	if (code == CURLE_OK)
		shutdown(t->fd,
			SHUT_RDWR); /* it is kept, and would be asked to QUIT later */
	if (code == CURLE_OK || refused_by_server(mail, code)) {
		struct mail_answer *answer =
			arena_new_of(t->handle.op->mem, struct mail_answer);
		*answer = (struct mail_answer){mail->code, buf_str(&mail->reply),
			code != CURLE_OK && mail->names ? mail->recipient : NULL};
		mail_over(mail, answer, REACH_ANSWERED, NULL);
		return;
	}
	transfer_explain(t, code, &err);
	mail_over(mail, NULL, mail->taking ? REACH_SENT : REACH_NONE, &err);
}

static void
on_deadline(void *with)
{
	struct mail *mail = with;
	on_done(&mail->t, CURLE_OPERATION_TIMEDOUT);
}

static bool
check_address(const char *address, struct err *err)
{
	if (text_has_control(str_of(address)) || strpbrk(address, "<> ") != NULL
		|| strchr(address, '@') == NULL)
		return err_set(err, ERR_VALUE, "a mail address is not well-formed");
	return true;
}

static bool
set_people(struct mail *mail, struct err *err)
{
	const struct mail_ask *ask = mail->ask;
	if (!check_address(ask->from, err))
		return false;
	for (const char *const *to = ask->to; *to != NULL; to++) {
		if (!check_address(*to, err))
			return false;
		mail->t.lists[0] = curl_slist_append(mail->t.lists[0], *to);
	}
	if (mail->t.lists[0] == NULL)
		return err_set(err, ERR_VALUE, "the mail has no recipient");
	curl_easy_setopt(mail->t.easy, CURLOPT_MAIL_FROM, ask->from);
	curl_easy_setopt(mail->t.easy, CURLOPT_MAIL_RCPT, mail->t.lists[0]);
	return true;
}

static bool
is_here(const char *host)
{
	struct sockaddr_storage addr;
	struct err err;
	return strcasecmp(host, "localhost") == 0
		|| (address_parse(host, 0, &addr, &err)
			&& address_is_loopback((struct sockaddr *)&addr));
}

/* On this machine mail may go without TLS, so a certificate that nobody vouches for takes
 * nothing away; but where TLS is offered it is used. */
static void
set_tls_here(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
}

static bool
mail_set(struct mail *mail, struct err *err)
{
	const struct mail_ask *ask = mail->ask;
	struct transfer *t = &mail->t;
	struct request_url *url = &mail->url;
	if (!request_parse_url(t->handle.op->mem, ask->url, "smtp", "smtps", url, err))
		return false;
	t->tls = url->tls || !is_here(url->host);
	t->where = request_where(t->handle.op->mem, url->host, url->port);
	t->done = on_done;
	t->limits = ask->addresses;
	if (!transfer_open(t, ask->ca_file, err) || !set_people(mail, err)
		|| !transfer_login(t, ask->user, ask->password, err))
		return false;
	curl_easy_setopt(t->easy, CURLOPT_URL, ask->url);
	curl_easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	if (t->tls)
		curl_easy_setopt(t->easy, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
	else
		set_tls_here(t->easy);
	curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)ask->message.n);
	curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, give_message);
	curl_easy_setopt(t->easy, CURLOPT_READDATA, mail);
	curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_reply);
	curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, mail);
	curl_easy_setopt(t->easy, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(t->easy, CURLOPT_DEBUGFUNCTION, on_talk);
	curl_easy_setopt(t->easy, CURLOPT_DEBUGDATA, mail);
	return true;
}

static void
on_names(void *with, const struct names *names, const struct err *err)
{
	struct mail *mail = with;
	struct transfer *t = &mail->t;
	mail->lookup = NULL;
	t->looking = false;
	if (names == NULL) {
		t->refused = *err;
		on_done(t, CURLE_COULDNT_RESOLVE_HOST);
		return;
	}
	transfer_names(t, t->handle.op->mem, mail->url.host, mail->url.port, names);
	transfer_start(t);
}

/* Through our own DNS client where the run has a resolver; else curl asks the system. */
static bool
find_name(struct mail *mail, struct err *err)
{
	struct transfer *t = &mail->t;
	struct real *real = t->handle.real;
	struct op *op = t->handle.op;
	struct sockaddr_storage literal;
	struct err no;
	if (real->options.resolver == NULL
		|| strcasecmp(mail->url.host, "localhost") == 0
		|| address_parse(mail->url.host, 0, &literal, &no)) {
		transfer_start(t);
		return true;
	}
	t->looking = true;
	mail->lookup = names_find(real, op->mem, mail->url.host, mail->url.port, NULL,
		op->deadline, on_names, mail, err);
	return mail->lookup != NULL;
}

static void
mail_start(struct real *real, struct op *op)
{
	struct mail *mail = handle_new(real, op, sizeof *mail);
	struct err err;
	mail->ask = op->ask;
	mail->reply = buf_in(op->mem);
	if (!mail_set(mail, &err)) {
		mail_over(mail, NULL, REACH_NONE, &err);
		return;
	}
	handle_deadline(mail, on_deadline);
	if (!find_name(mail, &err))
		mail_over(mail, NULL, REACH_NONE, &err);
}

static void
mail_cancel(struct real *real, struct op *op)
{
	(void)real;
	struct mail *mail = op->handle;
	struct err err;
	err_set(&err, ERR_CANCELLED, "cancelled");
	mail_over(mail, NULL, mail->taking ? REACH_SENT : REACH_NONE, &err);
}

const struct real_kind real_mail = {.start = mail_start, .cancel = mail_cancel};
