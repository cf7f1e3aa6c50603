#include "host/http.h"
#include "host/lazy.h"

#include <curl/curl.h>
#include <stdlib.h>

bool
text_has_control(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return true;
	return false;
}

char *
request_where(struct arena *mem, const char *host, const char *port)
{
	return arena_printf(mem, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host,
		port);
}

/* RFC 9110, 5.6.2: what a method and the name of a header consist of. */
static bool
is_token(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (strchr("!#$%&'*+-.^_`|~"
			   "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"
			   "z",
			    text.p[i])
			== NULL)
			return false;
	return text.n > 0 && text.n <= 256;
}

static bool
check_header(const struct http_ask *ask, const char *header, struct err *err)
{
	struct str value, name = str_cut(str_of(header), ':', &value);
	if (value.p == NULL || !is_token(name))
		return err_set(err, ERR_VALUE, text_has_control(name)
			? "a header's name holds a control character"
			: "a header's name is not well-formed");
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != '\t'
			&& ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f))
			return err_set(err, ERR_VALUE,
				"header %.*s holds a control character", STR_FMT(name));
	if (strncasecmp(header, "transfer-encoding:", 18) == 0)
		return err_set(err, ERR_VALUE, "header %.*s is set by rbx alone",
			STR_FMT(name));
	uint64_t n;
	if (strncasecmp(header, "content-length:", 15) == 0
		&& (!str_uint(str_trim(value), &n) || n != ask->body.n))
		return err_set(err, ERR_VALUE,
			"header %.*s is not the length of the body", STR_FMT(name));
	return true;
}

static const char *
url_part(struct arena *mem, CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
		return NULL;
	const char *copy = arena_strdup(mem, text);
	curl_free(text);
	return copy;
}

static bool
parse_url(struct arena *mem, const char *text, CURLU *url, const char *plain,
	const char *secure, struct request_url *out, struct err *err)
{
	if (curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return err_set(err, ERR_VALUE, "the URL is not well-formed");
	const char *scheme = url_part(mem, url, CURLUPART_SCHEME, 0);
	if (scheme == NULL
		|| (strcasecmp(scheme, plain) != 0 && strcasecmp(scheme, secure) != 0))
		return err_set(err, ERR_VALUE, "the URL's scheme is neither %s nor %s",
			plain, secure);
	char *host = (char *)url_part(mem, url, CURLUPART_HOST, 0);
	if (host == NULL || host[0] == '\0')
		return err_set(err, ERR_VALUE, "the URL names no host");
	if (host[0] == '[' && strlen(host) > 2) {
		host[strlen(host) - 1] = '\0';
		host++;
	}
	*out = (struct request_url){host,
		url_part(mem, url, CURLUPART_PORT, CURLU_DEFAULT_PORT),
		strcasecmp(scheme, secure) == 0};
	return true;
}

/* A fragment is never sent; where one stands, the host is not what a reader takes it for
 * ("http://h#@evil"). */
bool
request_parse_url(struct arena *mem, const char *text, const char *plain,
	const char *secure, struct request_url *out, struct err *err)
{
	if (text_has_control(str_of(text)))
		return err_set(err, ERR_VALUE, "the URL holds a control character");
	if (strpbrk(text, " \\") != NULL)
		return err_set(err, ERR_VALUE, "the URL holds a blank or a backslash");
	if (strchr(text, '#') != NULL)
		return err_set(err, ERR_VALUE,
			"the URL has a fragment (#), which no request has");
	if (!lazy_curl(err))
		return false;
	CURLU *url = curl_url();
	if (url == NULL)
		abort();
	bool ok = parse_url(mem, text, url, plain, secure, out, err);
	curl_url_cleanup(url);
	return ok;
}

bool
request_check(struct arena *mem, const struct http_ask *ask, struct request_url *url,
	struct err *err)
{
	if (ask->url == NULL
		|| !request_parse_url(mem, ask->url, "http", "https", url, err))
		return ask->url == NULL ? err_set(err, ERR_VALUE, "there is no URL")
					: false;
	if (ask->method == NULL || !is_token(str_of(ask->method)))
		return err_set(err, ERR_VALUE, "the HTTP method is not well-formed");
	for (const char *const *h = ask->headers; h != NULL && *h != NULL; h++)
		if (!check_header(ask, *h, err))
			return false;
	if (ask->user != NULL && text_has_control(str_of(ask->user)))
		return err_set(err, ERR_VALUE,
			"the user's name holds a control character");
	return true;
}
