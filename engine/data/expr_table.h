#ifndef DATA_EXPR_TABLE_H
#define DATA_EXPR_TABLE_H

#include "data/expr.h"

extern const struct expr_function func_table[];       /* sorted by name */
extern const size_t func_table_n;

#endif
