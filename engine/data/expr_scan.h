/* The tokens of CEL (langdef.md, "Syntax") with what cel-go's grammar adds: quoted names.
 * Tokens are made one at a time and hold places in the text; strings are decoded when the
 * parser asks. */
#ifndef DATA_EXPR_SCAN_H
#define DATA_EXPR_SCAN_H

#include "base/err.h"

enum token_kind {
	TOKEN_END,
	TOKEN_BAD,
	TOKEN_NAME, /* text: the name */
	TOKEN_QUOTED, /* `content-type`; text: with the backticks */
	TOKEN_INT,
	TOKEN_UINT, /* u: without a sign */
	TOKEN_DOUBLE,
	TOKEN_STRING,
	TOKEN_BYTES,
	TOKEN_TRUE,
	TOKEN_FALSE,
	TOKEN_NULL,
	TOKEN_IN,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_LEFT,
	TOKEN_RIGHT,
	TOKEN_BRACE,
	TOKEN_END_BRACE,
	TOKEN_DOT,
	TOKEN_COMMA,
	TOKEN_COLON,
	TOKEN_ASK,
	TOKEN_ADD,
	TOKEN_SUB,
	TOKEN_MUL,
	TOKEN_DIV,
	TOKEN_MOD,
	TOKEN_NOT,
	TOKEN_LT,
	TOKEN_LE,
	TOKEN_GT,
	TOKEN_GE,
	TOKEN_EQ,
	TOKEN_NE,
	TOKEN_AND,
	TOKEN_OR,
};

struct token {
	enum token_kind kind;
	uint32_t from, to;
	struct str text;                              /* as it is written */
	union {
		uint64_t u;
		double d;
	};
};

struct scanner {
	struct str text;
	uint32_t at;
	struct err *err; /* set with a TOKEN_BAD; offsets in at.from, at.to */
};

struct token scan_next(struct scanner *scanner);

/* The value of a STRING or BYTES token. It is a view where no escape stands in it. */
bool scan_decode(
	struct arena *mem, const struct token *token, struct str *out, struct err *err);

/* Where the `}}` stands that ends the expression at the beginning of text; text.n: there
 * is none. */
size_t scan_extent(struct str text);

/* Words that langdef.md keeps back: no names of variables, but names of members and
 * methods. */
bool scan_is_reserved(struct str name);

#endif
