#include "show/line.h"

enum { MOST_ITEMS = 100, MOST_TEXT = 300, DEEPEST = 6 };

/* As somebody would write it in a playbook: "name: app.example.org, type: A, alias: {to:
 * …}". */
static void
flow(struct buf *out, const struct value *v, unsigned depth)
{
	bool list = v->kind == V_LIST;
	if (v->flags & VALUE_SECRET || depth > DEEPEST || (v->kind != V_MAP && !list)) {
		bool plain =
			v->kind == V_STRING && !(v->flags & VALUE_SECRET) && v->str.n > 0;
		if (plain)
			buf_safe(out, v->str, false);
		else
			buf_puts(out, value_short(out->mem, v, MOST_TEXT));
		return;
	}
	size_t n = list ? v->list.n : v->map->n;
	if (depth > 0 || list)
		buf_putc(out, list ? '[' : '{');
	for (size_t i = 0; i < n; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		if (!list)
			buf_printf(out, "%.*s: ", STR_FMT(v->map->members[i].key.str));
		flow(out, list ? &v->list.items[i] : &v->map->members[i].value,
			depth + 1);
	}
	if (depth > 0 || list)
		buf_putc(out, list ? ']' : '}');
}

static void
one(struct buf *out, const struct style *style, char sign, const char *name,
	const struct value *v, unsigned indent)
{
	buf_fill(out, ' ', indent);
	style_on(out, style, sign == '-' ? TONE_BAD : sign == '+' ? TONE_GOOD : TONE_DIM);
	buf_printf(out, "%c ", sign);
	if (name != NULL)
		buf_printf(out, "%s: ", name);
	struct buf text = buf_in(out->mem);
	flow(&text, v, 0);
	buf_add(out, text_cut(out->mem, buf_str(&text), MOST_TEXT, style->ascii));
	style_off(out, style);
	buf_putc(out, '\n');
}

static void
diff_lists(struct buf *out, const struct style *style, const struct value *before,
	const struct value *after, unsigned indent)
{
	size_t n = before->list.n > after->list.n ? before->list.n : after->list.n;
	for (size_t i = 0; i < n && i < MOST_ITEMS; i++) {
		const struct value *a =
			i < before->list.n ? &before->list.items[i] : NULL;
		const struct value *b = i < after->list.n ? &after->list.items[i] : NULL;
		if (a != NULL && b != NULL && value_equal(a, b)) {
			one(out, style, ' ', NULL, a, indent);
			continue;
		}
		if (a != NULL)
			one(out, style, '-', NULL, a, indent);
		if (b != NULL)
			one(out, style, '+', NULL, b, indent);
	}
}

static void
diff_maps(struct buf *out, const struct style *style, const struct value *before,
	const struct value *after, unsigned indent)
{
	for (size_t i = 0; i < before->map->n; i++) {
		const struct member *member = &before->map->members[i];
		const char *name = str_cstr(out->mem, member->key.str);
		const struct value *now = value_get(after, name);
		if (now == NULL || !value_equal(now, &member->value))
			one(out, style, '-', name, &member->value, indent);
	}
	for (size_t i = 0; i < after->map->n; i++) {
		const struct member *member = &after->map->members[i];
		const char *name = str_cstr(out->mem, member->key.str);
		const struct value *was = value_get(before, name);
		if (was == NULL || !value_equal(was, &member->value))
			one(out, style, '+', name, &member->value, indent);
	}
}

void
diff_write(struct buf *out, const struct style *style, const struct value *before,
	const struct value *after, unsigned indent)
{
	if (before != NULL && before->kind == V_NULL)
		before = NULL;
	if (before != NULL && after != NULL && before->kind == V_LIST
		&& after->kind == V_LIST) {
		diff_lists(out, style, before, after, indent);
		return;
	}
	if (before != NULL && after != NULL && before->kind == V_MAP
		&& after->kind == V_MAP) {
		diff_maps(out, style, before, after, indent);
		return;
	}
	if (before != NULL)
		one(out, style, '-', NULL, before, indent);
	if (after != NULL && after->kind == V_MAP)
		for (size_t i = 0; i < after->map->n; i++)
			one(out, style, '+',
				str_cstr(out->mem, after->map->members[i].key.str),
				&after->map->members[i].value, indent);
	else if (after != NULL)
		one(out, style, '+', NULL, after, indent);
}
