/* SHA-256 (FIPS 180-4), HMAC (RFC 2104), MD5 (RFC 1321) where S3 speaks it, and the
 * encodings of RFC 4648. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/str.h"

enum { SHA256_SIZE = 32, MD5_SIZE = 16, KEY_LENGTH = 52 }; /* 52: characters of base32 without padding */

struct digest;                                        /* a digest under way */

struct digest *digest_new(struct arena *mem);
void digest_add(struct digest *digest, struct str bytes);
void
digest_end(struct digest *digest, uint8_t out[SHA256_SIZE]); /* and ready for another */

/* As above with MD5_SIZE bytes at the end. NULL: the library gives none (FIPS). */
struct digest *digest_new_md5(struct arena *mem);

void sha256(struct str bytes, uint8_t out[SHA256_SIZE]);
bool md5(struct str bytes, uint8_t out[MD5_SIZE]); /* false: the library gives none */
/* Hex; for names of files that others made so, never for trust. */
char *sha1_hex(struct arena *mem, struct str bytes);
void hmac_sha256(struct str key, struct str bytes, uint8_t out[SHA256_SIZE]);

char *hex_text(struct arena *mem, const void *bytes, size_t n);      /* lower case */
bool hex_parse(struct str text, uint8_t *out, size_t n);             /* exactly n bytes */
char *
base32_text(struct arena *mem, const void *bytes, size_t n); /* a-z2-7, no padding */
char *base64_text(struct arena *mem, const void *bytes, size_t n);
bool base64_parse(
	struct arena *mem, struct str text, struct str *out); /* padding may be missing */
char *sha256_hex(struct arena *mem, struct str bytes);

#endif
