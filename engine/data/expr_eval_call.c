#include "data/expr_eval.h"

#include <stdio.h>

#include "data/expr_check.h"
#include "data/expr_lib.h"
#include "data/expr_type.h"

static const struct value *
no_overload(struct eval *e, const struct code *c, const struct value *const *args)
{
	char text[SHORT_SIZE];
	struct buf given = buf_in(e->mem);
	if (c->number == 0)
		return eval_fail(e, c, ERR_UNKNOWN_NAME,
			"there is no function %.*s that takes these arguments",
			STR_FMT(c->name));
	for (uint32_t i = 0; i < c->n && i < 6; i++)
		buf_printf(&given, "%s%s %s", i > 0 ? ", " : "",
			type_kind_name(args[i]->kind), eval_short(args[i], text));
	eval_fail(e, c, ERR_TYPE, "no overload of %.*s takes this: %s", STR_FMT(c->name),
		buf_cstr(&given));
	err_hint(e->err, "%s", c->overloads[0].row->signature);
	return NULL;
}

/* A function has set the error. Its words may show an argument: not of a secret. */
static const struct value *
blame(struct eval *e, const struct code *c, bool secret)
{
	enum err_code code = e->err->code;
	if (secret && code != ERR_LIMIT)
		return eval_fail(e, c, code, "%.*s cannot take this secret value (***)",
			STR_FMT(c->name));
	e->err->at = expr_place(e->expr->at, e->expr->map, c->from, c->to);
	e->steps += 10;
	return NULL;
}

/* Evaluates the arguments; *unknown and *secret tell what is in them, as far as the
 * function looks. */
static bool
take_arguments(struct eval *e, const struct code *c, struct value *rooms,
	const struct value **args, bool *secret, const struct value **unknown)
{
	bool shallow = c->number > 0 && (c->overloads[0].row->flags & FUNC_SHALLOW);
	for (uint32_t i = 0; i < c->n; i++) {
		const struct value *v = args[i] =
			eval_code(e, &e->code[c->first + i], &rooms[i]);
		if (v == NULL)
			return false;
		*secret = *secret || (v->flags & VALUE_SECRET);
		if (v->kind == V_UNKNOWN)
			*unknown = *unknown == NULL ? v : *unknown;
		else if (!shallow
			&& (v->kind == V_LIST || v->kind == V_MAP
				|| v->kind == V_OPTIONAL)
			&& !eval_look(e, v, secret, unknown))
			return false;
	}
	return true;
}

const struct value *
eval_call(struct eval *e, const struct code *c, struct value *room)
{
	struct value few[FUNC_ARGS], *rooms = few;
	const struct value *some[FUNC_ARGS], **args = some, *unknown = NULL;
	bool secret = false;
	if (c->n > FUNC_ARGS) {
		rooms = arena_array(e->mem, struct value, c->n);
		args = arena_array(e->mem, const struct value *, c->n);
	}
	if (!take_arguments(e, c, rooms, args, &secret, &unknown))
		return NULL;
	if (unknown != NULL) {
		*room = *unknown;
		room->flags |= secret ? VALUE_SECRET : 0;
		return room;
	}
	for (uint32_t i = 0; i < c->number; i++) {
		if (!overload_takes(&c->overloads[i], args, c->n))
			continue;
		struct expr_frame frame = {e->mem, e, c->prepared, e->err};
		*room = (struct value){.kind = V_NULL};
		if (!c->overloads[i].row->call(&frame, args, c->n, room)) {
			return blame(e, c, secret);
		}
		return secret ? eval_secret(room, room) : room;
	}
	return no_overload(e, c, args);
}

bool
eval_constant_call(struct arena *mem, const struct overload *overload, void *prepared,
	const struct value *const *args, size_t n, struct value *out, struct err *err)
{
	struct eval e = {.mem = mem, .err = err, .used = arena_used(mem)};
	struct expr_frame frame = {mem, &e, prepared, err};
	*err = (struct err){.code = ERR_NONE};
	*out = (struct value){.kind = V_NULL};
	return overload->row->call(&frame, args, n, out);
}

