/* What every unit test includes. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

#define assert_ok(call) do { if (!(call)) fail_msg("%s: %s", #call, err.msg); } while (0)
#define assert_str(s, text)                                                              \
	do {                                                                             \
		struct str s_ = (s);                                                     \
		struct str t_ = str_of(text);                                            \
		if (!str_eq(s_, t_))                                                     \
			fail_msg("'%.*s' is not '%s'", STR_FMT(s_),                      \
				(const char *)(text));                                   \
	} while (0)

#endif
