/* What libcurl's codes mean to people. No text of a URL gets into a message: it may hold
 * a password. */
#include "host/curl.h"
#include "host/tls.h"

#include <stdio.h>

/* Where in its life a transfer stood when the time was over. */
static const char *
phase_of(const struct transfer *t)
{
	curl_off_t up = 0, size = 0;
	struct sockaddr_storage peer;
	socklen_t n = sizeof peer;
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &size);
	if (!t->looking && !t->running && !t->connected && t->address[0] == '\0')
		return "before it was its turn";
	if (t->answering)
		return "in the middle of the answer";
	if (t->connected)
		return up < size ? "while the request was being sent"
				 : "waiting for the first byte of the answer";
	if (t->address[0] == '\0')
		return "looking up the name";
	return t->tls && getpeername(t->fd, (struct sockaddr *)&peer, &n) == 0
		? "in the TLS handshake"
		: "connecting";
}

static void
explain_timeout(struct transfer *t, struct err *err)
{
	char place[ADDRESS_TEXT + 4] = "";
	if (t->address[0] != '\0')
		snprintf(place, sizeof place, " (%s)", t->address);
	err_set(err, ERR_TIMEOUT, "timed out %s: %s%s", phase_of(t), t->where, place);
	err_transient(err);
}

static void
explain_connect(struct transfer *t, struct err *err)
{
	long number = 0;
	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &number);
	if (t->address[0] == '\0')
		err_set(err, ERR_CONNECT, "connect to %s: %s", t->where, t->message);
	else
		err_set(err, ERR_CONNECT, "connect to %s (%s): %s", t->where, t->address,
			number != 0 ? strerror((int)number) : "failed");
	err_transient(err);
}

static void
explain_verify(struct transfer *t, struct err *err)
{
	long result = 0;
	curl_easy_getinfo(t->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	if (result != X509_V_OK
		&& result != X509_V_ERR_UNSPECIFIED) /* UNSPECIFIED: it did not come to
							that */
		tls_verify_error(err, t->where, result, t->ca_file);
	else if (strstr(t->message, "does not match") != NULL
		|| strstr(t->message, "subject name") != NULL)
		tls_verify_error(err, t->where, X509_V_ERR_HOSTNAME_MISMATCH, t->ca_file);
	else
		err_set(err, ERR_TLS, "the certificate of %s is not accepted: %s",
			t->where, t->message);
}

static void
explain_handshake(struct transfer *t, struct err *err)
{
	const char *why =
		t->message[0] != '\0' ? t->message : "the connection was closed";
	if (strstr(why, "unsupported protocol") != NULL
		|| strstr(why, "protocol version") != NULL) {
		err_set(err, ERR_TLS, "%s speaks no TLS of version 1.2 or newer",
			t->where);
		return;
	}
	if (strstr(why, "wrong version number") != NULL
		|| strstr(why, "packet length too long") != NULL) {
		err_set(err, ERR_TLS, "%s does not speak TLS", t->where);
		return;
	}
	err_set(err, ERR_TLS, "TLS handshake with %s failed: %s", t->where, why);
	if (strstr(why, "SYSCALL") != NULL || strstr(why, "eof") != NULL
		|| t->message[0] == '\0')
		err_transient(err);
}

struct meaning {
	CURLcode curl;
	enum err_code code;
	bool transient;
	const char *text; /* %s: host:port */
};

static const struct meaning meanings[] = {
	{CURLE_COULDNT_RESOLVE_HOST, ERR_RESOLVE, true,
		"the name of %s cannot be resolved"},
	{CURLE_GOT_NOTHING, ERR_NETWORK, true,
		"%s closed the connection without an answer"},
	{CURLE_RECV_ERROR, ERR_NETWORK, true,
		"the connection to %s was lost while the answer was awaited"},
	{CURLE_SEND_ERROR, ERR_NETWORK, true,
		"the connection to %s was lost while the request was being sent"},
	{CURLE_PARTIAL_FILE, ERR_NETWORK, true,
		"%s closed the connection in the middle of the answer"},
	{CURLE_HTTP2, ERR_NETWORK, true, "HTTP/2 with %s broke"},
	{CURLE_HTTP2_STREAM, ERR_NETWORK, true, "%s broke off the HTTP/2 stream"},
	{CURLE_WEIRD_SERVER_REPLY, ERR_PROTOCOL, false,
		"what %s answers is not the protocol that is expected"},
	{CURLE_UNSUPPORTED_PROTOCOL, ERR_PROTOCOL, false,
		"what %s answers is not the protocol that is expected"},
	{CURLE_BAD_CONTENT_ENCODING, ERR_PROTOCOL, false,
		"the compressed answer of %s cannot be unpacked"},
	{CURLE_OUT_OF_MEMORY, ERR_LIMIT, false, "a header of %s is larger than 64 KiB"},
	{CURLE_URL_MALFORMAT, ERR_VALUE, false, "the URL for %s is not well-formed"},
	{CURLE_USE_SSL_FAILED, ERR_TLS, false, "%s does not offer TLS"},
	{CURLE_SSL_CACERT_BADFILE, ERR_NOT_FOUND, false,
		"the trusted certificates for %s cannot be read"},
	{CURLE_LOGIN_DENIED, ERR_DENIED, false,
		"%s does not accept the user or the password"},
};

void
transfer_explain(struct transfer *t, CURLcode code, struct err *err)
{
	if (t->refused.code != ERR_NONE) {
		*err = t->refused;
		return;
	}
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		explain_timeout(t, err);
		return;
	case CURLE_COULDNT_CONNECT:
		explain_connect(t, err);
		return;
	case CURLE_PEER_FAILED_VERIFICATION:
		explain_verify(t, err);
		return;
	case CURLE_SSL_CONNECT_ERROR:
		explain_handshake(t, err);
		return;
	default:
		break;
	}
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if (meanings[i].curl == code) {
			char text[300];
			snprintf(text, sizeof text, meanings[i].text, t->where);
			err_set(err, meanings[i].code, "%s", text);
			err->transient = meanings[i].transient;
			return;
		}
	err_set(err, ERR_NETWORK, "transfer with %s failed: %s", t->where,
		t->message[0] != '\0' ? t->message : curl_easy_strerror(code));
	err_transient(err);
}