/* ---- short forms */

static size_t
put(char *room, size_t at, const char *text, size_t n)
{
	size_t left = SHORT_SIZE - 8 - at;
	if (n > left)
		n = left;
	memcpy(room + at, text, n);
	return at + n;
}

static size_t put_value(char *room, size_t at, const struct value *v, int depth);

static size_t
put_text(char *room, size_t at, const struct value *v)
{
	size_t n = v->str.n < SHORT_SIZE ? v->str.n : SHORT_SIZE;
	at = put(room, at, v->kind == V_BYTES ? "b'" : "'", v->kind == V_BYTES ? 2 : 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)v->str.p[i];
		char escape[5];
		bool odd = c < 0x20 || c == 0x7f || (v->kind == V_BYTES && c >= 0x80);
		if (odd)
			snprintf(escape, sizeof escape, "\\x%02x", c);
		at = put(room, at, odd ? escape : &v->str.p[i], odd ? 4 : 1);
	}
	return put(room, at, "'", 1);
}

static size_t
put_items(char *room, size_t at, const struct value *v, int depth)
{
	bool list = v->kind == V_LIST;
	size_t n = list ? v->list.n : v->map->members == NULL ? 0 : v->map->n;
	at = put(room, at, list ? "[" : "{", 1);
	for (size_t i = 0; i < n && at < SHORT_SIZE - 12 && depth < 3; i++) {
		at = put(room, at, ", ", i > 0 ? 2 : 0);
		if (!list) {
			at = put_value(room, at, &v->map->members[i].key, depth + 1);
			at = put(room, at, ": ", 2);
		}
		at = put_value(room, at,
			list ? &v->list.items[i] : &v->map->members[i].value, depth + 1);
	}
	return put(room, at, list ? "]" : "}", 1);
}

static size_t
put_value(char *room, size_t at, const struct value *v, int depth)
{
	char text[48] = "";
	if (v->flags & VALUE_SECRET)
		return put(room, at, "***", 3);
	switch ((enum value_kind)v->kind) {
	case V_NULL:
		return put(room, at, "null", 4);
	case V_BOOL:
		return put(room, at, v->b ? "true" : "false", v->b ? 4 : 5);
	case V_INT:
		snprintf(text, sizeof text, "%lld", (long long)v->i);
		break;
	case V_UINT:
		snprintf(text, sizeof text, "%lluu", (unsigned long long)v->u);
		break;
	case V_DOUBLE:
		snprintf(text, sizeof text, "%.17g", v->d);
		break;
	case V_STRING: case V_BYTES:
		return put_text(room, at, v);
	case V_LIST: case V_MAP:
		return put_items(room, at, v, depth);
	case V_TIMESTAMP:
		func_time_text(v->span, text, sizeof text);
		break;
	case V_DURATION:
		func_duration_text(v->span, text, sizeof text);
		break;
	case V_TYPE:
		return put(room, at, v->str.p, v->str.n);
	case V_OPTIONAL:
		if (v->opt == NULL)
			return put(room, at, "optional.none()", 15);
		at = put(room, at, "optional.of(", 12);
		return put(room, put_value(room, at, v->opt, depth + 1), ")", 1);
	case V_UNKNOWN:
		return put(room, at, "unknown", 7);
	}
	return put(room, at, text, strlen(text));
}

const char *
eval_short(const struct value *v, char room[SHORT_SIZE])
{
	size_t n = put_value(room, 0, v, 0);
	if (n >= SHORT_SIZE - 8) {
		while (n > 0 && ((unsigned char)room[n - 1] & 0xc0) == 0x80)
			n--;
		if (n > 0 && (unsigned char)room[n - 1] >= 0xc0)
			n--;
		memcpy(room + n, "…", 3);
		n += 3;
	}
	room[n] = '\0';
	return room;
}
