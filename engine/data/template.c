#include "data/template.h"

#include "data/expr_check.h"
#include "data/expr_scan.h"
#include "data/template_part.h"
#include "data/yaml.h"

enum { DEEPEST = 128 };

struct maker {
	struct arena *mem;
	const struct expr_env *env;
	unsigned rules;
	struct diags *diags;
};

bool
template_has_expression(struct str text)
{
	size_t at;
	while ((at = str_find(text, STR("${{"))) < text.n) {
		if (at == 0 || text.p[at - 1] != '$')
			return true;
		text = str_from(text, at + 3);
	}
	return false;
}

/* "$${{" in a text is "${{". */
static struct str
literal(struct arena *mem, struct str text)
{
	struct buf out = buf_in(mem);
	size_t at;
	if (str_find(text, STR("$${{")) == text.n)
		return text;
	while ((at = str_find(text, STR("$${{"))) < text.n) {
		buf_add(&out, (struct str){text.p, at});
		buf_puts(&out, "${{");
		text = str_from(text, at + 4);
	}
	buf_add(&out, text);
	return buf_str(&out);
}

static void
add_piece(struct maker *m, struct part *part, struct piece piece)
{
	size_t n = part->n_pieces;
	if ((n & (n - 1)) == 0) {
		struct piece *pieces =
			arena_array(m->mem, struct piece, n == 0 ? 1 : 2 * n);
		if (n > 0)
			memcpy(pieces, part->pieces, n * sizeof *pieces);
		part->pieces = pieces;
	}
	part->pieces[part->n_pieces++] = piece;
}

/* The next ${{ from `from` on that is no $${{; text.n: none. */
static size_t
next_start(struct str text, size_t from)
{
	while (from < text.n) {
		size_t at = from + str_find(str_from(text, from), STR("${{"));
		if (at >= text.n)
			break;
		if (at == 0 || text.p[at - 1] != '$')
			return at;
		from = at + 3;
	}
	return text.n;
}

const char *
template_kind_hint(const struct expr_type *type)
{
	switch (type->kind) {
	case V_LIST: case V_MAP:
		return "json.marshal(e) makes text of it";
	case V_NULL:
		return "a null has no text: choose one, e == null ? '' : e";
	case V_BYTES:
		return "base64.encode(e) or string(e) makes text of it";
	case V_OPTIONAL:
		return ".orValue('') gives its value";
	default:
		return "string(e) makes text of it";
	}
}

static bool
has_text(const struct expr_type *type)
{
	return type->dyn || type->kind == V_STRING || type->kind == V_BOOL
		|| type->kind == V_INT || type->kind == V_UINT || type->kind == V_DOUBLE
		|| type->kind == V_TIMESTAMP || type->kind == V_DURATION;
}

static void
judge(struct maker *m, struct part *part, const struct expr *expr, struct mark at)
{
	const struct expr_type *type = expr_type_of(expr);
	bool text = !part->whole || (m->rules & TEMPLATE_TEXT);
	if (text && !has_text(type)) {
		struct err *err = diag_error(m->diags, at, "%s cannot be put into a text",
			expr_type_name(m->mem, type));
		err->code = ERR_TYPE;
		err_hint(err, "%s", template_kind_hint(type));
	} else if (!text && !type->dyn
		&& (type->kind == V_OPTIONAL || type->kind == V_TYPE)) {
		struct err *err = diag_error(m->diags, at,
			"%s cannot leave an expression", expr_type_name(m->mem, type));
		err->code = ERR_TYPE;
		if (type->kind == V_OPTIONAL)
			err_hint(err, ".orValue(…) gives its value");
	}
	if (!expr_is_secret(expr))
		return;
	part->secret = true;
	if (m->rules & TEMPLATE_NO_SECRET) {
		struct err *err = diag_error(m->diags, at, "a secret cannot stand here");
		err_hint(err,
			"secrets stand only in fields of type secret: rbx steps TYPE "
			"shows them");
	}
}

/* "inputs.", behind blanks: what hardly anybody writes but in an expression. */
static bool
names_root(struct str text)
{
	static const char *const roots[] = {"inputs.", "vars.", "secrets.", "objectives.",
		"run.", "steps.", "step.", "self.", "outputs.", "item.", "failure.",
		"waiting."};
	while (text.n > 0 && text.p[0] == ' ')
		text = str_from(text, 1);
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++)
		if (str_starts(text, str_of(roots[i])))
			return true;
	return false;
}

