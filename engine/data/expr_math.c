#include <math.h>

#include "data/expr_eval.h"
#include "data/expr_lib.h"
#include "data/expr_type.h"

static bool
is_number(const struct value *v)
{
	return v->kind == V_INT || v->kind == V_UINT || v->kind == V_DOUBLE;
}

/* The first of the values that no other is `side` (-1 less, 1 greater) of. */
static bool
pick(struct expr_frame *f, const struct value *const *args, size_t n, int side,
	struct value *out)
{
	const struct value *best = NULL,
			   *list = n == 1 && args[0]->kind == V_LIST ? args[0] : NULL;
	char text[SHORT_SIZE];
	size_t count = list == NULL ? n : list->list.n;
	for (size_t i = 0; i < count; i++) {
		const struct value *v = list == NULL ? args[i] : &list->list.items[i];
		if (!frame_charge(f, 10))
			return false;
		if (!is_number(v))
			return err_set(f->err, ERR_TYPE, "want numbers, this is %s (%s)",
				type_kind_name(v->kind), eval_short(v, text));
		if (best == NULL || value_order(v, best) == side)
			best = v;
	}
	if (best == NULL)
		return err_set(f->err, ERR_VALUE, "the list is empty");
	*out = *best;
	return true;
}

bool
func_greatest(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	return pick(f, args, n, 1, out);
}

bool
func_least(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	return pick(f, args, n, -1, out);
}

bool
func_ceil(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_double(ceil(args[0]->d));
	return true;
}

bool
func_floor(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_double(floor(args[0]->d));
	return true;
}

bool
func_round(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_double(round(args[0]->d));
	return true;
}

bool
func_trunc(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_double(trunc(args[0]->d));
	return true;
}

bool
func_sqrt(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	const struct value *v = args[0];
	(void)f;
	(void)n;
	*out = value_double(sqrt(v->kind == V_DOUBLE ? v->d
			: v->kind == V_INT           ? (double)v->i
						     : (double)v->u));
	return true;
}

bool
func_abs(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	*out = *args[0];
	if (out->kind == V_DOUBLE)
		*out = value_double(fabs(out->d));
	else if (out->kind == V_INT && out->i == INT64_MIN)
		return err_set(f->err, ERR_RANGE,
			"the absolute value of %lld is out of range", (long long)out->i);
	else if (out->kind == V_INT)
		*out = value_int(out->i < 0 ? -out->i : out->i);
	return true;
}

bool
func_sign(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	const struct value *v = args[0];
	(void)f;
	(void)n;
	if (v->kind == V_DOUBLE)
		*out = value_double(isnan(v->d) ? v->d
				: v->d > 0      ? 1
				: v->d < 0      ? -1
						: 0);
	else if (v->kind == V_INT)
		*out = value_int((v->i > 0) - (v->i < 0));
	else
		*out = value_uint(v->u > 0);
	return true;
}

bool
func_is_nan(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_bool(isnan(args[0]->d));
	return true;
}

bool
func_is_inf(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_bool(isinf(args[0]->d));
	return true;
}

bool
func_is_finite(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	*out = value_bool(isfinite(args[0]->d));
	return true;
}

/* Bits are those of the two's complement; the result has the kind of the first argument.
 */
static bool
bits(const struct value *like, uint64_t u, struct value *out)
{
	*out = like->kind == V_INT ? value_int((int64_t)u) : value_uint(u);
	return true;
}

bool
func_bit_and(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	return bits(args[0], args[0]->u & args[1]->u, out);
}

bool
func_bit_or(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	return bits(args[0], args[0]->u | args[1]->u, out);
}

bool
func_bit_xor(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	return bits(args[0], args[0]->u ^ args[1]->u, out);
}

bool
func_bit_not(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)f;
	(void)n;
	return bits(args[0], ~args[0]->u, out);
}

static bool
shift(struct expr_frame *f, const struct value *const *args, bool left, struct value *out)
{
	int64_t by = args[1]->i;
	if (by < 0)
		return err_set(f->err, ERR_RANGE, "cannot shift by %lld", (long long)by);
	uint64_t u = by > 63 ? 0 : left ? args[0]->u << by : args[0]->u >> by;
	return bits(args[0], u, out);
}

bool
func_shift_left(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return shift(f, args, true, out);
}

bool
func_shift_right(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return shift(f, args, false, out);
}
