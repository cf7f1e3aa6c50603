#include "../steps/aws/crc64.h"

#define POLYNOMIAL UINT64_C(0x9a6c9329ac4bc9b5)       /* of ad93d23594c93659, reflected */

struct crc64 {
	uint64_t table[8][256];               /* [k][b]: byte b, k bytes before the end */
};

struct crc64 *
crc64_new(struct arena *mem)
{
	struct crc64 *crc = arena_new_of(mem, struct crc64);
	for (unsigned b = 0; b < 256; b++) {
		uint64_t value = b;
		for (int i = 0; i < 8; i++)
			value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
		crc->table[0][b] = value;
	}
	for (unsigned k = 1; k < 8; k++)
		for (unsigned b = 0; b < 256; b++) {
			uint64_t value = crc->table[k - 1][b];
			crc->table[k][b] = value >> 8 ^ crc->table[0][value & 255];
		}
	return crc;
}

static uint64_t
eight_bytes(const unsigned char *p)
{
	uint64_t value = 0;
	for (int i = 7; i >= 0; i--)
		value = value << 8 | p[i];
	return value;
}

uint64_t
crc64_add(const struct crc64 *crc, uint64_t value, struct str bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	size_t n = bytes.n;
	value = ~value;
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t x = value ^ eight_bytes(p);
		value = 0;
		for (int i = 0; i < 8; i++)
			value ^= crc->table[7 - i][x >> (8 * i) & 255];
	}
	for (; n > 0; n--, p++)
		value = value >> 8 ^ crc->table[0][(value ^ *p) & 255];
	return ~value;
}

char *
crc64_text(struct arena *mem, uint64_t value)
{
	unsigned char bytes[8];
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> (56 - 8 * i));
	return base64_text(mem, bytes, sizeof bytes);
}
