#include "data/expr_eval.h"
#include "data/expr_lib.h"
#include "data/expr_type.h"

enum { ITEM = sizeof(struct value) };

static bool
end_of(struct expr_frame *f, const struct value *list, bool first, struct value *out)
{
	struct value *kept = NULL;
	if (list->list.n > 0) {
		kept = arena_new_of(f->mem, struct value);
		*kept = list->list.items[first ? 0 : list->list.n - 1];
	}
	*out = (struct value){.kind = V_OPTIONAL, .opt = kept};
	return true;
}

bool
func_first(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return end_of(f, args[0], true, out);
}

bool
func_last(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return end_of(f, args[0], false, out);
}

bool
func_slice(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	int64_t from = args[1]->i, to = args[2]->i;
	(void)n;
	if (from < 0 || from > to || (uint64_t)to > args[0]->list.n)
		return err_set(f->err, ERR_RANGE,
			"there is no slice from %lld to %lld of %zu items",
			(long long)from, (long long)to, args[0]->list.n);
	*out = value_list(args[0]->list.items + from, (size_t)(to - from));
	return true;
}

static bool
flatten(struct expr_frame *f, const struct value *list, int64_t depth,
	struct list_builder *out)
{
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *item = &list->list.items[i];
		if (!frame_charge(f, ITEM))
			return false;
		if (item->kind == V_LIST && depth > 0) {
			if (!flatten(f, item, depth - 1, out))
				return false;
		} else {
			list_push(out, *item);
		}
	}
	return true;
}

bool
func_flatten(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct list_builder items = {.mem = f->mem};
	int64_t depth = n > 1 ? args[1]->i : 1;
	if (depth < 0)
		return err_set(f->err, ERR_RANGE, "the depth is negative");
	if (!flatten(f, args[0], depth, &items))
		return false;
	*out = list_done(&items);
	return true;
}

/* Whether all items can be set in order; the kinds of two that cannot are told. */
static bool
are_ordered(struct expr_frame *f, const struct value *list)
{
	for (size_t i = 0; i < list->list.n; i++) {
		const struct value *a = &list->list.items[0], *b = &list->list.items[i];
		if (!frame_charge(f, ITEM))
			return false;
		if (value_order(a, b) == 2
			&& !(a->kind == V_DOUBLE && b->kind == V_DOUBLE)) {
			err_set(f->err, ERR_TYPE, "%s and %s cannot be set in order",
				type_kind_name(a->kind), type_kind_name(b->kind));
			return err_hint(f->err,
				"x.sortBy(i, i.name) sorts by a part of each item");
		}
	}
	return true;
}

static bool
merge_sort(struct expr_frame *f, struct value *items, struct value *other, size_t n)
{
	size_t half = n / 2, a = 0, b = half, to = 0;
	if (n < 2)
		return true;
	if (!frame_charge(f, n * 10) || !merge_sort(f, items, other, half)
	    || !merge_sort(f, items + half, other, n - half))
		return false;
	while (a < half && b < n)
		other[to++] =
			value_order(&items[b], &items[a]) == -1 ? items[b++] : items[a++];
	while (a < half)
		other[to++] = items[a++];
	memcpy(items, other, to * sizeof *items);
	return true;
}

bool
func_sort(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	size_t count = args[0]->list.n;
	(void)n;
	if (!frame_charge(f, count * ITEM) || !are_ordered(f, args[0]))
		return false;
	struct value *items = arena_array(f->mem, struct value, count);
	if (count > 0)
		memcpy(items, args[0]->list.items, count * sizeof *items);
	*out = value_list(items, count);
	return merge_sort(f, items, arena_array(f->mem, struct value, count), count);
}

static bool
is_in(struct expr_frame *f, const struct value *item, const struct value *items, size_t n,
	bool *found)
{
	*found = false;
	for (size_t i = 0; i < n && !*found; i++) {
		if (!frame_charge(f, 10))
			return false;
		*found = value_equal(item, &items[i]);
	}
	return true;
}

bool
func_distinct(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	struct list_builder kept = {.mem = f->mem};
	bool found;
	(void)n;
	for (size_t i = 0; i < args[0]->list.n; i++) {
		const struct value *item = &args[0]->list.items[i];
		if (!is_in(f, item, kept.items, kept.n, &found))
			return false;
		if (!found)
			list_push(&kept, *item);
	}
	*out = list_done(&kept);
	return true;
}

