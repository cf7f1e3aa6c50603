#include "run/again.h"

enum fate
fate_worst(enum fate a, enum fate b)
{
	return a > b ? a : b;
}

enum fate
fate_of(enum verdict verdict, enum reach reach)
{
	if (verdict == STEP_DONE)
		return FATE_DONE;
	if (verdict == STEP_DOUBT || reach == REACH_SENT)
		return FATE_DOUBT;
	return verdict == STEP_PARTIAL ? FATE_PARTIAL : FATE_NONE;
}

/* A key that the far side may have forgotten protects nothing any more. */
static enum effect
class_now(const struct bad_end *end)
{
	if (end->effect != KEYED || end->joined == FATE_NONE || end->in_window)
		return end->effect;
	return end->probe ? PROBED : ONCE;
}

static bool
must_probe(const struct bad_end *end)
{
	return end->fate == FATE_PARTIAL || end->fate == FATE_DOUBT
		|| end->joined == FATE_DOUBT;
}

enum again
again(const struct bad_end *end)
{
	if (end->effect == PURE) {
		bool go = end->transient || end->fate != FATE_NONE;
		return go && end->tries_left ? AGAIN_RETRY : AGAIN_FAIL;
	}
	if (end->fate == FATE_DONE)
		return AGAIN_FAIL;
	enum effect class = class_now(end);
	if (class == PROBED && must_probe(end))
		return AGAIN_PROBE;
	bool go = class == ONCE ? end->joined == FATE_NONE && end->transient
		: end->fate != FATE_NONE || end->transient;
	if (go && end->tries_left)
		return AGAIN_RETRY;
	return end->joined == FATE_DOUBT && class != REPEATABLE ? AGAIN_PARK : AGAIN_FAIL;
}
