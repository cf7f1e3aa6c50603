#include "base/secret.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/digest.h"
#include "base/mask.h"

enum { REGION = 65536 };

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
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		abort();
	/* Where the limit of locked memory is low the rest still holds: no dump, wiped at the end. */
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
	for (struct region *region = vault->regions, *next; region != NULL; region = next) {
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
add_form(struct vault *vault, struct str form)
{
	if (form.n >= SECRET_LEAST)
		mask_add(&vault->mask, form);
}

/* In base64 a text looks otherwise at each of three places, and its first and last letters hang on its neighbours: only
 * the letters that are its own are looked for. */
static void
add_base64(struct vault *vault, struct str bytes)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (size_t before = 0; before < 3; before++) {
		size_t from = (8 * before + 5) / 6, to = 8 * (before + bytes.n) / 6, n = 0;
		char *a = locked(vault, to), *b = locked(vault, to);
		for (size_t letter = from; letter < to; letter++, n++) {
			unsigned six = 0;
			for (size_t bit = 6 * letter; bit < 6 * letter + 6; bit++) {
				size_t at = bit - 8 * before;
				six = six << 1 | ((unsigned char)bytes.p[at / 8] >> (7 - at % 8) & 1);
			}
			a[n] = plain[six];
			b[n] = url[six];
		}
		add_form(vault, (struct str){a, n});
		add_form(vault, (struct str){b, n});
	}
}

static void
add_hex(struct vault *vault, struct str bytes, const char *digits)
{
	char *text = locked(vault, 2 * bytes.n);
	for (size_t i = 0; i < bytes.n; i++) {
		text[2 * i] = digits[(unsigned char)bytes.p[i] >> 4];
		text[2 * i + 1] = digits[(unsigned char)bytes.p[i] & 15];
	}
	add_form(vault, (struct str){text, 2 * bytes.n});
}

static bool
is_unreserved(char c)                                 /* RFC 3986, 2.3 */
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		(c != '\0' && strchr("-._~", c) != NULL);
}

static void
add_url(struct vault *vault, struct str bytes, const char *digits, const char *also, bool plus)
{
	char *text = locked(vault, 3 * bytes.n);
	size_t n = 0;
	for (size_t i = 0; i < bytes.n; i++) {
		char c = bytes.p[i];
		if (is_unreserved(c) || (c != '\0' && strchr(also, c) != NULL)) {
			text[n++] = c;
		} else if (c == ' ' && plus) {
			text[n++] = '+';
		} else {
			text[n++] = '%';
			text[n++] = digits[(unsigned char)c >> 4];
			text[n++] = digits[(unsigned char)c & 15];
		}
	}
	add_form(vault, (struct str){text, n});
}

/* As RFC 8259 lets a text be written; `slash`: with \/ as some do. */
static void
add_json(struct vault *vault, struct str bytes, bool slash)
{
	static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\", digits[] = "0123456789abcdef";
	char *text = locked(vault, 6 * bytes.n);
	size_t n = 0;
	for (size_t i = 0; i < bytes.n; i++) {
		char c = bytes.p[i];
		const char *found = c == '\0' ? NULL : strchr(from, c);
		if (found != NULL || (c == '/' && slash)) {
			text[n++] = '\\';
			text[n++] = found != NULL ? to[found - from] : '/';
		} else if ((unsigned char)c < 0x20) {
			memcpy(text + n, "\\u00", 4);
			text[n + 4] = digits[(unsigned char)c >> 4];
			text[n + 5] = digits[(unsigned char)c & 15];
			n += 6;
		} else {
			text[n++] = c;
		}
	}
	add_form(vault, (struct str){text, n});
}

static void
add_forms(struct vault *vault, struct str bytes)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	add_form(vault, bytes);
	add_base64(vault, bytes);
	add_hex(vault, bytes, lower);
	add_hex(vault, bytes, upper);
	add_url(vault, bytes, upper, "", false);
	add_url(vault, bytes, lower, "", false);
	add_url(vault, bytes, upper, "", true);
	add_url(vault, bytes, upper, "/", false);
	add_json(vault, bytes, false);
	add_json(vault, bytes, true);
}

