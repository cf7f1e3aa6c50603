/* AWS's own signing cases: every intermediate of header and query signing. Prints the
 * failing ids, and last "N passed, N failed". usage: sigv4 [FILE.jsonl] */
#include <stdio.h>
#include <stdlib.h>

#include "../steps/aws/sigv4.h"
#include "conformance.h"

struct request {
	const char *method;
	struct str path, query, body;
	struct header headers[32];
	size_t n_headers;
};

static struct request
parse_request(struct arena *mem, struct str text)
{
	struct request r = {0};
	struct str rest = text, line = str_cut(rest, '\n', &rest), after;
	r.method = str_cstr(mem, str_cut(line, ' ', &after));
	after.n -= strlen(" HTTP/1.1");
	r.path = str_cut(after, '?', &r.query);
	while (rest.n > 0) {
		line = str_cut(rest, '\n', &rest);
		if (line.n == 0)
			break;
		struct str value, name = str_cut(line, ':', &value);
		r.headers[r.n_headers++] =
			(struct header){str_cstr(mem, name), str_cstr(mem, value)};
	}
	r.body = rest;
	return r;
}

static bool
matches(const char *what, const char *id, struct str want, const char *got)
{
	if (str_is(want, got))
		return true;
	printf("%s: %s differs\n--- want\n%.*s\n--- got\n%s\n", id, what, STR_FMT(want),
		got);
	return false;
}

/* The signed request must hold, after its own text, what signing adds. */
static bool
holds_all(const char *id, struct str text, const struct sigv4_signed *got)
{
	bool ok = true;
	for (size_t i = 0; i < got->n_headers; i++) {
		char line[2048];
		snprintf(line, sizeof line, "%s:%s\n", got->headers[i].name,
			got->headers[i].value);
		if (str_find(text, str_of(line)) == text.n) {
			printf("%s: the signed request lacks %s", id, line);
			ok = false;
		}
	}
	if (got->query != NULL && str_find(text, str_of(got->query)) == text.n) {
		printf("%s: the signed request lacks the query %s\n", id, got->query);
		ok = false;
	}
	return ok;
}

static bool
judge(const char *id, const struct value *want, const struct sigv4_signed *got)
{
	bool ok = matches("canonical request", id,
		value_get_str(want, "canonical_request"), got->canonical);
	ok = matches("string to sign", id, value_get_str(want, "string_to_sign"),
		     got->to_sign)
		&& ok;
	ok = matches("signature", id, value_get_str(want, "signature"), got->signature)
		&& ok;
	return holds_all(id, value_get_str(want, "signed_request"), got) && ok;
}

static bool
run_case(struct arena *mem, const struct value *c)
{
	struct err err;
	const struct value *context = value_get(c, "context"),
			   *credentials = value_get(context, "credentials");
	const char *id = str_cstr(mem, value_get_str(c, "id"));
	struct request r = parse_request(mem, value_get_str(c, "request"));
	struct span at;
	if (!time_parse(value_get_str(context, "timestamp"), &at, &err))
		return false;
	struct sigv4_keys keys = {value_get_str(credentials, "access_key_id"),
		value_get_str(credentials, "secret_access_key"),
		value_get_str(credentials, "token")};
	struct sigv4 request = {
		.method = r.method,
		.path = r.path,
		.query = r.query,
		.headers = r.headers,
		.n_headers = r.n_headers,
		.payload = sha256_hex(mem, r.body),
		.service = str_cstr(mem, value_get_str(context, "service")),
		.region = str_cstr(mem, value_get_str(context, "region")),
		.at = span_us(at),
		.keep_dots = !value_get_bool(context, "normalize", true),
		.sign_payload_header = value_get_bool(context, "sign_body", false),
		.token_unsigned = value_get_bool(context, "omit_session_token", false),
		.expires = value_get_int(context, "expiration_in_seconds", 0),
	};
	struct sigv4_signed header = sigv4_header(mem, &request, &keys),
			    query = sigv4_query(mem, &request, &keys);
	bool ok = judge(id, value_get(c, "header"), &header);
	return judge(id, value_get(c, "query"), &query) && ok;
}

int
main(int argc, char **argv)
{
	return conformance_main("sigv4/cases.jsonl", argc, argv, run_case);
}
