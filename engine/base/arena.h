/* Memory by lifetime. An arena gives out memory that is given back all at once. Three
 * live in a run: the run's, an attempt's, and scratch. A function that returns memory
 * takes the arena as its first parameter. When memory is out the process aborts: rbx is
 * crash-only, and resume covers it. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void
arena_free(struct arena *mem); /* runs the deferred functions, last first; accepts NULL */
void arena_reset(struct arena *mem); /* as free and new, but keeps a block */

void *arena_alloc(struct arena *mem, size_t n);      /* zeroed, aligned to 16 */
char *arena_strdup(struct arena *mem, const char *text);
char *arena_strndup(struct arena *mem, const char *text, size_t n);  /* adds a NUL */
char *arena_printf(struct arena *mem, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *mem, const char *format, va_list args);

/* Call fn(with) when the arena ends or is reset. */
void arena_defer(struct arena *mem, void (*fn)(void *with), void *with);

size_t arena_used(const struct arena *mem); /* bytes given out since new or reset */

#define arena_new_of(mem, type) ((type *)arena_alloc((mem), sizeof(type)))
#define arena_array(mem, type, n) ((type *)arena_alloc((mem), sizeof(type) * (n)))

#endif
