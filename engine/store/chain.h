/* The hash chain of a run: what record_chain and verify share. */
#ifndef STORE_CHAIN_H
#define STORE_CHAIN_H

#include "base/digest.h"
#include "store/store.h"

/* SHA-256 over: the hash before, run, seq, at, boot, the kind's word, path, attempt,
 * body. Before each field stands its length; lengths and numbers are 8 bytes, big-
 * endian. `word` is given apart because verify also follows kinds that this rbx does not
 * know. */
void chain_hash(struct digest *digest, const char *run, const uint8_t before[SHA256_SIZE],
	const struct record *record, struct str word, uint8_t out[SHA256_SIZE]);

#endif
