#include "base/mask.h"
#include "base/scrub.h"
#include "base/secret.h"

/* So many bytes at the end of a text that was cut are masked when a secret begins with
 * them. */
enum { PARTIAL_LEAST = 4 };

static const struct str MASK = {"***", 3};

bool
vault_finds(const struct vault *vault, struct str text)
{
	struct mask *mask = vault_automaton(vault);
	uint32_t node = 0;
	for (size_t i = 0; mask != NULL && i < text.n; i++) {
		node = mask_next(mask, node, (uint8_t)text.p[i]);
		if (mask->nodes[node].found > 0)
			return true;
	}
	return false;
}

/* Where a stretch of secrets begins and ends, as offsets in the stream. */
struct stretch {
	uint64_t from, to;
};

struct masker {
	const struct vault *vault;
	uint32_t node;
	uint32_t n_nodes; /* of the automaton: more when secrets were added */
	struct buf held;                      /* not given out yet */
	uint64_t at;                          /* offset of what is held */
	uint64_t masked_to;                   /* up to here *** was already given out */
	struct stretch *stretches; /* in what is held; they neither touch nor overlap */
	size_t n, cap;
	struct arena *mem;
};

struct masker *
masker_new(struct arena *mem, const struct vault *vault)
{
	struct masker *masker = arena_new_of(mem, struct masker);
	masker->vault = vault;
	masker->held = buf_in(mem);
	masker->mem = mem;
	return masker;
}

static void
add_stretch(struct masker *masker, struct stretch stretch)
{
	while (masker->n > 0 && masker->stretches[masker->n - 1].to >= stretch.from) {
		struct stretch *last = &masker->stretches[--masker->n];
		if (last->from < stretch.from)
			stretch.from = last->from;
	}
	if (masker->n == masker->cap) {
		size_t cap = masker->cap == 0 ? 16 : masker->cap * 2;
		struct stretch *more = arena_array(masker->mem, struct stretch, cap);
		if (masker->n > 0)
			memcpy(more, masker->stretches, masker->n * sizeof *more);
		masker->stretches = more;
		masker->cap = cap;
	}
	masker->stretches[masker->n++] = stretch;
}

static void
walk(struct masker *masker, struct mask *mask, struct str text, uint64_t at)
{
	for (size_t i = 0; i < text.n; i++) {
		masker->node = mask_next(mask, masker->node, (uint8_t)text.p[i]);
		uint32_t n = mask->nodes[masker->node].found;
		if (n > 0)
			add_stretch(masker, (struct stretch){at + i + 1 - n, at + i + 1});
	}
}

/* Part of what is held, which begins at `at`, up to `to`. */
static void
give(struct masker *masker, uint64_t from, uint64_t to, struct buf *out)
{
	if (from < to)
		buf_add(out,
			(struct str){masker->held.p + (from - masker->at), to - from});
}

static void
give_stretch(struct masker *masker, struct stretch stretch, struct buf *out)
{
	if (stretch.from > masker->masked_to || masker->masked_to == 0)
		buf_add(out, MASK);
	masker->masked_to = stretch.to;
}

/* Gives out all before `limit`. A stretch that goes beyond it becomes *** now, its rest
 * nothing. */
static void
flush(struct masker *masker, uint64_t limit, struct buf *out)
{
	uint64_t from = masker->masked_to > masker->at ? masker->masked_to : masker->at;
	size_t done = 0;
	for (; done < masker->n && masker->stretches[done].from < limit; done++) {
		struct stretch stretch = masker->stretches[done];
		give(masker, from, stretch.from, out);
		give_stretch(masker, stretch, out);
		if (stretch.to > from)
			from = stretch.to;
	}
	give(masker, from, limit, out);
	masker->n -= done;
	for (size_t i = 0; i < masker->n; i++)
		masker->stretches[i] = masker->stretches[i + done];
	size_t gone = (size_t)(limit - masker->at);
	if (gone == 0)
		return;
	size_t rest = masker->held.n - gone;
	memmove(masker->held.p, masker->held.p + gone, rest);
	explicit_bzero(masker->held.p + rest, gone);
	buf_cut(&masker->held, rest);
	masker->at = limit;
}

void
masker_add(struct masker *masker, struct str piece, bool end, struct buf *out)
{
	struct mask *mask = vault_automaton(masker->vault);
	if (mask == NULL) {
		buf_add(out, piece);
		masker->at += piece.n;
		return;
	}
	if (masker->n_nodes != mask->n) {
		masker->n_nodes = mask->n;
		masker->node = 0;
		masker->n = 0;
		walk(masker, mask, buf_str(&masker->held), masker->at);
	}
	walk(masker, mask, piece, masker->at + masker->held.n);
	buf_add(&masker->held, piece);
	uint64_t limit = masker->at + masker->held.n;
	flush(masker, end ? limit : limit - mask->nodes[masker->node].depth, out);
	if (end)
		masker->node = 0;
}

struct str
vault_mask(const struct vault *vault, struct arena *mem, struct str text)
{
	if (!vault_finds(vault, text))
		return text;
	struct buf out = buf_in(mem);
	masker_add(masker_new(mem, vault), text, true, &out);
	return buf_str(&out);
}

/* A text that was cut to fit may end in the beginning of a secret. A mask is never longer
 * than what it stands for. */
static void
mask_place(const struct vault *vault, char *text, size_t size)
{
	struct arena *mem = arena_new();
	struct buf out = buf_in(mem);
	struct masker *masker = masker_new(mem, vault);
	struct str all = str_of(text);
	masker_add(masker, all, false, &out);
	size_t begun = masker->held.n;
	if (all.n + 4 >= size && begun >= PARTIAL_LEAST)
		add_stretch(masker, (struct stretch){all.n - begun, all.n});
	masker_add(masker, STR(""), true, &out);
	explicit_bzero(text, size);
	memcpy(text, buf_cstr(&out), out.n);
	arena_free(mem);
}

void
vault_mask_err(const struct vault *vault, struct err *err)
{
	scrub_err(err);
	if (vault_automaton(vault) == NULL)
		return;
	mask_place(vault, err->msg, sizeof err->msg);
	mask_place(vault, err->hint, sizeof err->hint);
}