/* ${ inputs.x } and {{ inputs.x }} are text, letter by letter, and were hardly meant so. */
static void
warn_of_slip(struct maker *m, const struct value *v)
{
	struct str text = v->str;
	for (size_t i = 0; i + 2 < text.n; i++) {
		bool first = i == 0 || text.p[i - 1] != '{';
		bool dollar = text.p[i] == '$' && text.p[i + 1] == '{'
			&& text.p[i + 2] != '{';
		bool braces = text.p[i] == '{' && text.p[i + 1] == '{' && first
			&& (i == 0 || text.p[i - 1] != '$');
		if ((!dollar && !braces) || !names_root(str_from(text, i + 2)))
			continue;
		struct mark place;
		const uint32_t *map = yaml_offsets(m->mem, v, &place);
		struct err *err = diag_warning(m->diags,
			expr_place(place, map, (uint32_t)i, (uint32_t)i + 2),
			"this stays as it is written, letter by letter");
		err_hint(err, "an expression in a text is written ${{ … }}");
	}
}

static void
compile_text(struct maker *m, struct part *part)
{
	const struct value *v = part->source;
	struct str text = v->str, trimmed = str_trim(text);
	size_t first = next_start(text, 0), done = 0;
	warn_of_slip(m, v);
	if (first == text.n) {
		part->constant = str_find(text, STR("$${{")) == text.n;
		if (!part->constant)
			add_piece(m, part, (struct piece){.text = literal(m->mem, text)});
		return;
	}
	part->constant = false;
	struct mark place;
	const uint32_t *map = yaml_offsets(m->mem, v, &place);
	if (m->rules & TEMPLATE_NONE) {
		struct err *err = diag_error(m->diags,
			expr_place(place, map, (uint32_t)first, (uint32_t)first + 3),
			"${{ }} cannot stand in this text");
		err_hint(err, "pass data by args ($1, $2 …), env, files or stdin");
		return;
	}
	for (size_t at = first; at < text.n; at = next_start(text, done)) {
		struct str inner = str_from(text, at + 3);
		size_t n = scan_extent(inner);
		if (n == inner.n) {
			struct err *err = diag_error(m->diags,
				expr_place(place, map, (uint32_t)at, (uint32_t)at + 3),
				"${{ is not closed");
			err->code = ERR_SYNTAX;
			err_hint(err, "end it with }}; a literal ${{ is written $${{");
			return;
		}
		if (at > done)
			add_piece(m, part,
				(struct piece){
					.text = literal(m->mem,
						(struct str){text.p + done, at - done})});
		part->whole = text.p + at == trimmed.p
			&& inner.p + n + 2 == trimmed.p + trimmed.n;
		struct mark begin = place;
		begin.from += map == NULL ? (uint32_t)at + 3 : 0;
		const struct expr *expr = expr_compile(m->mem, (struct str){inner.p, n},
			begin, map == NULL ? NULL : map + at + 3, m->env, m->diags);
		if (expr != NULL) {
			judge(m, part, expr, expr_mark(expr));
			add_piece(m, part, (struct piece){.expr = expr});
		}
		done = at + 3 + n + 2;
	}
	if (part->whole && part->n_pieces > 1) {
		part->pieces += part->n_pieces - 1;
		part->n_pieces = 1;
	} else if (!part->whole && done < text.n) {
		add_piece(m, part,
			(struct piece){.text = literal(m->mem, str_from(text, done))});
	}
}

static void
compile_part(
	struct maker *m, struct part *part, const struct value *source, unsigned depth)
{
	bool list = source->kind == V_LIST,
	     map = source->kind == V_MAP && source->map->members != NULL;
	*part = (struct part){.source = source, .constant = true,
		.as_text = m->rules & TEMPLATE_TEXT};
	if (source->kind == V_STRING) {
		compile_text(m, part);
		return;
	}
	size_t n = list ? source->list.n : map ? source->map->n : 0;
	if (n == 0)
		return;
	if (depth > DEEPEST) {
		diag_error(m->diags, value_mark(source),
			"the value is nested more than %d deep", DEEPEST);
		return;
	}
	part->kids = arena_array(m->mem, struct part, n);
	for (size_t i = 0; i < n; i++) {
		const struct value *key = list ? NULL : &source->map->members[i].key;
		if (key != NULL && key->kind == V_STRING
			&& template_has_expression(key->str))
			diag_error(m->diags, value_mark(key),
				"${{ }} cannot stand in the name of a member");
		compile_part(m, &part->kids[i],
			list ? &source->list.items[i] : &source->map->members[i].value,
			depth + 1);
		part->constant = part->constant && part->kids[i].constant;
		part->secret = part->secret || part->kids[i].secret;
	}
}

