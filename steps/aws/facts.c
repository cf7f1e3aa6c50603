#include "../steps/aws/facts.h"

#include <assert.h>
#include <zlib.h>

/* The packed file as tools/pack-models writes it, little endian: a head, an index of
 * blocks, the first key of each block (NUL-ended), the blocks. */
extern const unsigned char aws_facts[];

enum { HEAD = 16, ROW = 16 };

struct block { uint32_t at, packed, size, key; };

struct own { const char *service; struct str text; struct own *next; };

struct facts {
	struct arena *mem;
	uint32_t n_blocks, n_keys;
	char **unpacked; /* by block; NULL: not yet */
	struct own *own;
};

static uint32_t
number_at(size_t offset)
{
	const unsigned char *p = aws_facts + offset;
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static struct block
block_at(uint32_t i)
{
	size_t row = HEAD + (size_t)i * ROW;
	return (struct block){number_at(row), number_at(row + 4), number_at(row + 8),
		number_at(row + 12)};
}

static const char *
first_key(const struct facts *facts, uint32_t i)
{
	size_t keys = HEAD + (size_t)facts->n_blocks * ROW;
	return (const char *)aws_facts + keys + block_at(i).key;
}

struct facts *
facts_open(struct arena *mem)
{
	struct facts *facts = arena_new_of(mem, struct facts);
	assert(memcmp(aws_facts, "rbxfact1", 8) == 0);
	*facts = (struct facts){
		.mem = mem, .n_blocks = number_at(8), .n_keys = number_at(12)};
	facts->unpacked = arena_array(mem, char *, facts->n_blocks);
	return facts;
}

static struct str
block_text(struct facts *facts, uint32_t i)
{
	struct block block = block_at(i);
	if (facts->unpacked[i] == NULL) {
		size_t data = HEAD + (size_t)facts->n_blocks * ROW + facts->n_keys;
		uLongf n = block.size;
		char *text = arena_alloc(facts->mem, n);
		int code = uncompress(
			(Bytef *)text, &n, aws_facts + data + block.at, block.packed);
		assert(code == Z_OK && n == block.size);
		(void)code;
		facts->unpacked[i] = text;
	}
	return (struct str){facts->unpacked[i], block.size};
}

/* The last block that does not begin after the key. */
static uint32_t
block_of(const struct facts *facts, const char *key)
{
	uint32_t low = 0, high = facts->n_blocks;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;
		if (strcmp(first_key(facts, middle), key) <= 0)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static struct str
line_key(struct str line, struct str *json)
{
	return str_cut(line, '\t', json);
}

static bool
text_find(struct str text, struct str key, struct str *json)
{
	while (text.n > 0)
		if (str_eq(line_key(str_cut(text, '\n', &text), json), key))
			return true;
	return false;
}

static bool
own_find(struct facts *facts, const char *service, struct str key, struct str *json)
{
	for (struct own *own = facts->own; own != NULL; own = own->next)
		if ((strcmp(service, "-") == 0 || strcmp(own->service, service) == 0)
			&& text_find(own->text, key, json))
			return true;
	return false;
}

static bool
is_own(const struct facts *facts, const char *service)
{
	for (const struct own *own = facts->own; own != NULL; own = own->next)
		if (strcmp(own->service, service) == 0)
			return true;
	return false;
}

const struct value *
facts_find(struct facts *facts, const char *service, const char *kind, struct str name)
{
	const char *key = arena_printf(
		facts->mem, "%s %s %.*s", service, kind, STR_FMT(name));
	struct str short_key = str_of(key + strlen(service) + 1), json;
	bool found = own_find(facts, service, short_key, &json);
	/* A model of one's own stands for the whole service. */
	if (!found && !is_own(facts, service))
		found = text_find(
			block_text(facts, block_of(facts, key)), str_of(key), &json);
	struct value *value = arena_new_of(facts->mem, struct value);
	struct err err;
	return found && json_parse(facts->mem, json, NULL, value, &err) ? value : NULL;
}

struct names { struct arena *mem; const char **items; size_t n, cap; };

static void
names_add(struct names *names, struct str name)
{
	if (names->n + 1 >= names->cap) {
		size_t cap = names->cap == 0 ? 64 : 2 * names->cap;
		const char **items = arena_array(names->mem, const char *, cap);
		if (names->n > 0)
			memcpy(items, names->items, names->n * sizeof *items);
		names->items = items;
		names->cap = cap;
	}
	names->items[names->n++] = str_cstr(names->mem, name);
	names->items[names->n] = NULL;
}

/* The names of the lines whose key begins with the prefix; false: the last line comes after
 * them. */
static bool
collect(struct str text, struct str prefix, struct names *names)
{
	bool beyond = false;
	while (text.n > 0) {
		struct str json, key = line_key(str_cut(text, '\n', &text), &json);
		beyond = !str_starts(key, prefix) && str_cmp(key, prefix) > 0;
		if (str_starts(key, prefix))
			names_add(names, str_from(key, prefix.n));
	}
	return !beyond;
}

const char *const *
facts_names(struct facts *facts, const char *service, const char *kind)
{
	static const char *const none[] = {NULL};
	struct names names = {.mem = facts->mem};
	const char *key = arena_printf(facts->mem, "%s %s ", service, kind);
	struct str short_key = str_of(key + strlen(service) + 1);
	for (struct own *own = facts->own; own != NULL; own = own->next)
		if (strcmp(service, "-") == 0 || strcmp(own->service, service) == 0)
			collect(own->text, short_key, &names);
	for (uint32_t i = block_of(facts, key);
		!is_own(facts, service) && i < facts->n_blocks; i++)
		if (!collect(block_text(facts, i), str_of(key), &names))
			break;
	return names.n == 0 ? none : names.items;
}

static bool
line_is_good(struct arena *mem, struct str line, struct err *err)
{
	static const char *const kinds[] = {
		"operation", "pages", "service", "shape", "waiter", NULL};
	struct str json, key = line_key(line, &json), name;
	struct str kind = str_cut(key, ' ', &name);
	struct value ignored;
	size_t i = 0;
	while (kinds[i] != NULL && !str_is(kind, kinds[i]))
		i++;
	if (kinds[i] == NULL || name.n == 0)
		return err_set(err, ERR_SYNTAX,
			"a line of a model is KIND NAME<tab>JSON, not '%.*s'",
			(int)(key.n < 60 ? key.n : 60), key.p);
	return json_parse(mem, json, NULL, &ignored, err)
		|| err_wrap(err, "%.*s", STR_FMT(key));
}

bool
facts_add(struct facts *facts, const char *service, struct str text, struct err *err)
{
	struct str rest = text;
	for (size_t line = 1; rest.n > 0; line++)
		if (!line_is_good(facts->mem, str_cut(rest, '\n', &rest), err))
			return err_wrap(err, "line %zu", line);
	struct own *own = arena_new_of(facts->mem, struct own);
	*own = (struct own){arena_strdup(facts->mem, service), text, facts->own};
	facts->own = own;
	return true;
}
