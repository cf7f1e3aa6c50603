#include "book.h"

struct making {
	struct arena *mem;
	struct chance chance;
	/* members of `world`, each with a comma before it */
	struct buf world;
	unsigned count;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t
chance_next(struct chance *chance)
{
	uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

unsigned
chance_below(struct chance *chance, unsigned n)
{
	return (unsigned)(chance_next(chance) % n);
}

bool
chance_of(struct chance *chance, unsigned percent)
{
	return chance_below(chance, 100) < percent;
}

static bool
may(struct making *m, unsigned percent)
{
	return chance_of(&m->chance, percent);
}

static const char *
flag(struct making *m, unsigned percent)
{
	return may(m, percent) ? "true" : "false";
}

static void
world_says(struct making *m, const char *name, const char *result)
{
	buf_printf(&m->world, "%s\"%s\":[%s]", m->world.n == 0 ? "" : ",", name, result);
}

static const char *
one_of(struct making *m, const char *const *words, unsigned n)
{
	return words[chance_below(&m->chance, n)];
}

static void
make_on_error(struct making *m, struct buf *out, bool group)
{
	static const char *const of_group[] = {"", "", "undo", "continue"};
	static const char *const of_step[] = {"", "", "", "continue"};

	buf_printf(out, ",\"on_error\":\"%s\"", one_of(m, group ? of_group : of_step, 4));
}

static void
make_change(struct making *m, struct buf *out, const char *path, const char *effect)
{
	static const char *const fails[] = {"{\"verdict\":\"FAIL\"}",
		"{\"verdict\":\"PARTIAL\"}"};
	bool probed = strcmp(effect, "probed") == 0, looks = may(m, 50), settles = may(m,
		30);
	bool keyed = strcmp(effect, "keyed") == 0 || strcmp(effect, "once") == 0;

	buf_printf(out, ",\"probe\":%s,\"preview\":%s,\"settle\":%s",
		probed || (keyed && may(m, 20)) ? "true" : "false", looks ? "true"
			: "false",
		settles ? "true" : "false");
	buf_printf(out, ",\"undo\":\"%s\",\"child\":%s,\"preconditions\":%s",
		may(m, 50) ? "auto" : "none", flag(m, 30), flag(m, 20));
	if (looks && may(m, 10))
		world_says(m, arena_printf(m->mem, "%s#look", path),
			"{\"before\":\"B\",\"after\":\"B\"}");
	if (settles && may(m, 20))
		world_says(m, arena_printf(m->mem, "%s#settle", path),
			"{\"verdict\":\"FAIL\"}");
	if (may(m, 20))
		world_says(m, path, one_of(m, fails, 2));
}

static void
make_leaf(struct making *m, struct buf *out, const char *path)
{
	static const char *const effects[] = {
		"pure", "pure", "idempotent", "keyed", "probed", "once", "repeatable",
	};
	const char *effect = one_of(m, effects, 7);

	buf_printf(out, ",\"effect\":\"%s\"", effect);
	if (strcmp(effect, "pure") != 0)
		make_change(m, out, path, effect);
	else if (may(m, 10))
		world_says(m, path, "{\"verdict\":\"FAIL\"}");
	else if (may(m, 20))
		buf_printf(out, ",\"samples\":{\"count\":3,\"pass\":%u,\"every\":2}",
			1 + chance_below(&m->chance, 3));
	if (may(m, 30))
		buf_printf(out, ",\"retry\":{\"attempts\":%u,\"delay\":%u}",
			1 + chance_below(&m->chance, 3), may(m, 50) ? 1 : 5);
	make_on_error(m, out, false);
}

static void make_step(struct making *m, struct buf *out, const char *prefix,
	unsigned depth,
	unsigned needs);

static void
make_members(struct making *m, struct buf *out, const char *path, unsigned depth,
	bool parallel)
{
	unsigned n = 1 + chance_below(&m->chance, 3), first = m->count + 1;
	const char *prefix = arena_printf(m->mem, "%s/", path);

	buf_puts(out, ",\"steps\":[");
	for (unsigned i = 0; i < n; i++) {
		bool needs = parallel && i > 0 && may(m, 40);
		if (i > 0)
			buf_putc(out, ',');
		make_step(m, out, prefix, depth - 1, needs ? first : 0);
	}
	buf_putc(out, ']');
}

static void
make_choose(struct making *m, struct buf *out, const char *path, unsigned depth)
{
	const char *prefix = arena_printf(m->mem, "%s/", path);
	unsigned n = 1 + chance_below(&m->chance, 3);

	buf_puts(out, ",\"type\":\"choose\",\"branches\":[");
	for (unsigned i = 0; i < n; i++) {
		buf_printf(out, "%s{\"when\":%s,\"steps\":[", i == 0 ? "" : ",", flag(m,
			60));
		make_step(m, out, prefix, depth - 1, 0);
		buf_puts(out, "]}");
	}
	buf_putc(out, ']');
}

/* true: a choose, which has no loop here. */
static bool
make_group(struct making *m, struct buf *out, const char *path, unsigned depth)
{
	unsigned kind = chance_below(&m->chance, 4);

	if (kind == 3) {
		make_choose(m, out, path, depth);
	} else {
		buf_printf(out, ",\"type\":\"%s\"", kind == 2 ? "parallel" : "block");
		make_members(m, out, path, depth, kind == 2);
	}
	make_on_error(m, out, true);
	if (may(m, 20))
		buf_printf(out, ",\"finally\":[{\"id\":\"f\",\"effect\":\"%s\"}]",
			may(m, 50) ? "pure" : "idempotent");
	return kind == 3;
}

static void
make_step(struct making *m, struct buf *out, const char *prefix, unsigned depth,
	unsigned needs)
{
	bool is_choose = false;
	unsigned number = ++m->count;
	const char *path = arena_printf(m->mem, "%ss%u", prefix, number);

	buf_printf(out, "{\"id\":\"s%u\"", number);
	if (needs != 0)
		buf_printf(out, ",\"needs\":[\"s%u\"]", needs);
	if (depth > 0 && may(m, 30))
		is_choose = make_group(m, out, path, depth);
	else
		make_leaf(m, out, path);
	if (may(m, 10))
		buf_printf(out, ",\"when\":%s", flag(m, 50));
	if (!is_choose && may(m, 15))
		buf_printf(out, ",\"each\":%u,\"at_once\":%u", chance_below(&m->chance,
			4),
			1 + chance_below(&m->chance, 2));
	buf_putc(out, '}');
}

static void
make_handlers(struct making *m, struct buf *out)
{
	static const char *const names[] = {"on_waiting", "on_success", "on_failure",
		"finally"};
	static const char *const effects[] = {"repeatable", "pure", "idempotent"};

	for (unsigned i = 0; i < 4; i++) {
		if (may(m, 40))
			buf_printf(out, ",\"%s\":[{\"id\":\"h\",\"effect\":\"%s\"}]",
				names[i],
				one_of(m, effects, i == 0 ? 2 : 3));
	}
	if (may(m, 20)) {
		buf_puts(out, ",\"preconditions\":[{\"id\":\"p\"}]");
		if (may(m, 20))
			world_says(m, "preconditions/p", "{\"holds\":false}");
	}
}

struct str
book_text(struct arena *mem, uint64_t seed)
{
	static const char *const slots[] = {"1", "2", "8"};
	struct making m = {.mem = mem, .chance = {seed * UINT64_C(0x2545f4914f6cdd1d)}};
	struct buf out = buf_in(mem);
	unsigned n = 1 + chance_below(&m.chance, 4);

	m.world = buf_in(mem);
	buf_printf(&out, "{\"name\":\"seed %llu\",\"book\":{\"steps\":[",
		(unsigned long long)seed);
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			buf_putc(&out, ',');
		make_step(&m, &out, "", 2, 0);
	}
	buf_putc(&out, ']');
	make_handlers(&m, &out);
	buf_printf(&out, ",\"parallel\":%s},\"world\":{%s}}", one_of(&m, slots, 3),
		buf_cstr(&m.world));
	return buf_str(&out);
}
