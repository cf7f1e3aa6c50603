#include "../steps/aws/sigv4.h"

#include <stdio.h>
#include <stdlib.h>

static const char hex_digits[] = "0123456789ABCDEF";

struct pair { struct str name, value; size_t order; };

struct times { char day[9], second[17]; };

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
		|| c == '-' || c == '.' || c == '_' || c == '~';
}

void
uri_encode(struct buf *out, struct str text, bool keep_slash)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (is_unreserved((char)c) || (keep_slash && c == '/'))
			buf_putc(out, (char)c);
		else
			buf_add(out,
				(struct str){(char[]){'%', hex_digits[c >> 4],
						     hex_digits[c & 15]},
					3});
	}
}

static int
hex_value(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
				       : -1;
}

/* One form for each name and value of the query, however it was written: decoded and
 * encoded again. */
static struct str
encode_again(struct arena *mem, struct str text)
{
	struct buf plain = buf_in(mem), out = buf_in(mem);
	for (size_t i = 0; i < text.n; i++) {
		bool coded = text.p[i] == '%' && i + 2 < text.n
			&& hex_value(text.p[i + 1]) >= 0 && hex_value(text.p[i + 2]) >= 0;
		if (!coded) {
			buf_putc(&plain, text.p[i]);
			continue;
		}
		buf_putc(&plain,
			(char)(hex_value(text.p[i + 1]) << 4 | hex_value(text.p[i + 2])));
		i += 2;
	}
	uri_encode(&out, buf_str(&plain), false);
	return buf_str(&out);
}

static int
by_name_and_value(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = str_cmp(x->name, y->name);
	return c != 0 ? c : str_cmp(x->value, y->value);
}

static int
by_name_and_order(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int c = str_cmp(x->name, y->name);
	return c != 0 ? c : x->order < y->order ? -1 : x->order > y->order;
}

static void
canonical_query(struct arena *mem, struct buf *out, struct str query)
{
	size_t n = 0, most = 1;
	for (size_t i = 0; i < query.n; i++)
		most += query.p[i] == '&';
	struct pair *pairs = arena_array(mem, struct pair, most);
	for (struct str rest = query; rest.n > 0;) {
		struct str value, part = str_cut(rest, '&', &rest);
		if (part.n == 0)
			continue;
		struct str name = str_cut(part, '=', &value);
		pairs[n++] = (struct pair){
			encode_again(mem, name), encode_again(mem, value), 0};
	}
	qsort(pairs, n, sizeof *pairs, by_name_and_value);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s%.*s=%.*s", i > 0 ? "&" : "", STR_FMT(pairs[i].name),
			STR_FMT(pairs[i].value));
}

/* RFC 3986, 5.2.4, and no empty segments. */
static struct str
normalise(struct arena *mem, struct str path)
{
	struct buf out = buf_in(mem);
	bool folder = true;
	for (struct str rest = path; rest.p != NULL && rest.n > 0;) {
		struct str part = str_cut(rest, '/', &rest);
		folder = rest.p != NULL && rest.n == 0;
		if (part.n == 0 || str_is(part, ".")) {
			folder = true;
		} else if (str_is(part, "..")) {
			while (out.n > 0 && out.p[out.n - 1] != '/')
				buf_cut(&out, out.n - 1);
			if (out.n > 0)
				buf_cut(&out, out.n - 1);
			folder = true;
		} else {
			buf_printf(&out, "/%.*s", STR_FMT(part));
		}
	}
	if (folder || out.n == 0)
		buf_putc(&out, '/');
	return buf_str(&out);
}

static void
canonical_path(struct arena *mem, struct buf *out, const struct sigv4 *request)
{
	struct str path = request->path.n == 0 ? STR("/") : request->path;
	if (request->is_s3) {
		buf_add(out, path);
		return;
	}
	uri_encode(out, request->keep_dots ? path : normalise(mem, path), true);
}

static struct str
lower(struct arena *mem, struct str name)
{
	struct str copy = str_copy(mem, name);
	for (size_t i = 0; i < copy.n; i++)
		if (copy.p[i] >= 'A' && copy.p[i] <= 'Z')
			((char *)copy.p)[i] += 'a' - 'A';
	return copy;
}

static struct str
squeeze(struct arena *mem, struct str value)
{
	struct buf out = buf_in(mem);
	value = str_trim(value);
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != ' ' || value.p[i - 1] != ' ')
			buf_putc(&out, value.p[i]);
	return buf_str(&out);
}

/* "name:value\n" of each, sorted, values of one name joined by commas; the names alone go
 * to `names`. */
static void
canonical_headers(struct arena *mem, struct buf *out, struct buf *names,
	const struct header *headers, size_t n)
{
	struct pair *pairs = arena_array(mem, struct pair, n + 1);
	for (size_t i = 0; i < n; i++)
		pairs[i] = (struct pair){lower(mem, str_of(headers[i].name)),
			squeeze(mem, str_of(headers[i].value)), i};
	qsort(pairs, n, sizeof *pairs, by_name_and_order);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && str_eq(pairs[i - 1].name, pairs[i].name)) {
			buf_cut(out, out->n - 1);
			buf_printf(out, ",%.*s\n", STR_FMT(pairs[i].value));
			continue;
		}
		buf_printf(out, "%.*s:%.*s\n", STR_FMT(pairs[i].name),
			STR_FMT(pairs[i].value));
		buf_printf(
			names, "%s%.*s", names->n > 0 ? ";" : "", STR_FMT(pairs[i].name));
	}
}

