/* The functions themselves, by subject; expr_table.c names them. Arguments have the kinds
 * of their row, new memory comes from f->mem and is charged before it is taken. */
#ifndef DATA_EXPR_LIB_H
#define DATA_EXPR_LIB_H

#include "data/expr_func.h"

typedef bool func_call(struct expr_frame *f, const struct value *const *args, size_t n,
	struct value *out);
typedef bool func_prepare(struct arena *mem, const struct value *const *args, size_t n,
	void **prepared, struct err *err);

/* expr_std.c: conversions */
func_call func_size, func_bool, func_bytes, func_double, func_dyn, func_int, func_string,
	func_type, func_uint;
func_call func_secret;

/* expr_string.c, expr_format.c */
func_call func_contains, func_starts_with, func_ends_with, func_char_at, func_index_of,
	func_last_index_of;
func_call func_lower, func_upper, func_replace, func_split, func_substring, func_trim,
	func_join;
func_call func_reverse_string, func_quote, func_format;
func_prepare func_prepare_format;

/* expr_math.c */
func_call func_greatest, func_least, func_ceil, func_floor, func_round, func_trunc,
	func_abs, func_sign, func_sqrt;
func_call func_is_nan, func_is_inf, func_is_finite;
func_call func_bit_and, func_bit_or, func_bit_xor, func_bit_not, func_shift_left,
	func_shift_right;

/* expr_time.c */
func_call func_duration, func_timestamp, func_full_year, func_month, func_date,
	func_day_of_month;
func_call func_day_of_week, func_day_of_year, func_hours, func_minutes, func_seconds,
	func_milliseconds;
func_prepare func_prepare_zone;

/* expr_list.c */
func_call func_first, func_last, func_slice, func_flatten, func_sort, func_distinct,
	func_reverse_list, func_range;
func_call func_sum, func_min, func_max, func_sets_contains, func_sets_equivalent,
	func_sets_intersects;

/* expr_optional.c */
func_call func_optional_of, func_optional_none, func_of_non_zero, func_unwrap,
	func_has_value, func_value;
func_call func_or, func_or_value;

/* expr_misc.c */
func_call func_matches, func_extract, func_extract_all, func_regex_replace;
func_call func_base64_encode, func_base64_decode, func_json_marshal, func_json_unmarshal,
	func_json_merge;
func_call func_sha256, func_url_encode, func_url_decode, func_shell_quote;
func_prepare func_prepare_regex;

/* Texts of scalars, as string() gives them. */
void func_double_text(double d, char *out, size_t size);
void func_time_text(struct span time, char *out, size_t size);
void func_duration_text(struct span length, char *out, size_t size);
/* The text of a scalar in `out`, copied if it is made; false: it has none. */
bool func_scalar_text(struct arena *mem, const struct value *v, struct str *out);

/* Keep a text that grew in a buffer. */
struct value func_text_of(const struct buf *buf);

#endif