bool
vault_add(struct vault *vault, struct str bytes, const struct secret **out, struct err *err)
{
	if (bytes.n < SECRET_LEAST)
		return err_set(err, ERR_SECRET, "a secret of fewer than %d characters is not accepted",
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
	for (struct str rest = secret->bytes, line; rest.n > 0;) {
		line = str_trim(str_cut(rest, '\n', &rest));
		if (line.n < bytes.n && line.n >= SECRET_LEAST)
			add_forms(vault, line);
	}
	*out = secret;
	return true;
}

struct str
secret_reveal(const struct secret *secret)
{
	return secret->bytes;
}

/* ---- masking */

struct masker {
	struct mask *mask;
	uint32_t node;
	struct buf held;                              /* not given out yet */
	struct buf hidden;                            /* for each byte of it whether it is part of a secret */
	bool in_mask;                                 /* the last byte that left was part of one */
};

struct masker *
masker_new(struct arena *mem, const struct vault *vault)
{
	struct masker *masker = arena_new_of(mem, struct masker);
	masker->mask = (struct mask *)&vault->mask;
	masker->held = buf_in(mem);
	masker->hidden = buf_in(mem);
	return masker;
}

static void
give_out(struct masker *masker, size_t n, struct buf *out)
{
	size_t from = 0;
	while (from < n) {
		size_t to = from;
		bool hide = masker->hidden.p[from] != 0;
		while (to < n && (masker->hidden.p[to] != 0) == hide)
			to++;
		if (!hide)
			buf_add(out, (struct str){masker->held.p + from, to - from});
		else if (!masker->in_mask)
			buf_puts(out, "***");
		masker->in_mask = hide;
		from = to;
	}
	if (n == 0)
		return;
	size_t rest = masker->held.n - n;
	memmove(masker->held.p, masker->held.p + n, rest);
	memmove(masker->hidden.p, masker->hidden.p + n, rest);
	explicit_bzero(masker->held.p + rest, n);
	buf_cut(&masker->held, rest);
	buf_cut(&masker->hidden, rest);
}

void
masker_add(struct masker *masker, struct str piece, bool end, struct buf *out)
{
	struct mask *mask = masker->mask;
	if (mask->n == 0) {
		buf_add(out, piece);
		return;
	}
	mask_ready(mask);
	buf_reserve(&masker->held, piece.n);
	buf_fill(&masker->hidden, 0, piece.n);
	for (size_t i = 0; i < piece.n; i++) {
		buf_putc(&masker->held, piece.p[i]);
		masker->node = mask_next(mask, masker->node, (uint8_t)piece.p[i]);
		uint32_t found = mask->nodes[masker->node].found;
		if (found > 0)
			memset(masker->hidden.p + masker->held.n - found, 1, found);
	}
	give_out(masker, end ? masker->held.n : masker->held.n - mask->nodes[masker->node].depth, out);
	if (end)
		masker->node = 0;
}

bool
vault_finds(const struct vault *vault, struct str text)
{
	struct mask *mask = (struct mask *)&vault->mask;
	if (mask->n == 0)
		return false;
	mask_ready(mask);
	uint32_t node = 0;
	for (size_t i = 0; i < text.n; i++) {
		node = mask_next(mask, node, (uint8_t)text.p[i]);
		if (mask->nodes[node].found > 0)
			return true;
	}
	return false;
}

struct str
vault_mask(const struct vault *vault, struct arena *mem, struct str text)
{
	if (!vault_finds(vault, text))
		return text;
	struct masker *masker = masker_new(mem, vault);
	struct buf out = buf_in(mem);
	masker_add(masker, text, true, &out);
	return buf_str(&out);
}

static void
mask_text(const struct vault *vault, char *text, size_t size)
{
	if (!vault_finds(vault, str_of(text)))
		return;
	struct arena *mem = arena_new();
	struct str masked = vault_mask(vault, mem, str_of(text));
	size_t n = masked.n < size ? masked.n : size - 1;
	memcpy(text, masked.p, n);
	text[n] = '\0';
	arena_free(mem);
}

void
vault_mask_err(const struct vault *vault, struct err *err)
{
	mask_text(vault, err->msg, sizeof err->msg);
	mask_text(vault, err->hint, sizeof err->hint);
}

void
secret_guard_process(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}
