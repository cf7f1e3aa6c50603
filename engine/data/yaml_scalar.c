/* The core schema of YAML 1.2 (10.3.2), but for two things of language.md: a number with
 * a leading zero is text, and so is one that no double can hold. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "data/yaml.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
digits(struct str text)
{
	size_t n = 0;
	while (n < text.n && is_digit(text.p[n]))
		n++;
	return n;
}

static bool
is_word(struct str text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(text, words[i]))
			return true;
	return false;
}

static bool
based(struct str text, struct value *out)
{
	if (text.n < 3 || text.n > 24 || text.p[0] != '0'
		|| (text.p[1] != 'o' && text.p[1] != 'x'))
		return false;
	unsigned base = text.p[1] == 'o' ? 8 : 16;
	uint64_t number = 0;
	for (size_t i = 2; i < text.n; i++) {
		char c = text.p[i];
		unsigned digit = is_digit(c) ? (unsigned)(c - '0')
			: c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
			: c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 99;
		if (digit >= base || __builtin_mul_overflow(number, base, &number)
			|| __builtin_add_overflow(number, digit, &number))
			return false;
	}
	*out = number <= INT64_MAX ? value_int((int64_t)number) : value_uint(number);
	return true;
}

/* [-+]? ( 0 | [1-9][0-9]* )? ( . [0-9]* )? ( [eE] [-+]? [0-9]+ )?  with a digit somewhere
 * before the exponent */
static bool
is_number(struct str text, bool *whole)
{
	size_t sign = text.n > 0 && (text.p[0] == '-' || text.p[0] == '+');
	struct str rest = str_from(text, sign);
	size_t before = digits(rest), after = 0;
	if (before > 1 && rest.p[0] == '0')
		return false;
	rest = str_from(rest, before);
	*whole = rest.n == 0;
	if (rest.n > 0 && rest.p[0] == '.') {
		after = digits(str_from(rest, 1));
		rest = str_from(rest, after + 1);
	}
	if (before + after == 0)
		return false;
	if (rest.n > 0 && (rest.p[0] == 'e' || rest.p[0] == 'E')) {
		rest = str_from(rest, 1);
		rest = str_from(
			rest, rest.n > 0 && (rest.p[0] == '-' || rest.p[0] == '+'));
		size_t exponent = digits(rest);
		if (exponent == 0)
			return false;
		rest = str_from(rest, exponent);
	}
	return rest.n == 0;
}

static bool
number(struct str text, const char *cstr, struct value *out)
{
	bool whole;
	int64_t i;
	uint64_t u;
	if (!is_number(text, &whole))
		return false;
	struct str unsigned_text = text.p[0] == '+' ? str_from(text, 1) : text;
	if (whole && str_int(unsigned_text, &i)) {
		*out = value_int(i);
		return true;
	}
	if (whole && str_uint(unsigned_text, &u)) {
		*out = value_uint(u);
		return true;
	}
	double d = strtod(cstr, NULL);
	*out = value_double(d);
	return isfinite(d);
}

static bool
special(struct str text, struct value *out)
{
	static const char *const infinities[] = {
		".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"};
	static const char *const negative[] = {"-.inf", "-.Inf", "-.INF"};
	static const char *const nans[] = {".nan", ".NaN", ".NAN"};
	if (is_word(text, infinities, 6))
		*out = value_double(INFINITY);
	else if (is_word(text, negative, 3))
		*out = value_double(-INFINITY);
	else if (is_word(text, nans, 3))
		*out = value_double(NAN);
	else
		return false;
	return true;
}

struct value
yaml_scalar(struct arena *mem, struct str text)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
	static const char *const trues[] = {"true", "True", "TRUE"};
	static const char *const falses[] = {"false", "False", "FALSE"};
	struct value value = value_str(text);
	char first = text.n == 0 ? '\0' : text.p[0];
	if (is_word(text, nulls, 5)) {
		value = value_null();
	} else if (is_word(text, trues, 3)) {
		value = value_bool(true);
	} else if (is_word(text, falses, 3)) {
		value = value_bool(false);
	} else if (text.n <= 400
		&& (is_digit(first) || (first != '\0' && strchr("+-.", first) != NULL))) {
		const char *cstr = str_cstr(mem, text);
		if (based(text, &value) || number(text, cstr, &value)
			|| special(text, &value))
			value.raw = cstr;
		else
			value = value_str(text);
	}
	if (value.kind <= V_BOOL)
		value.raw = str_cstr(mem, text);
	value.flags = VALUE_PLAIN;
	return value;
}
