/* CRC-64/NVME (NVM Express NVM Command Set 1.0, 5.2.1.3.4), which S3 keeps of a whole
 * object whatever its parts. Check value of "123456789": ae8b14860a799888. */
#ifndef STEPS_AWS_CRC64_H
#define STEPS_AWS_CRC64_H

#include "run/step.h"

struct crc64;                                         /* the tables */

struct crc64 *crc64_new(struct arena *mem);
/* Goes on from the value of what came before; 0: nothing did. */
uint64_t crc64_add(const struct crc64 *crc, uint64_t value, struct str bytes);
/* As S3 says it: base64 of the eight bytes, the highest first. */
char *crc64_text(struct arena *mem, uint64_t value);

#endif
