/* Secrets: text that no sink may show. It lies in locked memory that no core dump holds
 * (mlock, MADV_DONTDUMP), is wiped when its vault ends, and cannot be formatted: who
 * needs the bytes says secret_reveal, which a lint lists.
 *
 * The vault masks: every form of every secret (raw, base64 at three offsets, hex,
 * URL-encoded, JSON-escaped, and each line of a text of several lines that is long
 * enough) becomes *** in whatever goes to a sink (resilience.md C8). */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/err.h"

enum { SECRET_LEAST = 6 }; /* shorter is refused: it would mask by chance */

struct vault;
struct secret;

struct vault *vault_new(struct arena *mem);            /* wiped and unlocked with mem */
/* Copies the bytes. ERR_SECRET if they are shorter than SECRET_LEAST. The same bytes give
 * the same secret. */
bool vault_add(struct vault *vault, struct str bytes, const struct secret **out,
	struct err *err);
struct str secret_reveal(const struct secret *secret);

bool vault_finds(const struct vault *vault,
	struct str text); /* whether some form of a secret is in it */
struct str vault_mask(const struct vault *vault, struct arena *mem,
	struct str text); /* text itself where none is */
void vault_mask_err(const struct vault *vault,
	struct err *err); /* scrub_err, and every form of a secret */

/* A stream in pieces: what could be the beginning of a secret is held back until the next
 * piece or the end. */
struct masker;
struct masker *masker_new(struct arena *mem, const struct vault *vault);
void masker_add(struct masker *masker, struct str piece, bool end, struct buf *out);

/* No core dump, no ptrace by others of the same user (PR_SET_DUMPABLE 0, RLIMIT_CORE 0).
 * Once, at the start of main. */
void secret_guard_process(void);

#endif
