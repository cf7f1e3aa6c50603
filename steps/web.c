#include "../steps/web.h"

#include <strings.h>

bool
web_names_header(const struct value *headers, const char *name)
{
	for (size_t i = 0;
		headers != NULL && headers->kind == V_MAP && i < headers->map->n; i++) {
		struct str key = headers->map->members[i].key.str;
		if (key.n == strlen(name) && strncasecmp(key.p, name, key.n) == 0)
			return true;
	}
	return false;
}

static void
form_encode(struct buf *out, struct str text)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
			|| (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
		if (plain && c != '\0')
			buf_putc(out, (char)c);
		else
			buf_add(out,
				(struct str){
					(char[]){'%', digits[c >> 4], digits[c & 15]},
					3});
	}
}

static struct str
form_text(struct arena *mem, const struct value *form)
{
	struct buf out = buf_in(mem);
	for (size_t i = 0; i < form->map->n; i++) {
		if (i > 0)
			buf_putc(&out, '&');
		form_encode(&out, form->map->members[i].key.str);
		buf_putc(&out, '=');
		form_encode(&out, form->map->members[i].value.str);
	}
	return buf_str(&out);
}

static struct str
body_of(struct step *step, const char **type)
{
	const struct value *json = value_get(step->in, "json"),
			   *form = value_get(step->in, "form");
	*type = NULL;
	if (json != NULL) {
		*type = "Content-Type: application/json";
		return str_of(json_text(step->mem, json, JSON_COMPACT));
	}
	if (form != NULL && form->kind == V_MAP) {
		*type = "Content-Type: application/x-www-form-urlencoded";
		return form_text(step->mem, form);
	}
	return value_get_str(step->in, "body");
}

static const char *
text_argument(struct step *step, const char *name)
{
	struct str text = value_get_str(step->in, name);
	return text.n == 0 ? NULL : str_cstr(step->mem, text);
}

struct http_ask
web_ask(struct step *step, const char *url, const char *extra)
{
	const struct value *headers = value_get(step->in, "headers");
	size_t most = headers == NULL || headers->kind != V_MAP ? 0 : headers->map->n,
	       n = 0;
	const char **lines = arena_array(step->mem, const char *, most + 3), *type;
	struct str body = body_of(step, &type);
	for (size_t i = 0; i < most; i++)
		lines[n++] = arena_printf(step->mem, "%.*s: %.*s",
			STR_FMT(headers->map->members[i].key.str),
			STR_FMT(headers->map->members[i].value.str));
	if (type != NULL && !web_names_header(headers, "Content-Type"))
		lines[n++] = type;
	if (extra != NULL)
		lines[n++] = extra;
	return (struct http_ask){
		.method = text_argument(step, "method"),
		.url = url != NULL ? url : text_argument(step, "url"),
		.headers = lines,
		.connect_to = text_argument(step, "connect_to"),
		.resolver = text_argument(step, "resolver"),
		.ca_file = text_argument(step, "ca"),
		.body = body,
		.addresses = step->addresses,
		.most = (size_t)value_get_int(step->in, "max_body", 1 << 20),
	};
}

int64_t
cert_days_left(const struct cert *cert, struct now now)
{
	return (cert->not_after - now.wall) / (86400 * INT64_C(1000000));
}

const char *
web_header(const struct http_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (strcmp(answer->headers[i].name, name) == 0)
			return answer->headers[i].value;
	return NULL;
}

const char *
web_headers(struct arena *mem, const struct http_answer *answer, const char *name)
{
	const char *all = NULL;
	for (size_t i = 0; i < answer->n_headers; i++) {
		const struct header *header = &answer->headers[i];
		if (strcmp(header->name, name) == 0)
			all = all == NULL
				? header->value
				: arena_printf(mem, "%s, %s", all, header->value);
	}
	return all;
}

static bool
is_first(const struct http_answer *answer, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(answer->headers[i].name, answer->headers[at].name) == 0)
			return false;
	return true;
}

