#include "base/digest.h"

/* For SHA256_Init(3): what replaces it, EVP_MD_fetch(3), first reads the configuration and
 * lists every algorithm of the provider, 6 million instructions where the run of one step
 * has 12. Both end in the same code. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>

struct digest {
	SHA256_CTX sha;
	EVP_MD_CTX *other;                    /* NULL: it is of SHA-256 */
};

static void
must(int ok)
{
	if (ok != 1)
		abort();
}

struct digest *
digest_new(struct arena *mem)
{
	struct digest *digest = arena_new_of(mem, struct digest);
	must(SHA256_Init(&digest->sha));
	return digest;
}

static void
digest_free(void *with)
{
	EVP_MD_CTX_free(((struct digest *)with)->other);
}

struct digest *
digest_new_md5(struct arena *mem)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	must(context != NULL);
	if (EVP_DigestInit_ex(context, EVP_md5(), NULL) != 1) {
		EVP_MD_CTX_free(context);
		return NULL;
	}
	struct digest *digest = arena_new_of(mem, struct digest);
	*digest = (struct digest){.other = context};
	arena_defer(mem, digest_free, digest);
	return digest;
}

void
digest_add(struct digest *digest, struct str bytes)
{
	if (digest->other == NULL)
		must(SHA256_Update(&digest->sha, bytes.p, bytes.n));
	else
		must(EVP_DigestUpdate(digest->other, bytes.p, bytes.n));
}

void
digest_end(struct digest *digest, uint8_t out[SHA256_SIZE])
{
	if (digest->other == NULL) {
		must(SHA256_Final(out, &digest->sha));
		must(SHA256_Init(&digest->sha));
	} else {
		must(EVP_DigestFinal_ex(digest->other, out, NULL));
		must(EVP_DigestInit_ex(digest->other, NULL, NULL));
	}
}

void
sha256(struct str bytes, uint8_t out[SHA256_SIZE])
{
	SHA256_CTX context;
	must(SHA256_Init(&context));
	must(SHA256_Update(&context, bytes.p, bytes.n));
	must(SHA256_Final(out, &context));
}

bool
md5(struct str bytes, uint8_t out[MD5_SIZE])
{
	return EVP_Digest(bytes.p, bytes.n, out, NULL, EVP_md5(), NULL) == 1;
}

enum { BLOCK = 64 }; /* of SHA-256, which the key of HMAC fills */

/* Of the key, each byte changed by `pad`, and what follows it. */
static void
keyed(const uint8_t key[BLOCK], uint8_t pad, struct str bytes, uint8_t out[SHA256_SIZE])
{
	SHA256_CTX context;
	uint8_t block[BLOCK];
	for (size_t i = 0; i < BLOCK; i++)
		block[i] = key[i] ^ pad;
	must(SHA256_Init(&context));
	must(SHA256_Update(&context, block, BLOCK));
	must(SHA256_Update(&context, bytes.p, bytes.n));
	must(SHA256_Final(out, &context));    /* which also wipes the context */
	OPENSSL_cleanse(block, BLOCK);
}

/* By hand, since HMAC(3) looks itself up among the providers at each use, and a signature
 * takes five. */
void
hmac_sha256(struct str key, struct str bytes, uint8_t out[SHA256_SIZE])
{
	uint8_t block[BLOCK] = {0}, inner[SHA256_SIZE];
	if (key.n > BLOCK)
		sha256(key, block);
	else if (key.n > 0)
		memcpy(block, key.p, key.n);
	keyed(block, 0x36, bytes, inner);
	keyed(block, 0x5c, (struct str){(const char *)inner, sizeof inner}, out);
	OPENSSL_cleanse(block, BLOCK);
}

char *
sha1_hex(struct arena *mem, struct str bytes)
{
	uint8_t out[20];
	must(EVP_Digest(bytes.p, bytes.n, out, NULL, EVP_sha1(), NULL));
	return hex_text(mem, out, sizeof out);
}

char *
hex_text(struct arena *mem, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *p = bytes;
	char *text = arena_alloc(mem, n * 2 + 1);
	for (size_t i = 0; i < n; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	return text;
}

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : -1;
}

bool
hex_parse(struct str text, uint8_t *out, size_t n)
{
	if (text.n != n * 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text.p[2 * i]), low = hex_digit(text.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static char *
encode(struct arena *mem, const unsigned char *p, size_t n, unsigned bits,
	const char *digits)
{
	char *text = arena_alloc(mem, n * 8 / bits + 8), *out = text;
	unsigned have = 0, held = 0;
	for (size_t i = 0; i < n; i++) {
		held = held << 8 | p[i];
		for (have += 8; have >= bits; have -= bits)
			*out++ = digits[held >> (have - bits) & ((1u << bits) - 1)];
	}
	if (have > 0)
		*out++ = digits[held << (bits - have) & ((1u << bits) - 1)];
	return text;
}

char *
base32_text(struct arena *mem, const void *bytes, size_t n)
{
	return encode(mem, bytes, n, 5, "abcdefghijklmnopqrstuvwxyz234567");
}

char *
base64_text(struct arena *mem, const void *bytes, size_t n)
{
	char *text = encode(mem, bytes, n, 6,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	for (size_t length = strlen(text); length % 4 != 0; length++)
		text[length] = '=';
	return text;
}

static int
base64_digit(char c)
{
	return c >= 'A' && c <= 'Z'    ? c - 'A'
		: c >= 'a' && c <= 'z' ? c - 'a' + 26
		: c >= '0' && c <= '9' ? c - '0' + 52
		: c == '+'             ? 62
		: c == '/'             ? 63
				       : -1;
}

bool
base64_parse(struct arena *mem, struct str text, struct str *out)
{
	size_t pads = 0;
	while (pads < 2 && text.n > 0 && text.p[text.n - 1] == '=') {
		text.n--;
		pads++;
	}
	if (text.n % 4 == 1 || (pads > 0 && (text.n + pads) % 4 != 0))
		return false;
	char *bytes = arena_alloc(mem, text.n + 1);
	unsigned held = 0, have = 0;
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		int digit = base64_digit(text.p[i]);
		if (digit < 0)
			return false;
		held = held << 6 | (unsigned)digit;
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[n++] = (char)(held >> have & 0xff);
		}
	}
	*out = (struct str){bytes, n};
	return true;
}

char *
sha256_hex(struct arena *mem, struct str bytes)
{
	uint8_t sum[SHA256_SIZE];
	sha256(bytes, sum);
	return hex_text(mem, sum, sizeof sum);
}
