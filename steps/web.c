#include "../steps/web.h"

#include <strings.h>

static bool
names_header(const struct value *headers, const char *name)
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
	if (type != NULL && !names_header(headers, "Content-Type"))
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

struct map_builder
web_answer(struct step *step, struct now now, const struct http_answer *answer)
{
	struct map_builder map = {.mem = step->mem}, headers = {.mem = step->mem};
	struct value json;
	struct err ignored;
	for (size_t i = 0; i < answer->n_headers; i++)
		map_put(&headers, answer->headers[i].name,
			value_str(str_of(answer->headers[i].value)));
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

/* "https://host:port" of a URL. */
static struct str
origin_of(struct str url)
{
	size_t scheme = str_find(url, STR("://"));
	struct str rest, host = str_cut(str_from(url, scheme + 3), '/', &rest);
	return (struct str){url.p, scheme == url.n ? 0 : scheme + 3 + host.n};
}

const char *
web_redirect(struct arena *mem, const char *base, const char *location, bool *same_origin)
{
	struct str to = str_of(location), from = str_of(base), origin = origin_of(from);
	const char *url;
	if (str_starts(to, STR("//"))) {
		struct str scheme = {from.p, str_find(from, STR("//"))};
		url = arena_printf(mem, "%.*s%s", STR_FMT(scheme), location);
	} else if (str_find(to, STR("://")) < to.n) {
		url = location;
	} else if (str_starts(to, STR("/"))) {
		url = arena_printf(mem, "%.*s%s", STR_FMT(origin), location);
	} else {
		size_t folder = from.n;
		while (folder > origin.n && from.p[folder - 1] != '/')
			folder--;
		url = arena_printf(mem, "%.*s%s%s", (int)folder, base,
			folder == origin.n ? "/" : "", location);
	}
	*same_origin = str_eq(origin_of(str_of(url)), origin);
	bool was_https = strncmp(base, "https:", 6) == 0,
	     is_https = strncmp(url, "https:", 6) == 0;
	bool is_http = strncmp(url, "http:", 5) == 0;
	return is_https || (is_http && !was_https) ? url : NULL;
}