static struct times
times_of(int64_t us)
{
	struct times t;
	int64_t s = us / 1000000, year;
	unsigned month, day, rest = (unsigned)(s % 86400);
	civil_from_days(s / 86400, &year, &month, &day);
	snprintf(t.day, sizeof t.day, "%04u%02u%02u", (unsigned)year % 10000u,
		month % 100u, day % 100u);
	snprintf(t.second, sizeof t.second, "%sT%02u%02u%02uZ", t.day, rest / 3600 % 24,
		rest / 60 % 60, rest % 60);
	return t;
}

static const char *
sign(struct arena *mem, const struct sigv4 *request, struct str secret, const char *day,
	const char *to_sign)
{
	uint8_t key[SHA256_SIZE];
	struct buf first = buf_in(mem);
	buf_puts(&first, "AWS4");
	buf_add(&first, secret);
	hmac_sha256(buf_str(&first), str_of(day), key);
	explicit_bzero(first.p, first.n);
	const char *const parts[] = {
		request->region, request->service, "aws4_request", to_sign};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		uint8_t next[SHA256_SIZE];
		hmac_sha256(
			(struct str){(char *)key, sizeof key}, str_of(parts[i]), next);
		memcpy(key, next, sizeof key);
	}
	const char *signature = hex_text(mem, key, sizeof key);
	explicit_bzero(key, sizeof key);
	return signature;
}

static const char *
scope_of(struct arena *mem, const struct sigv4 *request, const char *day)
{
	return arena_printf(
		mem, "%s/%s/%s/aws4_request", day, request->region, request->service);
}

static struct sigv4_signed
sign_canonical(struct arena *mem, const struct sigv4 *request,
	const struct sigv4_keys *keys, const char *canonical, const struct times *t)
{
	struct sigv4_signed out = {.canonical = canonical};
	out.to_sign = arena_printf(mem, "AWS4-HMAC-SHA256\n%s\n%s\n%s", t->second,
		scope_of(mem, request, t->day), sha256_hex(mem, str_of(canonical)));
	out.signature = sign(mem, request, keys->secret, t->day, out.to_sign);
	return out;
}

static const char *
canonical_of(struct arena *mem, const struct sigv4 *request, struct str query,
	const struct header *headers, size_t n, const char **names)
{
	struct buf out = buf_in(mem), list = buf_in(mem), block = buf_in(mem);
	buf_printf(&out, "%s\n", request->method);
	canonical_path(mem, &out, request);
	buf_putc(&out, '\n');
	canonical_query(mem, &out, query);
	canonical_headers(mem, &block, &list, headers, n);
	buf_printf(&out, "\n%s\n%s\n%s", buf_cstr(&block), buf_cstr(&list),
		request->payload);
	*names = buf_cstr(&list);
	return out.p;
}

struct sigv4_signed
sigv4_header(
	struct arena *mem, const struct sigv4 *request, const struct sigv4_keys *keys)
{
	struct times t = times_of(request->at);
	struct header *all = arena_array(mem, struct header, request->n_headers + 4),
		      *added;
	size_t n = request->n_headers;
	if (n > 0)
		memcpy(all, request->headers, n * sizeof *all);
	added = all + n;
	all[n++] = (struct header){"X-Amz-Date", arena_strdup(mem, t.second)};
	if (request->sign_payload_header)
		all[n++] = (struct header){"x-amz-content-sha256", request->payload};
	struct header token = {"X-Amz-Security-Token", str_cstr(mem, keys->token)};
	if (keys->token.n > 0 && !request->token_unsigned)
		all[n++] = token;
	const char *names;
	const char *canonical =
		canonical_of(mem, request, request->query, all, n, &names);
	struct sigv4_signed out = sign_canonical(mem, request, keys, canonical, &t);
	if (keys->token.n > 0 && request->token_unsigned)
		all[n++] = token;
	all[n++] = (struct header){"Authorization", arena_printf(mem,
		"AWS4-HMAC-SHA256 Credential=%.*s/%s, SignedHeaders=%s, Signature=%s", STR_FMT(keys->id),
		scope_of(mem, request, t.day), names, out.signature)};
	out.headers = added;
	out.n_headers = n - request->n_headers;
	return out;
}

static void
add_parameter(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s%s=", out->n > 0 ? "&" : "", name);
	uri_encode(out, str_of(value), false);
}

struct sigv4_signed
sigv4_query(struct arena *mem, const struct sigv4 *request, const struct sigv4_keys *keys)
{
	struct times t = times_of(request->at);
	struct buf block = buf_in(mem), names = buf_in(mem), query = buf_in(mem);
	canonical_headers(mem, &block, &names, request->headers, request->n_headers);
	buf_add(&query, request->query);
	add_parameter(&query, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
	add_parameter(&query, "X-Amz-Credential",
		arena_printf(mem, "%.*s/%s", STR_FMT(keys->id),
			scope_of(mem, request, t.day)));
	add_parameter(&query, "X-Amz-Date", t.second);
	add_parameter(&query, "X-Amz-SignedHeaders", buf_cstr(&names));
	add_parameter(&query, "X-Amz-Expires",
		arena_printf(mem, "%lld", (long long)request->expires));
	const char *token = str_cstr(mem, keys->token), *signed_names;
	if (token[0] != '\0' && !request->token_unsigned)
		add_parameter(&query, "X-Amz-Security-Token", token);
	const char *canonical = canonical_of(mem, request, buf_str(&query),
		request->headers, request->n_headers, &signed_names);
	struct sigv4_signed out = sign_canonical(mem, request, keys, canonical, &t);
	if (token[0] != '\0' && request->token_unsigned)
		add_parameter(&query, "X-Amz-Security-Token", token);
	add_parameter(&query, "X-Amz-Signature", out.signature);
	out.query = buf_cstr(&query);
	return out;
}