static const struct expr_type *
type_of(struct arena *mem, const struct part *part)
{
	static const struct expr_type *const scalars[] = {
		&expr_null, &expr_bool, &expr_int, &expr_uint, &expr_double, &expr_string,
	};
	const struct value *v = part->source;
	bool differ = false;
	if (v->kind == V_STRING && part->whole && !part->as_text && part->n_pieces == 1)
		return expr_type_of(part->pieces[0].expr);
	if (v->kind <= V_STRING)
		return scalars[v->kind];
	if (v->kind != V_LIST && v->kind != V_MAP)
		return &expr_dyn;
	const struct expr_type *of = &type_free;
	size_t n = part->kids == NULL ? 0 : v->kind == V_LIST ? v->list.n : v->map->n;
	for (size_t i = 0; i < n; i++)
		of = type_join(mem, of, type_of(mem, &part->kids[i]), &differ);
	return v->kind == V_LIST ? expr_list_of(mem, of) : expr_map_of(mem, of);
}

static void
judge_whole(
	struct maker *m, const struct template *template, const struct expr_type *want)
{
	const struct part *top = &template->top;
	const struct expr_type *bound[2] = {NULL, NULL};
	if (want == NULL || !top->whole || top->n_pieces != 1
		|| (m->rules & TEMPLATE_TEXT)
		|| type_fits(m->mem, want, template->type, bound))
		return;
	const struct expr *expr = top->pieces[0].expr;
	struct err *err = diag_error(m->diags, expr_mark(expr),
		"want %s here, this is %s", expr_type_name(m->mem, want),
		expr_type_name(m->mem, template->type));
	err->code = ERR_TYPE;
}

const struct template *
template_compile(struct arena *mem, const struct value *tree, const struct expr_env *env,
	unsigned rules, const struct expr_type *want, struct diags *diags)
{
	struct template *template = arena_new_of(mem, struct template);
	struct maker m = {mem, env, rules, diags};
	size_t before = diags->errors;
	template->source = *tree;
	compile_part(&m, &template->top, &template->source, 0);
	if (diags->errors > before)
		return NULL;
	template->type = type_of(mem, &template->top);
	judge_whole(&m, template, want);
	return diags->errors > before ? NULL : template;
}

const struct template *
template_join(
	struct arena *mem, const struct value *tree, const struct template *const *parts)
{
	struct template *template = arena_new_of(mem, struct template);
	struct part *top = &template->top;
	template->source = *tree;
	*top = (struct part){.source = &template->source, .constant = true};
	size_t n = tree->kind == V_LIST ? tree->list.n : tree->map->n;
	top->kids = n == 0 ? NULL : arena_array(mem, struct part, n);
	for (size_t i = 0; i < n; i++) {
		top->kids[i] = parts[i]->top;
		top->constant = top->constant && top->kids[i].constant;
		top->secret = top->secret || top->kids[i].secret;
	}
	template->type = type_of(mem, top);
	return template;
}

bool
template_is_constant(const struct template *template)
{
	return template->top.constant;
}

bool
template_is_secret(const struct template *template)
{
	return template->top.secret;
}

const struct value *
template_source(const struct template *template)
{
	return &template->source;
}

const struct template *
template_member(struct arena *mem, const struct template *template, const char *name)
{
	const struct value *source = template->top.source;
	for (size_t i = 0; source->kind == V_MAP && i < source->map->n; i++) {
		const struct member *member = &source->map->members[i];
		if (!str_is(member->key.str, name))
			continue;
		struct template *out = arena_new_of(mem, struct template);
		out->source = member->value;
		if (template->top.kids != NULL)
			out->top = template->top.kids[i];
		else
			out->top.constant = true;
		out->top.source = &out->source;
		out->type = type_of(mem, &out->top);
		return out;
	}
	return NULL;
}

const struct expr_type *
template_type(const struct template *template)
{
	return template->type;
}

size_t
template_count_kids(const struct part *part)
{
	return part->kids == NULL              ? 0
		: part->source->kind == V_LIST ? part->source->list.n
					       : part->source->map->n;
}

static void
read_part(const struct part *part,
	void (*each)(const struct str *names, size_t n, void *with), void *with)
{
	for (size_t i = 0; i < part->n_pieces; i++)
		if (part->pieces[i].expr != NULL)
			expr_reads(part->pieces[i].expr, each, with);
	for (size_t i = 0; i < template_count_kids(part); i++)
		read_part(&part->kids[i], each, with);
}

void
template_reads(const struct template *template,
	void (*each)(const struct str *names, size_t n, void *with), void *with)
{
	read_part(&template->top, each, with);
}
