/* What a request may look like. Internal to host/. */
#ifndef HOST_HTTP_H
#define HOST_HTTP_H

#include "host/host.h"

struct request_url {
	const char *host, *port; /* host without brackets */
	bool tls;
};

/* The limits of resilience.md C17 and C18: http and https only, no control character in
 * method, URL or a header, no header that would change where the request ends. Fills
 * *url. */
bool request_check(struct arena *mem, const struct http_ask *ask, struct request_url *url,
	struct err *err);

/* Scheme `plain` or `secure`, no control character, blank, backslash or fragment. */
bool request_parse_url(struct arena *mem, const char *text, const char *plain,
	const char *secure, struct request_url *url, struct err *err);

/* "host:port", with brackets where they belong. */
char *request_where(struct arena *mem, const char *host, const char *port);

/* Whether the text holds a control character (CR, LF, NUL, ESC and so on, DEL too). */
bool text_has_control(struct str text);

#endif
