#include "model/retry.h"

#include <assert.h>
#include <stdio.h>

#include "base/digest.h"

const struct retry retry_otherwise = {
	.attempts = 3,
	.delay = 2 * NS_S,
	.max_delay = 30 * NS_S,
	.backoff = 2,
	.jitter = 0.2,
};

/* The first 53 bits of SHA-256("key/next"): 0 <= x < 1, the same on every machine. */
static double
draw(const char *key, uint32_t next)
{
	char text[160];
	uint8_t digest[SHA256_SIZE];
	uint64_t bits = 0;
	int n = snprintf(text, sizeof text, "%s/%u", key, next);
	assert(n > 0 && (size_t)n < sizeof text);
	sha256((struct str){text, (size_t)n}, digest);
	for (size_t i = 0; i < 8; i++)
		bits = bits << 8 | digest[i];
	return (double)(bits >> 11) / 9007199254740992.0;
}

/* Exponential backoff with a cap and proportional jitter (as AWS's "Exponential Backoff
 * And Jitter", 2015, shows why: clients that failed together must not come back
 * together). */
int64_t
retry_delay(const struct retry *retry, const char *key, uint32_t next)
{
	double pause = (double)retry->delay, most = (double)retry->max_delay;
	assert(next >= 2);
	for (uint32_t i = 2; i < next && pause < most && retry->backoff > 1; i++)
		pause *= retry->backoff;
	if (retry->backoff < 1)
		for (uint32_t i = 2; i < next && i < 1000; i++)
			pause *= retry->backoff;
	if (pause > most)
		pause = most;
	pause *= 1 + retry->jitter * (2 * draw(key, next) - 1);
	return pause <= 0 ? 0 : (int64_t)pause;
}
