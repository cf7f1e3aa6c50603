#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/expr_eval.h"
#include "data/expr_lib.h"
#include "data/expr_type.h"

/* text.format([values]): %s %d %f %e %x %X %o %b and %%, with a precision in front of f
 * and e (strings extension). */

enum { MOST_PRECISION = 1000, MOST_DEPTH = 300 };

struct clause {
	char verb;                                    /* '\0': plain text */
	int precision;
	struct str plain;
};

static bool
bad_clause(struct err *err, struct str rest)
{
	err_set(err, ERR_VALUE, "the format has a bad clause '%.*s'",
		rest.n > 8 ? 8 : STR_FMT(rest));
	return err_hint(
		err, "%%s %%d %%f %%e %%x %%X %%o %%b, %%.2f; %%%% is a percent sign");
}

static bool
take_clause(struct str *rest, struct clause *out, struct err *err)
{
	struct str text = *rest;
	*out = (struct clause){.precision = 6};
	if (text.p[0] != '%') {
		const char *at = memchr(text.p, '%', text.n);
		out->plain =
			(struct str){text.p, at == NULL ? text.n : (size_t)(at - text.p)};
		*rest = str_from(text, out->plain.n);
		return true;
	}
	text = str_from(text, 1);
	if (text.n > 0 && text.p[0] == '%') {
		out->plain = (struct str){text.p, 1};
		*rest = str_from(text, 1);
		return true;
	}
	if (text.n > 0 && text.p[0] == '.') {
		size_t digits = 1;
		for (out->precision = 0;
			digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9';
			digits++) {
			out->precision = out->precision * 10 + (text.p[digits] - '0');
			if (out->precision > MOST_PRECISION)
				return bad_clause(err, *rest);
		}
		if (digits == 1)
			return bad_clause(err, *rest);
		text = str_from(text, digits);
	}
	if (text.n == 0 || text.p[0] == '\0' || strchr("sdfexXob", text.p[0]) == NULL)
		return bad_clause(err, *rest);
	out->verb = text.p[0];
	*rest = str_from(text, 1);
	return true;
}

static bool put_text(
	struct expr_frame *f, struct buf *out, const struct value *v, int depth);

struct row {
	struct str key;
	const struct value *value;
};