struct map_builder
web_answer(struct step *step, struct now now, const struct http_answer *answer)
{
	struct map_builder map = {.mem = step->mem}, headers = {.mem = step->mem};
	struct value json;
	struct err ignored;
	for (size_t i = 0; i < answer->n_headers; i++) {
		const char *name = answer->headers[i].name;
		if (is_first(answer, i))
			map_put(&headers, name,
				value_str(str_of(web_headers(step->mem, answer, name))));
	}
	map_put(&map, "status", value_int(answer->status));
	map_put(&map, "headers", map_done(&headers));
	map_put(&map, "text", value_str(answer->body));
	if (answer->body.n > 0
		&& json_parse(step->mem, answer->body, NULL, &json, &ignored))
		map_put(&map, "json", json);
	map_put(&map, "time", value_duration_ns(answer->total_ns));
	if (answer->address != NULL)
		map_put(&map, "address", value_str(str_of(answer->address)));
	if (answer->n_certs > 0)
		map_put(&map, "tls_days_left",
			value_int(cert_days_left(&answer->certs[0], now)));
	return map;
}

bool
web_is_down(const struct op *op)
{
	const struct http_answer *answer = op->answer;
	if (op->err.code == ERR_NONE)
		return answer->status >= 500;
	return op->err.code == ERR_CONNECT || op->err.code == ERR_NETWORK
		|| op->err.code == ERR_TIMEOUT;
}

/* Scheme and colon of an absolute URL (RFC 3986, 3.1); 0: it has none. */
static size_t
scheme_length(struct str url)
{
	for (size_t i = 0; i < url.n; i++) {
		char c = url.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
		if (c == ':')
			return i == 0 ? 0 : i + 1;
		if (!letter && !(other && i > 0))
			return 0;
	}
	return 0;
}

static struct str
cut_at_any(struct str text, const char *ends)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\0' && strchr(ends, text.p[i]) != NULL)
			return (struct str){text.p, i};
	return text;
}

/* "https://host:port" of a URL. */
static struct str
origin_of(struct str url)
{
	size_t scheme = scheme_length(url);
	struct str rest = str_from(url, scheme);
	if (!str_starts(rest, STR("//")))
		return (struct str){url.p, 0};
	struct str host = cut_at_any(str_from(rest, 2), "/?#");
	return (struct str){url.p, scheme + 2 + host.n};
}

static const char *
resolved(struct arena *mem, struct str from, struct str to)
{
	struct str origin = origin_of(from), path = cut_at_any(from, "?#");
	size_t folder = path.n;
	if (scheme_length(to) > 0)
		return str_cstr(mem, to);
	if (str_starts(to, STR("//")))
		return arena_printf(mem, "%.*s%.*s", (int)scheme_length(from), from.p,
			STR_FMT(to));
	if (str_starts(to, STR("/")))
		return arena_printf(mem, "%.*s%.*s", STR_FMT(origin), STR_FMT(to));
	if (to.n == 0)
		return str_cstr(mem, from);
	if (str_starts(to, STR("?")))
		return arena_printf(mem, "%.*s%.*s", STR_FMT(path), STR_FMT(to));
	while (folder > origin.n && from.p[folder - 1] != '/')
		folder--;
	return arena_printf(mem, "%.*s%s%.*s", (int)folder, from.p,
		folder == origin.n ? "/" : "", STR_FMT(to));
}

const char *
web_redirect(struct arena *mem, const char *base, const char *location, bool *same_origin)
{
	struct str from = str_of(base), to = cut_at_any(str_of(location), "#");
	const char *url = resolved(mem, from, to);
	struct str origin = origin_of(str_of(url));
	*same_origin = str_eq(origin, origin_of(from));
	if (memchr(origin.p, '@', origin.n) != NULL)
		return NULL; /* a name and a password, as url: refuses them */
	bool was_https = strncasecmp(base, "https:", 6) == 0,
	     is_https = strncasecmp(url, "https:", 6) == 0,
	     is_http = strncasecmp(url, "http:", 5) == 0;
	return is_https || (is_http && !was_https) ? url : NULL;
}

const char *
web_told(struct step *step, const struct http_answer *answer)
{
	enum { MOST = 80 };
	const char *location = web_header(answer, "location"),
		   *type = web_header(answer, "content-type");
	struct value text = value_str(answer->body);
	if (answer->status >= 300 && answer->status < 400 && location != NULL)
		return arena_printf(
			step->mem, "%d, a redirect to '%s'", answer->status, location);
	bool is_page = type != NULL && strncasecmp(type, "text/html", 9) == 0;
	if (answer->status < 400 || answer->body.n == 0 || is_page
		|| !str_is_utf8(answer->body))
		return arena_printf(step->mem, "%d", answer->status);
	return arena_printf(step->mem, "%d: %s", answer->status,
		value_short(step->mem, &text, MOST));
}
