#include "data/field_value.h"

#include <stdlib.h>

#include "data/json.h"

static struct value
text_like(const struct value *v, struct str text)
{
	struct value out = value_str(text);
	out.flags = v->flags & VALUE_SECRET;
	out.source = v->source;
	out.from = v->from;
	out.to = v->to;
	return out;
}

bool
value_to_text(struct arena *mem, const struct value *v, struct value *out)
{
	struct value bare = *v;
	bare.flags = 0;
	switch (v->kind) {
	case V_STRING:
		*out = *v;
		return true;
	case V_BOOL: case V_INT: case V_UINT: case V_DOUBLE:
		*out = text_like(v,
			str_of(v->raw != NULL ? v->raw
					      : json_text(mem, &bare, JSON_COMPACT)));
		return true;
	case V_TIMESTAMP:
		*out = text_like(v, str_of(time_text(mem, v->span)));
		return true;
	case V_DURATION:
		*out = text_like(v, str_of(duration_text(mem, span_ns(v->span))));
		return true;
	default:
		return false;
	}
}

static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
		|| c == '-' || c == '_';
}

bool
text_is_hostname(struct str text)
{
	if (text.n == 0 || text.n > 253)
		return false;
	struct str rest = text;
	do {
		struct str label = str_cut(rest, '.', &rest);
		if (label.n == 0)
			return rest.p != NULL && rest.n == 0
				? false
				: rest.p == NULL && text.p[text.n - 1] == '.';
		if (label.n > 63 || label.p[0] == '-' || label.p[label.n - 1] == '-')
			return false;
		for (size_t i = 0; i < label.n; i++)
			if (!is_name_char(label.p[i]))
				return false;
	} while (rest.p != NULL);
	return true;
}

static bool
is_port(struct str text)
{
	int64_t port;
	return str_int(text, &port) && port >= 1 && port <= 65535 && text.p[0] != '+';
}

static bool
is_address6(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (strchr("0123456789abcdefABCDEF:.%", text.p[i]) == NULL)
			return false;
	return str_find(text, STR(":")) < text.n;
}

bool
text_is_host_port(struct str text, struct err *err)
{
	struct str host = text, port = {0};
	for (size_t i = text.n; i > 0 && port.p == NULL; i--)
		if (text.p[i - 1] == ':') {
			port = str_from(text, i);
			host.n = i - 1;
		}
	bool six = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
	if (six)
		host = (struct str){host.p + 1, host.n - 2};
	if (port.p != NULL && is_port(port)
		&& (six ? is_address6(host) : text_is_hostname(host)))
		return true;
	return err_set(
		err, ERR_VALUE, "host:port, as db.example.org:5432 or [2001:db8::1]:53");
}

static bool
has_control(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
			return true;
	return false;
}

bool
text_is_url(struct str text, struct err *err)
{
	struct str rest = {0};
	if (str_starts(text, STR("https://")))
		rest = str_from(text, 8);
	else if (str_starts(text, STR("http://")))
		rest = str_from(text, 7);
	if (has_control(text))
		return err_set(err, ERR_VALUE, "a URL without a control character");
	if (rest.n == 0 || str_find(text, STR(" ")) < text.n)
		return err_set(err, ERR_VALUE, "an http or https URL");
	size_t end = 0;
	while (end < rest.n && strchr("/?#", rest.p[end]) == NULL)
		end++;
	struct str host = {rest.p, end}, port;
	if (str_find(host, STR("@")) < host.n)
		return err_set(err, ERR_VALUE, "a URL without user and password");
	if (host.n > 0 && host.p[0] == '[') {
		size_t close = str_find(host, STR("]"));
		port = str_from(host, close + 1 < host.n ? close + 1 : host.n);
		if (close < host.n && is_address6((struct str){host.p + 1, close - 1})
			&& (port.n == 0
				|| (port.p[0] == ':' && is_port(str_from(port, 1)))))
			return true;
		return err_set(err, ERR_VALUE, "an http or https URL");
	}
	host = str_cut(host, ':', &port);
	if (!text_is_hostname(host) || (port.p != NULL && !is_port(port)))
		return err_set(err, ERR_VALUE, "an http or https URL");
	return true;
}

bool
text_is_s3(struct str text, struct err *err)
{
	struct str key,
		bucket = str_cut(str_starts(text, STR("s3://")) ? str_from(text, 5)
								: (struct str){0},
			'/', &key);
	bool good = bucket.n >= 3 && bucket.n <= 63 && key.p != NULL;
	for (size_t i = 0; i < bucket.n; i++)
		good &= is_name_char(bucket.p[i]) || bucket.p[i] == '.';
	return good
		|| err_set(err, ERR_VALUE,
			"a place on S3: s3://bucket/key, or s3://bucket/ for all "
			"objects");
}

struct str
path_absolute(struct arena *mem, const char *folder, struct str path)
{
	const char *home = getenv("HOME");
	if (str_starts(path, STR("~/")) && home != NULL)
		return str_of(
			arena_printf(mem, "%s%.*s", home, STR_FMT(str_from(path, 1))));
	if (path.n == 0 || path.p[0] == '/' || folder == NULL)
		return path;
	return str_of(arena_printf(mem, "%s/%.*s", folder, STR_FMT(path)));
}
