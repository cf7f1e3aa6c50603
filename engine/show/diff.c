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
line(struct buf *out, const struct style *style, char sign, const char *name,
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

/* The members that are the same in both and no map or list: what a person knows it by.
 * false: there are none. */
static bool
same_members(struct arena *mem, const struct value *a, const struct value *b,
	struct value *out)
{
	struct map_builder same = {.mem = mem};
	for (size_t i = 0; i < a->map->n; i++) {
		const struct member *member = &a->map->members[i];
		const struct value *other =
			value_get(b, str_cstr(mem, member->key.str));
		if (other != NULL && value_equal(other, &member->value)
			&& member->value.kind != V_MAP && member->value.kind != V_LIST)
			map_put_str(&same, member->key.str, member->value);
	}
	*out = map_done(&same);
	return out->map->n > 0;
}

static void diff_maps(struct buf *out, const struct style *style, const char *around,
	const struct value *before, const struct value *after, unsigned indent);

/* Two that stand in the same place of a list: what they share once, then what differs. */
static void
diff_items(struct buf *out, const struct style *style, const struct value *before,
	const struct value *after, unsigned indent)
{
	struct value same;
	if (before->kind == V_MAP && after->kind == V_MAP
		&& same_members(out->mem, before, after, &same)) {
		line(out, style, '~', NULL, &same, indent);
		diff_maps(out, style, "", before, after, indent + 4);
		return;
	}
	line(out, style, '-', NULL, before, indent);
	line(out, style, '+', NULL, after, indent);
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
		if (a != NULL && b != NULL && value_equal(a, b))
			line(out, style, ' ', NULL, a, indent);
		else if (a != NULL && b != NULL)
			diff_items(out, style, a, b, indent);
		else
			line(out, style, a != NULL ? '-' : '+', NULL,
				a != NULL ? a : b, indent);
	}
}

/* One member: maps by what is in them, under their names joined by dots. */
static void
diff_member(struct buf *out, const struct style *style, const char *name,
	const struct value *before, const struct value *after, unsigned indent)
{
	if (before != NULL && after != NULL && value_equal(before, after))
		return;
	if (before != NULL && after != NULL && before->kind == V_MAP
		&& after->kind == V_MAP) {
		diff_maps(out, style, arena_printf(out->mem, "%s.", name), before, after,
			indent);
		return;
	}
	if (before != NULL)
		line(out, style, '-', name, before, indent);
	if (after != NULL)
		line(out, style, '+', name, after, indent);
}

static void
diff_maps(struct buf *out, const struct style *style, const char *around,
	const struct value *before, const struct value *after, unsigned indent)
{
	for (size_t i = 0; i < before->map->n; i++) {
		const struct member *member = &before->map->members[i];
		const char *key = str_cstr(out->mem, member->key.str);
		diff_member(out, style, arena_printf(out->mem, "%s%s", around, key),
			&member->value, value_get(after, key), indent);
	}
	for (size_t i = 0; i < after->map->n; i++) {
		const struct member *member = &after->map->members[i];
		const char *key = str_cstr(out->mem, member->key.str);
		if (value_get(before, key) == NULL)
			diff_member(out, style,
				arena_printf(out->mem, "%s%s", around, key), NULL,
				&member->value, indent);
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
		diff_maps(out, style, "", before, after, indent);
		return;
	}
	if (before != NULL)
		line(out, style, '-', NULL, before, indent);
	if (after != NULL && after->kind == V_MAP)
		for (size_t i = 0; i < after->map->n; i++)
			line(out, style, '+',
				str_cstr(out->mem, after->map->members[i].key.str),
				&after->map->members[i].value, indent);
	else if (after != NULL)
		line(out, style, '+', NULL, after, indent);
}
