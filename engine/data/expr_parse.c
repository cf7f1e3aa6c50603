#include "data/expr_tree.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "data/expr_scan.h"

/* Parentheses make no node but cost stack all the same. */
enum { MOST_LEVELS = 2 * EXPR_DEPTH };

struct parser {
	struct arena *mem;
	struct scanner scanner;
	struct token now;
	struct err *err;
	unsigned level;
	uint32_t last_from, last_to; /* where the token before `now` stands */
};

static struct node *parse_expr(struct parser *p);

bool
tree_fail(struct err *err, uint32_t from, uint32_t to, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	*err = (struct err){.code = ERR_SYNTAX, .at = {NULL, from, to}};
	vsnprintf(err->msg, sizeof err->msg, format, args);
	va_end(args);
	return false;
}

static void
advance(struct parser *p)
{
	p->last_from = p->now.from;
	p->last_to = p->now.to;
	p->now = scan_next(&p->scanner);
}

static struct node *
new_node(struct parser *p, enum node_kind kind, uint32_t from)
{
	struct node *node = arena_new_of(p->mem, struct node);
	node->kind = (uint8_t)kind;
	node->depth = 1;
	node->from = node->name_from = from;
	node->to = node->name_to = p->now.to;
	return node;
}

void
tree_append(struct node *parent, struct node *kid)
{
	kid->next = NULL;
	if (parent->last != NULL)
		parent->last->next = kid;
	else
		parent->first = kid;
	parent->last = kid;
	parent->n++;
	if (parent->depth <= kid->depth)
		parent->depth = (uint16_t)(kid->depth + 1);
}

static struct node *
too_deep(struct parser *p, const struct node *node)
{
	tree_fail(p->err, node->from, node->to,
		"the expression is nested more than %d deep", EXPR_DEPTH);
	p->err->code = ERR_LIMIT;
	return NULL;
}

/* Hang the kids (NULL-ended) under the node, which then reaches from the first to the
 * token before this one. */
static struct node *
hang(struct parser *p, struct node *node, struct node *a, struct node *b)
{
	tree_append(node, a);
	if (b != NULL)
		tree_append(node, b);
	node->to = p->last_to;
	return node->depth > EXPR_DEPTH ? too_deep(p, node) : node;
}

struct slip {
	const char *word, *hint;
};

static const struct slip slips[] = {
	{"and", "and is written &&"},
	{"or", "or is written ||"},
	{"not", "not is written !"},
	{"is", "compare with =="},
	{"eq", "compare with =="},
	{"ne", "compare with !="},
	{"contains", "write a.contains(b)"},
	{"matches", "write a.matches('…')"},
	{"if", "a choice is written condition ? a : b"},
	{"then", "a choice is written condition ? a : b"},
	{"else", "a choice is written condition ? a : b"},
	{"?", "a default is written x.?name.orValue(d)"},
};

static struct node *
unexpected(struct parser *p, const char *want)
{
	struct token now = p->now;
	if (now.kind == TOKEN_BAD)
		return NULL;
	if (now.kind == TOKEN_END)
		tree_fail(p->err, now.from, now.to,
			"the expression ends too early: want %s", want);
	else
		tree_fail(p->err, now.from, now.to, "'%.*s' cannot stand here: want %s",
			now.text.n > 40 ? 40 : STR_FMT(now.text), want);
	struct str last = {p->scanner.text.p + p->last_from, p->last_to - p->last_from};
	for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
		if (str_is(now.text, slips[i].word)
			|| (now.kind == TOKEN_NAME && str_is(last, slips[i].word)))
			err_hint(p->err, "%s", slips[i].hint);
	return NULL;
}

static bool
take(struct parser *p, enum token_kind kind)
{
	if (p->now.kind != kind)
		return false;
	advance(p);
	return true;
}

static bool
expect(struct parser *p, enum token_kind kind, const char *want)
{
	return take(p, kind) || unexpected(p, want) != NULL;
}

/* The items of a call or a list up to `close`: [?]e, ... */
static bool
parse_items(struct parser *p, struct node *node, enum token_kind close, bool is_list)
{
	const char *want = is_list ? "a , or the closing ]" : "a , or the closing )";
	while (p->now.kind != close) {
		bool optional = is_list && take(p, TOKEN_ASK);
		struct node *item = parse_expr(p);
		if (item == NULL)
			return false;
		item->flags |= optional ? NODE_ENTRY_OPTIONAL : 0;
		if (hang(p, node, item, NULL) == NULL)
			return false;
		if (p->now.kind != close && !expect(p, TOKEN_COMMA, want))
			return false;
		if (!is_list && p->now.kind == close
			&& p->scanner.text.p[p->last_to - 1] == ',')
			return unexpected(p, "an argument") != NULL;
	}
	advance(p);
	node->to = p->last_to;
	return true;
}