bool
func_reverse_list(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	size_t count = args[0]->list.n;
	(void)n;
	if (!frame_charge(f, count * ITEM))
		return false;
	struct value *items = arena_array(f->mem, struct value, count);
	for (size_t i = 0; i < count; i++)
		items[i] = args[0]->list.items[count - 1 - i];
	*out = value_list(items, count);
	return true;
}

bool
func_range(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	int64_t count = args[0]->i;
	(void)n;
	if (count < 0 || count > EXPR_BUDGET)
		return err_set(f->err, ERR_RANGE, "there is no list of %lld numbers",
			(long long)count);
	if (!frame_charge(f, (uint64_t)count * ITEM))
		return false;
	struct value *items = arena_array(f->mem, struct value, (size_t)count);
	for (int64_t i = 0; i < count; i++)
		items[i] = value_int(i);
	*out = value_list(items, (size_t)count);
	return true;
}

/* ---- sum, min, max */

static bool
add(struct expr_frame *f, struct value *sum, const struct value *v)
{
	bool over = false;
	if (v->kind == V_DOUBLE)
		sum->d += v->d;
	else if (v->kind == V_INT)
		over = __builtin_add_overflow(sum->i, v->i, &sum->i);
	else if (v->kind == V_UINT)
		over = __builtin_add_overflow(sum->u, v->u, &sum->u);
	else {
		int64_t ns;
		over = __builtin_add_overflow(span_ns(sum->span), span_ns(v->span), &ns);
		*sum = value_duration_ns(ns);
	}
	return !over || err_set(f->err, ERR_RANGE, "the sum is out of range");
}

bool
func_sum(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	*out = value_int(0);
	for (size_t i = 0; i < args[0]->list.n; i++) {
		const struct value *v = &args[0]->list.items[i];
		bool number =
			v->kind == V_INT || v->kind == V_UINT || v->kind == V_DOUBLE;
		if (!frame_charge(f, 10))
			return false;
		if (i == 0 && (number || v->kind == V_DURATION)) {
			*out = *v;
			out->raw = v->kind == V_DURATION ? out->raw : NULL;
			continue;
		}
		if (i == 0 || v->kind != out->kind) {
			err_set(f->err, ERR_TYPE,
				"sum() wants numbers or durations of one kind, item %zu "
				"is %s",
				i, type_kind_name(v->kind));
			return err_hint(f->err,
				"x.map(i, double(i)).sum() makes the numbers alike");
		}
		if (!add(f, out, v))
			return false;
	}
	return true;
}

static bool
extreme(struct expr_frame *f, const struct value *list, int side, struct value *out)
{
	if (list->list.n == 0) {
		err_set(f->err, ERR_ABSENT_KEY, "the list is empty");
		return err_hint(f->err, "size(x) > 0 ? x.max() : 0");
	}
	if (!are_ordered(f, list))
		return false;
	*out = list->list.items[0];
	for (size_t i = 1; i < list->list.n; i++)
		if (value_order(&list->list.items[i], out) == side)
			*out = list->list.items[i];
	return true;
}

bool
func_min(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return extreme(f, args[0], -1, out);
}

bool
func_max(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	(void)n;
	return extreme(f, args[0], 1, out);
}

/* ---- sets: lists without regard to order and repeats */

static bool
contains_all(struct expr_frame *f, const struct value *set, const struct value *items,
	bool *all)
{
	*all = true;
	for (size_t i = 0; i < items->list.n && *all; i++)
		if (!is_in(f, &items->list.items[i], set->list.items, set->list.n, all))
			return false;
	return true;
}

bool
func_sets_contains(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	bool all;
	(void)n;
	if (!contains_all(f, args[0], args[1], &all))
		return false;
	*out = value_bool(all);
	return true;
}

bool
func_sets_equivalent(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	bool there, back;
	(void)n;
	if (!contains_all(f, args[0], args[1], &there)
		|| !contains_all(f, args[1], args[0], &back))
		return false;
	*out = value_bool(there && back);
	return true;
}

bool
func_sets_intersects(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out)
{
	bool found = false;
	(void)n;
	for (size_t i = 0; i < args[0]->list.n && !found; i++)
		if (!is_in(f, &args[0]->list.items[i], args[1]->list.items,
			    args[1]->list.n, &found))
			return false;
	*out = value_bool(found);
	return true;
}