static int
order_rows(const void *a, const void *b)
{
	return str_cmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

/* By the text of the keys, so that the same map always gives the same text. */
static bool
put_map(struct expr_frame *f, struct buf *out, const struct map *map, int depth)
{
	if (!frame_charge(f, map->n * 40))
		return false;
	struct row *rows = arena_array(f->mem, struct row, map->n);
	for (size_t i = 0; i < map->n; i++) {
		struct buf key = buf_in(f->mem);
		if (!put_text(f, &key, &map->members[i].key, depth))
			return false;
		rows[i] = (struct row){buf_str(&key), &map->members[i].value};
	}
	for (size_t i = 1; i < map->n && map->n < 16; i++)
		for (size_t k = i; k > 0 && order_rows(&rows[k - 1], &rows[k]) > 0; k--) {
			struct row swap = rows[k];
			rows[k] = rows[k - 1];
			rows[k - 1] = swap;
		}
	if (map->n >= 16)
		qsort(rows, map->n, sizeof *rows, order_rows);
	buf_putc(out, '{');
	for (size_t i = 0; i < map->n; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		buf_add(out, rows[i].key);
		buf_puts(out, ": ");
		if (!put_text(f, out, rows[i].value, depth))
			return false;
	}
	buf_putc(out, '}');
	return true;
}

static bool
put_list(struct expr_frame *f, struct buf *out, const struct value *v, int depth)
{
	buf_putc(out, '[');
	for (size_t i = 0; i < v->list.n; i++) {
		buf_puts(out, i > 0 ? ", " : "");
		if (!put_text(f, out, &v->list.items[i], depth))
			return false;
	}
	buf_putc(out, ']');
	return true;
}

/* %s */
static bool
put_text(struct expr_frame *f, struct buf *out, const struct value *v, int depth)
{
	struct str text;
	if (!frame_charge(f, 10))
		return false;
	if (depth > MOST_DEPTH)
		return err_set(f->err, ERR_LIMIT, "the value is nested too deep");
	if (v->kind == V_MAP)
		return put_map(f, out, v->map, depth + 1);
	if (v->kind == V_LIST)
		return put_list(f, out, v, depth + 1);
	if (v->kind == V_NULL)
		text = STR("null");
	else if (v->kind == V_TYPE || v->kind == V_BYTES)
		text = v->str;
	else if (!func_scalar_text(f->mem, v, &text))
		return err_set(
			f->err, ERR_TYPE, "%%s cannot show %s", type_kind_name(v->kind));
	if (!frame_charge(f, text.n))
		return false;
	buf_add(out, text);
	return true;
}

static void
put_binary(struct buf *out, uint64_t u)
{
	int bit = 63;
	while (bit > 0 && !(u >> bit & 1))
		bit--;
	for (; bit >= 0; bit--)
		buf_putc(out, u >> bit & 1 ? '1' : '0');
}

/* %d %x %X %o %b of an integer: the sign in front of the size. */
static void
put_integer(struct buf *out, char verb, const struct value *v)
{
	bool negative = v->kind == V_INT && v->i < 0;
	uint64_t u = v->kind == V_BOOL ? v->b : negative ? 0 - (uint64_t)v->i : v->u;
	if (negative)
		buf_putc(out, '-');
	switch (verb) {
	case 'd':
		buf_printf(out, "%" PRIu64, u);
		break;
	case 'x':
		buf_printf(out, "%" PRIx64, u);
		break;
	case 'X':
		buf_printf(out, "%" PRIX64, u);
		break;
	case 'o':
		buf_printf(out, "%" PRIo64, u);
		break;
	default:
		put_binary(out, u);
		break;
	}
}

static bool
put_double(struct buf *out, const struct clause *clause, const struct value *v)
{
	char text[64];
	double d = v->kind == V_DOUBLE ? v->d
		: v->kind == V_INT     ? (double)v->i
				       : (double)v->u;
	if (!isfinite(d)) {
		func_double_text(d, text, sizeof text);
		buf_puts(out, text);
	} else {
		buf_printf(
			out, clause->verb == 'f' ? "%.*f" : "%.*e", clause->precision, d);
	}
	return true;
}

static bool
put_clause(struct expr_frame *f, struct buf *out, const struct clause *clause,
	const struct value *v)
{
	char verb = clause->verb;
	bool integer = v->kind == V_INT || v->kind == V_UINT,
	     number = integer || v->kind == V_DOUBLE;
	if (verb == 's')
		return put_text(f, out, v, 0);
	if ((verb == 'f' || verb == 'e') && number)
		return put_double(out, clause, v);
	if (integer || (verb == 'b' && v->kind == V_BOOL)) {
		put_integer(out, verb, v);
		return true;
	}
	if (verb == 'd' && v->kind == V_DOUBLE && !isfinite(v->d))
		return put_double(out, clause, v);
	if ((verb == 'x' || verb == 'X') && (v->kind == V_STRING || v->kind == V_BYTES)) {
		if (!frame_charge(f, 2 * v->str.n))
			return false;
		for (size_t i = 0; i < v->str.n; i++)
			buf_printf(out, verb == 'x' ? "%02x" : "%02X",
				(unsigned char)v->str.p[i]);
		return true;
	}
	char text[SHORT_SIZE];
	return err_set(f->err, ERR_TYPE, "%%%c cannot show %s (%s)", verb,
		type_kind_name(v->kind), eval_short(v, text));
}

static bool
too_few(struct err *err, size_t have, size_t want)
{
	err_set(err, ERR_VALUE, "the format wants %zu values, the list has %zu", want,
		have);
	return err_hint(err, "'%%s of %%d'.format([a, b])");
}

bool
func_format(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct str rest = args[0]->str;
	struct buf text = buf_in(f->mem);
	struct clause clause;
	size_t used = 0;
	(void)n;
	while (rest.n > 0) {
		if (!take_clause(&rest, &clause, f->err)
			|| !frame_charge(f, 10 + clause.plain.n))
			return false;
		if (clause.verb == '\0') {
			buf_add(&text, clause.plain);
			continue;
		}
		if (used >= args[1]->list.n)
			return too_few(f->err, args[1]->list.n, used + 1);
		if (!put_clause(f, &text, &clause, &args[1]->list.items[used++]))
			return false;
	}
	*out = func_text_of(&text);
	return true;
}

/* A constant format is read when the expression is compiled. */
bool
func_prepare_format(struct arena *mem, const struct value *const *args, size_t n,
	void **prepared, struct err *err)
{
	struct clause clause;
	size_t wants = 0;
	(void)mem;
	(void)prepared;
	if (args[0] == NULL)
		return true;
	for (struct str rest = args[0]->str; rest.n > 0; wants += clause.verb != '\0')
		if (!take_clause(&rest, &clause, err))
			return false;
	if (n > 1 && args[1] != NULL && args[1]->list.n < wants)
		return too_few(err, args[1]->list.n, wants);
	return true;
}
