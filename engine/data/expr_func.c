#include "data/expr_func.h"

#include <assert.h>

#include "data/expr_table.h"
#include "data/expr_type.h"

const struct expr_function *
expr_functions(size_t *n)
{
	*n = func_table_n;
	return func_table;
}

const struct expr_function *
func_rows(struct str name, size_t *n)
{
	size_t low = 0, high = func_table_n;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (str_cmp(str_of(func_table[middle].name), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*n = 0;
	while (low + *n < func_table_n && str_is(name, func_table[low + *n].name))
		++*n;
	return *n == 0 ? NULL : &func_table[low];
}

/* "string.charAt(int) -> string" is one, "math.abs(int) -> int" and "size(string) -> int"
 * are none. */
bool
func_is_method(const struct expr_function *row)
{
	return !str_starts(str_of(row->signature), str_of(row->name));
}

const char *const *
func_names(struct arena *mem, bool methods)
{
	const char **names = arena_array(mem, const char *, func_table_n + 1);
	size_t n = 0;
	for (size_t i = 0; i < func_table_n; i++)
		if (func_is_method(&func_table[i]) == methods
		    && (n == 0 || strcmp(names[n - 1], func_table[i].name) != 0))
			names[n++] = func_table[i].name;
	return names;
}

static struct str
take_word(struct str *text)
{
	struct str word = {text->p, 0};
	while (word.n < text->n && strchr("(), .-", text->p[word.n]) == NULL)
		word.n++;
	*text = str_from(*text, word.n);
	return word;
}

static bool
take_text(struct str *text, const char *prefix)
{
	if (!str_starts(*text, str_of(prefix)))
		return false;
	*text = str_from(*text, strlen(prefix));
	return true;
}

static const struct expr_type *
take_type(struct arena *mem, struct str *text)
{
	struct str word = take_word(text);
	if (str_is(word, "A"))
		return &func_a;
	if (str_is(word, "B"))
		return &func_b;
	if (str_is(word, "dyn"))
		return &expr_dyn;
	const struct expr_type *type = str_is(word, "optional") ? NULL : type_named(word);
	if (!take_text(text, "("))
		return type;
	const struct expr_type *of = take_type(mem, text), *key = NULL;
	if (take_text(text, ", ")) {
		key = of;
		of = take_type(mem, text);
	}
	take_text(text, ")");
	if (type == NULL)
		return type_optional(mem, of);
	return type->kind == V_MAP ? type_map(mem, key, of) : expr_list_of(mem, of);
}

void
func_signature(struct arena *mem, const struct expr_function *row, struct func_sig *out)
{
	struct str text = str_of(row->signature);
	*out = (struct func_sig){.n = 0};
	if (func_is_method(row)) {
		out->args[out->n++] = take_type(mem, &text);
		take_text(&text, ".");
	}
	take_text(&text, row->name);
	take_text(&text, "(");
	while (!take_text(&text, ")")) {
		assert(out->n < FUNC_ARGS && text.n > 0);
		out->args[out->n++] = take_type(mem, &text);
		out->variadic = take_text(&text, "...");
		take_text(&text, ", ");
	}
	take_text(&text, " -> ");
	out->result = take_type(mem, &text);
	assert(text.n == 0 && out->result != NULL);
}

void
func_overload(
	const struct expr_function *row, const struct func_sig *sig, struct overload *out)
{
	*out = (struct overload){
		.row = row, .n = (uint8_t)sig->n, .variadic = sig->variadic};
	for (size_t i = 0; i < sig->n; i++)
		out->kinds[i] = sig->args[i]->dyn ? UINT16_MAX
						  : (uint16_t)(1U << sig->args[i]->kind);
}

bool
overload_takes(const struct overload *overload, const struct value *const *args, size_t n)
{
	if (n != overload->n && !(overload->variadic && n > overload->n))
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t param = i < overload->n ? i : overload->n - 1U;
		if (!(overload->kinds[param] >> args[i]->kind & 1))
			return false;
	}
	return true;
}