static struct node *
parse_map(struct parser *p)
{
	struct node *map = new_node(p, NODE_MAP, p->now.from);
	advance(p);
	while (p->now.kind != TOKEN_END_BRACE) {
		bool optional = take(p, TOKEN_ASK);
		struct node *key = parse_expr(p);
		if (key == NULL || !expect(p, TOKEN_COLON, "a : behind the key"))
			return NULL;
		key->flags |= optional ? NODE_ENTRY_OPTIONAL : 0;
		struct node *value = parse_expr(p);
		if (value == NULL || hang(p, map, key, value) == NULL)
			return NULL;
		if (p->now.kind != TOKEN_END_BRACE
			&& !expect(p, TOKEN_COMMA, "a , or the closing }"))
			return NULL;
	}
	advance(p);
	map->to = p->last_to;
	return map;
}

static struct node *
parse_number(struct parser *p, bool negative, uint32_t from)
{
	struct node *node = new_node(p, NODE_CONST, from);
	struct token now = p->now;
	if (now.kind == TOKEN_DOUBLE) {
		node->value = value_double(negative ? -now.d : now.d);
	} else if (now.kind == TOKEN_UINT) {
		node->value = value_uint(now.u);
	} else if (now.u > (uint64_t)INT64_MAX + negative) {
		tree_fail(p->err, from, now.to, "the integer is out of range");
		err_hint(p->err,
			"integers go to 9223372036854775807, with u to "
			"18446744073709551615");
		return NULL;
	} else {
		node->value = value_int(negative ? (int64_t)(0 - now.u) : (int64_t)now.u);
	}
	advance(p);
	return node;
}

static struct node *
parse_text(struct parser *p)
{
	struct node *node = new_node(p, NODE_CONST, p->now.from);
	struct str text;
	if (!scan_decode(p->mem, &p->now, &text, p->err))
		return NULL;
	node->value = p->now.kind == TOKEN_STRING ? value_str(text) : value_bytes(text);
	advance(p);
	return node;
}

static struct node *
parse_word(struct parser *p)
{
	struct node *node = new_node(p, NODE_CONST, p->now.from);
	node->value = p->now.kind == TOKEN_NULL ? value_null()
						: value_bool(p->now.kind == TOKEN_TRUE);
	advance(p);
	return node;
}

static struct node *
finish_call(struct parser *p, struct node *call)
{
	advance(p);
	if (!parse_items(p, call, TOKEN_CLOSE, false) || !tree_expand(call, p->err))
		return NULL;
	return call;
}

static struct node *
parse_name(struct parser *p)
{
	struct node *node = new_node(p, NODE_NAME, p->now.from);
	take(p, TOKEN_DOT);
	node->name = p->now.text;
	node->name_from = p->now.from;
	node->to = node->name_to = p->now.to;
	if (p->now.kind != TOKEN_NAME)
		return unexpected(p, "a name");
	if (scan_is_reserved(node->name)) {
		unexpected(p, "a value, because the word is reserved");
		return NULL;
	}
	advance(p);
	if (p->now.kind == TOKEN_OPEN) {
		node->kind = NODE_CALL;
		return finish_call(p, node);
	}
	return node;
}

static struct node *
parse_primary(struct parser *p)
{
	struct node *node;
	uint32_t from = p->now.from;
	switch (p->now.kind) {
	case TOKEN_INT: case TOKEN_UINT: case TOKEN_DOUBLE:
		return parse_number(p, false, from);
	case TOKEN_STRING: case TOKEN_BYTES:
		return parse_text(p);
	case TOKEN_TRUE: case TOKEN_FALSE: case TOKEN_NULL:
		return parse_word(p);
	case TOKEN_NAME: case TOKEN_DOT:
		return parse_name(p);
	case TOKEN_BRACE:
		return parse_map(p);
	case TOKEN_LEFT:
		node = new_node(p, NODE_LIST, from);
		advance(p);
		return parse_items(p, node, TOKEN_RIGHT, true) ? node : NULL;
	case TOKEN_OPEN:
		advance(p);
		node = parse_expr(p);
		if (node == NULL
			|| !expect(p, TOKEN_CLOSE, "an operator or the closing )"))
			return NULL;
		node->from = from;
		node->to = p->last_to;
		return node;
	default:
		return unexpected(p, "a value");
	}
}

/* .name, .?name, .name(...) */
static struct node *
parse_select(struct parser *p, struct node *operand)
{
	advance(p);
	bool optional = take(p, TOKEN_ASK);
	struct node *node = new_node(p, NODE_SELECT, operand->from);
	bool word = p->now.kind == TOKEN_NAME;
	if (!word && p->now.kind != TOKEN_QUOTED)
		return unexpected(p, "a name behind the .");
	node->name = p->now.text;
	if (!word)
		node->name = (struct str){node->name.p + 1, node->name.n - 2};
	node->name_from = p->now.from;
	node->name_to = p->now.to;
	node->flags |= optional ? NODE_OPTIONAL : 0;
	advance(p);
	if (word && !optional && p->now.kind == TOKEN_OPEN) {
		node->kind = NODE_CALL;
		node->flags |= NODE_METHOD;
		if (hang(p, node, operand, NULL) == NULL)
			return NULL;
		return finish_call(p, node);
	}
	return hang(p, node, operand, NULL);
}

