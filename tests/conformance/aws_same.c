#include "aws_case.h"

#include <math.h>
#include <stdlib.h>

#include "data/xml.h"

/* ---- queries and forms */

static int
digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

static struct str
decoded(struct arena *mem, struct str text)
{
	struct buf out = buf_in(mem);
	for (size_t i = 0; i < text.n; i++) {
		bool is_code = text.p[i] == '%' && i + 2 < text.n
			&& digit_of(text.p[i + 1]) >= 0 && digit_of(text.p[i + 2]) >= 0;
		if (!is_code) {
			buf_putc(&out, text.p[i]);
			continue;
		}
		buf_putc(&out,
			(char)(digit_of(text.p[i + 1]) << 4 | digit_of(text.p[i + 2])));
		i += 2;
	}
	return buf_str(&out);
}

struct pair { struct str name, value; };
struct pairs { struct pair *items; size_t n; };

static int
by_name(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int order = str_cmp(x->name, y->name);
	return order != 0 ? order : str_cmp(x->value, y->value);
}

static struct pairs
pairs_of(struct arena *mem, struct str text)
{
	size_t most = 1;
	for (size_t i = 0; i < text.n; i++)
		most += text.p[i] == '&';
	struct pairs pairs = {arena_array(mem, struct pair, most), 0};
	while (text.n > 0) {
		struct str value, name = str_cut(str_cut(text, '&', &text), '=', &value);
		pairs.items[pairs.n++] =
			(struct pair){decoded(mem, name), decoded(mem, value)};
	}
	qsort(pairs.items, pairs.n, sizeof *pairs.items, by_name);
	return pairs;
}

bool
same_query(struct arena *mem, struct str want, struct str got)
{
	struct pairs a = pairs_of(mem, want), b = pairs_of(mem, got);
	bool same = a.n == b.n;
	for (size_t i = 0; same && i < a.n; i++)
		same = by_name(&a.items[i], &b.items[i]) == 0;
	return same;
}

/* ---- JSON */

bool
same_json(struct arena *mem, struct str want, struct str got)
{
	struct value a, b;
	struct err err;
	return json_parse(mem, want, NULL, &a, &err)
		&& json_parse(mem, got, NULL, &b, &err) && value_equal(&a, &b);
}

/* ---- XML */

static bool
holds_attribute(const struct xml *node, const struct xml_attribute *attribute)
{
	for (size_t i = 0; i < node->n_attributes; i++)
		if (str_eq(node->attributes[i].name, attribute->name)
			&& str_eq(node->attributes[i].value, attribute->value))
			return true;
	return false;
}

static size_t
count_children(const struct xml *node)
{
	size_t n = 0;
	for (const struct xml *it = node->first; it != NULL; it = it->next)
		n++;
	return n;
}

static bool
same_node(const struct xml *a, const struct xml *b);

/* The nth of its name: members come in any order, items in theirs. */
static const struct xml *
peer_of(const struct xml *parent, const struct xml *child, const struct xml *other)
{
	size_t nth = 0;
	for (const struct xml *it = parent->first; it != child; it = it->next)
		nth += str_eq(it->name, child->name);
	for (const struct xml *it = other->first; it != NULL; it = it->next)
		if (str_eq(it->name, child->name) && nth-- == 0)
			return it;
	return NULL;
}

static bool
same_children(const struct xml *a, const struct xml *b)
{
	for (const struct xml *it = a->first; it != NULL; it = it->next) {
		const struct xml *peer = peer_of(a, it, b);
		if (peer == NULL || !same_node(it, peer))
			return false;
	}
	return true;
}

static bool
same_node(const struct xml *a, const struct xml *b)
{
	if (!str_eq(a->name, b->name) || a->n_attributes != b->n_attributes
		|| count_children(a) != count_children(b))
		return false;
	for (size_t i = 0; i < a->n_attributes; i++)
		if (!holds_attribute(b, &a->attributes[i]))
			return false;
	/* Between elements stand blanks only. */
	return (a->first != NULL || str_eq(a->text, b->text)) && same_children(a, b);
}

bool
same_xml(struct arena *mem, struct str want, struct str got)
{
	struct err err;
	const struct xml *a = xml_parse(mem, str_trim(want), &err),
			 *b = xml_parse(mem, got, &err);
	return a != NULL && b != NULL && same_node(a, b);
}

/* ---- results */

static double
number_of(const struct value *v)
{
	return v->kind == V_INT ? (double)v->i
		: v->kind == V_UINT ? (double)v->u
		: v->kind == V_DOUBLE ? v->d
				      : NAN;
}

static bool
same_special(const struct value *want, double got)
{
	const char *word = isnan(got) ? "NaN" : got > 0 ? "Infinity" : "-Infinity";
	return want->kind == V_STRING && !isfinite(got) && str_is(want->str, word);
}

static bool
same_list(const struct value *want, const struct value *got)
{
	bool same = want->kind == V_LIST && want->list.n == got->list.n;
	for (size_t i = 0; same && i < want->list.n; i++)
		same = same_value(&want->list.items[i], &got->list.items[i]);
	return same;
}

static bool
same_map(const struct value *want, const struct value *got)
{
	bool same = want->kind == V_MAP && want->map->n == got->map->n;
	for (size_t i = 0; same && i < want->map->n; i++) {
		const struct value *found =
			map_at(got->map, want->map->members[i].key.str);
		same = found != NULL
			&& same_value(&want->map->members[i].value, found);
	}
	return same;
}

bool
same_value(const struct value *want, const struct value *got)
{
	switch ((enum value_kind)got->kind) {
	case V_MAP: return same_map(want, got);
	case V_LIST: return same_list(want, got);
	case V_BYTES: return want->kind == V_STRING && str_eq(want->str, got->str);
	case V_TIMESTAMP:
		return fabs(number_of(want) - (double)got->span.s - got->span.ns / 1e9)
			< 1e-4;
	case V_DOUBLE:
		return isfinite(got->d) ? value_equal(want, got)
					: same_special(want, got->d);
	default: return want->kind == got->kind && value_equal(want, got);
	}
}
