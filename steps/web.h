/* What http_check and http_request share: the request as the arguments give it, the answer as a value, days of a
 * certificate. */
#ifndef STEPS_WEB_H
#define STEPS_WEB_H

#include "run/step.h"

/* url NULL: the argument's. At most one of body, json, form; its content type unless `headers` names one. extra: one more
 * header line, or NULL. */
struct http_ask web_ask(struct step *step, const char *url, const char *extra);

/* {status, headers, text, json?, time, address, tls_days_left?} */
struct map_builder web_answer(struct step *step, struct now now, const struct http_answer *answer);
const char *web_header(const struct http_answer *answer, const char *name);  /* NULL: not there */
/* All fields of that name, joined by ", " (RFC 9110, 5.3). NULL: not there. */
const char *web_headers(struct arena *mem, const struct http_answer *answer, const char *name);
/* Whether `headers` of the arguments has it, in whatever case. */
bool web_names_header(const struct value *headers, const char *name);

/* The status and what came with it, for "it answers …": where a redirect leads, how the body of an error begins. */
const char *web_told(struct step *step, const struct http_answer *answer);

int64_t cert_days_left(const struct cert *cert, struct now now);

/* What refused, reset or did not answer in time is down; 5xx is; everything else says nothing about the other side. */
bool web_is_down(const struct op *op);

/* An absolute URL for what a Location header says, relative to `base` (RFC 3986, 5.2, without dot segments). NULL: not http
 * or https, https left for http, or with a user. *same_origin: scheme, host and port stay. */
const char *web_redirect(struct arena *mem, const char *base, const char *location, bool *same_origin);

#endif
