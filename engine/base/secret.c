#include "base/secret.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/forms.h"
#include "base/mask.h"

/* A line of a text of several lines is masked alone where it is as long: "password: |" is
 * none. */
enum { REGION = 65536, LINE_LEAST = 8 };

struct secret {
	struct secret *next;
	struct str bytes;
};

/* A piece of locked memory; its own head stands at its beginning. */
struct region {
	struct region *next;
	size_t size, used;
};

struct vault {
	struct region *regions;
	struct secret *secrets;
	struct mask mask;
};

/* ---- locked memory */

static struct region *
region_new(size_t least)
{
	size_t size = (least + sizeof(struct region) + REGION - 1) / REGION * REGION;
	void *p = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		abort();
	/* Where the limit of locked memory is low the rest still holds: no dump, wiped at
	 * the end. */
	(void)mlock(p, size);
	(void)madvise(p, size, MADV_DONTDUMP);
	(void)madvise(p, size, MADV_WIPEONFORK);
	struct region *region = p;
	region->size = size;
	region->used = (sizeof *region + 15) / 16 * 16;
	return region;
}

static void *
locked(void *with, size_t n)
{
	struct vault *vault = with;
	struct region *region = vault->regions;
	n = (n + 15) / 16 * 16;
	if (region == NULL || region->size - region->used < n) {
		region = region_new(n);
		region->next = vault->regions;
		vault->regions = region;
	}
	void *p = (char *)region + region->used;
	region->used += n;
	return p;
}

static void
wipe(void *with)
{
	struct vault *vault = with;
	for (struct region *region = vault->regions, *next; region != NULL;
		region = next) {
		size_t size = region->size;
		next = region->next;
		explicit_bzero(region, size);
		munmap(region, size);
	}
	vault->regions = NULL;
}

struct vault *
vault_new(struct arena *mem)
{
	struct vault *vault = arena_new_of(mem, struct vault);
	vault->mask.more = locked;
	vault->mask.with = vault;
	arena_defer(mem, wipe, vault);
	return vault;
}

/* ---- the forms of a secret */

static void
add_form(void *with, struct str form)
{
	struct vault *vault = with;
	if (form.n >= SECRET_LEAST)
		mask_add(&vault->mask, form);
}

/* What frames a key in PEM (RFC 7468) is the same for all keys. */
static bool
is_frame(struct str line)
{
	return str_starts(line, STR("-----"));
}

/* The whole, the whole without blanks and newlines around it, and each line. */
static void
add_forms(struct vault *vault, struct str bytes)
{
	char *room = locked(vault, forms_room(bytes.n));
	struct str rest = bytes, trimmed = str_trim(bytes);
	forms_each(bytes, room, add_form, vault);
	if (trimmed.n < bytes.n)
		forms_each(trimmed, room, add_form, vault);
	while (rest.n > 0) {
		struct str line = str_trim(str_cut(rest, '\n', &rest));
		if (line.n >= LINE_LEAST && line.n < trimmed.n && !is_frame(line))
			forms_each(line, room, add_form, vault);
	}
}

bool
vault_add(
	struct vault *vault, struct str bytes, const struct secret **out, struct err *err)
{
	if (bytes.n < SECRET_LEAST)
		return err_set(err, ERR_SECRET,
			"a secret of fewer than %d characters is not accepted",
			SECRET_LEAST);
	for (struct secret *it = vault->secrets; it != NULL; it = it->next)
		if (str_eq(it->bytes, bytes)) {
			*out = it;
			return true;
		}
	struct secret *secret = locked(vault, sizeof *secret);
	char *copy = locked(vault, bytes.n + 1);
	memcpy(copy, bytes.p, bytes.n);
	*secret = (struct secret){.next = vault->secrets, .bytes = {copy, bytes.n}};
	vault->secrets = secret;
	add_forms(vault, secret->bytes);
	*out = secret;
	return true;
}

struct str
secret_reveal(const struct secret *secret)
{
	return secret->bytes;
}

struct mask *
vault_automaton(const struct vault *vault)
{
	struct mask *mask = (struct mask *)&vault->mask;
	if (mask->n == 0)
		return NULL;
	mask_ready(mask);
	return mask;
}

void
secret_guard_process(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}
