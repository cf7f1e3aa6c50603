#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, FIRST = 4096, LARGEST = 1 << 20 };

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(16) char bytes[];
};

struct deferred {
	struct deferred *next;
	void (*fn)(void *with);
	void *with;
};

struct arena {
	struct block *blocks;
	struct deferred *deferred;
	size_t used;
};

static struct block *
block_new(size_t size, struct block *next)
{
	struct block *block = malloc(sizeof *block + size);
	if (block == NULL)
		abort();
	*block = (struct block){.next = next, .size = size};
	return block;
}

struct arena *
arena_new(void)
{
	struct arena *mem = calloc(1, sizeof *mem);
	if (mem == NULL)
		abort();
	return mem;
}

static void
run_deferred(struct arena *mem)
{
	while (mem->deferred != NULL) {
		struct deferred *d = mem->deferred;
		mem->deferred = d->next;
		d->fn(d->with);
	}
}

static void
free_blocks(struct block *block)
{
	while (block != NULL) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
}

void
arena_reset(struct arena *mem)
{
	run_deferred(mem);
	if (mem->blocks != NULL) {
		free_blocks(mem->blocks->next);
		mem->blocks->next = NULL;
		mem->blocks->used = 0;
	}
	mem->used = 0;
}

void
arena_free(struct arena *mem)
{
	if (mem == NULL)
		return;
	run_deferred(mem);
	free_blocks(mem->blocks);
	free(mem);
}

static size_t
next_size(const struct arena *mem, size_t n)
{
	size_t size = mem->blocks == NULL ? FIRST : mem->blocks->size * 2;
	if (size > LARGEST)
		size = LARGEST;
	return size < n ? n : size;
}

void *
arena_alloc(struct arena *mem, size_t n)
{
	if (n > SIZE_MAX / 2)
		abort();
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (mem->blocks == NULL || mem->blocks->size - mem->blocks->used < n)
		mem->blocks = block_new(next_size(mem, n), mem->blocks);
	void *p = mem->blocks->bytes + mem->blocks->used;
	mem->blocks->used += n;
	mem->used += n;
	return memset(p, 0, n);
}

char *
arena_strndup(struct arena *mem, const char *text, size_t n)
{
	char *copy = arena_alloc(mem, n + 1);
	if (n > 0)
		memcpy(copy, text, n);
	return copy;
}

char *
arena_strdup(struct arena *mem, const char *text)
{
	return arena_strndup(mem, text, strlen(text));
}

char *
arena_vprintf(struct arena *mem, const char *format, va_list args)
{
	char small[128]; /* most fit: formatted once */
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(small, sizeof small, format, args);
	assert(n >= 0);
	char *text = arena_alloc(mem, (size_t)n + 1);
	if ((size_t)n < sizeof small)
		memcpy(text, small, (size_t)n);
	else
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	return text;
}

char *
arena_printf(struct arena *mem, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(mem, format, args);
	va_end(args);
	return text;
}

void
arena_defer(struct arena *mem, void (*fn)(void *with), void *with)
{
	struct deferred *d = arena_alloc(mem, sizeof *d);
	*d = (struct deferred){.next = mem->deferred, .fn = fn, .with = with};
	mem->deferred = d;
}

size_t
arena_used(const struct arena *mem)
{
	return mem->used;
}