static struct node *
parse_index(struct parser *p, struct node *operand)
{
	struct node *node = new_node(p, NODE_INDEX, operand->from);
	node->name_from = p->now.from;
	advance(p);
	node->flags |= take(p, TOKEN_ASK) ? NODE_OPTIONAL : 0;
	struct node *index = parse_expr(p);
	if (index == NULL || !expect(p, TOKEN_RIGHT, "the closing ]"))
		return NULL;
	node->name_to = p->last_to;
	return hang(p, node, operand, index);
}

static struct node *
parse_members(struct parser *p, struct node *node)
{
	while (node != NULL)
		if (p->now.kind == TOKEN_DOT)
			node = parse_select(p, node);
		else if (p->now.kind == TOKEN_LEFT)
			node = parse_index(p, node);
		else
			break;
	return node;
}

static bool
is_number(const struct token *token)
{
	return token->kind == TOKEN_INT || token->kind == TOKEN_UINT
		|| token->kind == TOKEN_DOUBLE;
}

static struct node *
parse_unary(struct parser *p)
{
	enum token_kind kind = p->now.kind;
	uint32_t from = p->now.from;
	if (kind != TOKEN_SUB && kind != TOKEN_NOT)
		return parse_members(p, parse_primary(p));
	struct node *node = new_node(p, kind == TOKEN_SUB ? NODE_NEG : NODE_NOT, from);
	advance(p);
	if (kind == TOKEN_SUB && is_number(&p->now) && p->now.kind != TOKEN_UINT)
		return parse_members(p, parse_number(p, true, from));
	if (++p->level > MOST_LEVELS)
		return too_deep(p, node);
	struct node *operand = parse_unary(p);
	p->level--;
	return operand == NULL ? NULL : hang(p, node, operand, NULL);
}

struct binary {
	uint8_t token, kind, binds;
};

static const struct binary binaries[] = {
	{TOKEN_OR, NODE_OR, 1},
	{TOKEN_AND, NODE_AND, 2},
	{TOKEN_LT, NODE_LT, 3},
	{TOKEN_LE, NODE_LE, 3},
	{TOKEN_GT, NODE_GT, 3},
	{TOKEN_GE, NODE_GE, 3},
	{TOKEN_EQ, NODE_EQ, 3},
	{TOKEN_NE, NODE_NE, 3},
	{TOKEN_IN, NODE_IN, 3},
	{TOKEN_ADD, NODE_ADD, 4},
	{TOKEN_SUB, NODE_SUB, 4},
	{TOKEN_MUL, NODE_MUL, 5},
	{TOKEN_DIV, NODE_DIV, 5},
	{TOKEN_MOD, NODE_MOD, 5},
};

static const struct binary *
binary_of(enum token_kind kind)
{
	if (kind < TOKEN_ADD && kind != TOKEN_IN)
		return NULL;
	for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
		if (binaries[i].token == kind)
			return &binaries[i];
	return NULL;
}

/* Operators that bind at least as strongly as `least`, from left to right. */
static struct node *
parse_binary(struct parser *p, unsigned least)
{
	struct node *left = parse_unary(p);
	const struct binary *op;
	while (left != NULL && (op = binary_of(p->now.kind)) != NULL
		&& op->binds >= least) {
		struct node *node = new_node(p, op->kind, left->from);
		node->name_from = p->now.from;
		advance(p);
		struct node *right = parse_binary(p, op->binds + 1U);
		if (right == NULL)
			return NULL;
		bool chain = left->kind == op->kind && op->binds <= 2
			&& left->from == left->first->from;
		left = chain ? hang(p, left, right, NULL) : hang(p, node, left, right);
	}
	return left;
}

static struct node *
parse_choice(struct parser *p, struct node *condition)
{
	struct node *node = new_node(p, NODE_IF, condition->from);
	node->name_from = p->now.from;
	advance(p);
	struct node *yes = parse_binary(p, 1);
	if (yes == NULL
		|| !expect(p, TOKEN_COLON, "a : and the other value of the choice"))
		return NULL;
	struct node *no = parse_expr(p);
	if (no == NULL)
		return NULL;
	tree_append(node, condition);
	return hang(p, node, yes, no);
}

static struct node *
parse_expr(struct parser *p)
{
	if (++p->level > MOST_LEVELS) {
		struct node here = {.from = p->now.from, .to = p->now.to};
		return too_deep(p, &here);
	}
	struct node *node = parse_binary(p, 1);
	if (node != NULL && p->now.kind == TOKEN_ASK)
		node = parse_choice(p, node);
	p->level--;
	return node;
}

struct node *
tree_parse(struct arena *mem, struct str text, struct err *err)
{
	struct parser p = {.mem = mem, .scanner = {text, 0, err}, .err = err};
	advance(&p);
	if (p.now.kind == TOKEN_END) {
		tree_fail(err, 0, (uint32_t)text.n, "the expression is empty");
		return NULL;
	}
	struct node *node = parse_expr(&p);
	if (node != NULL && p.now.kind != TOKEN_END)
		return unexpected(&p, "an operator or the end");
	return node;
}
