/* Doubt: the one place where it is decided whether an attempt that ended badly is
 * repeated (resilience.md D2). Called live and on resume alike. Pure. */
#ifndef RUN_AGAIN_H
#define RUN_AGAIN_H

#include "host/host.h"
#include "run/state.h"

enum again { AGAIN_RETRY, AGAIN_PROBE, AGAIN_PARK, AGAIN_FAIL };

struct bad_end {                                      /* of an attempt */
	enum effect effect;
	enum fate fate;                               /* of this attempt */
	/* the worst of all since the world was last known */
	enum fate joined;
	bool transient, tries_left, probe;
	/* KEYED: the far side still remembers the key */
	bool in_window;
};

enum again again(const struct bad_end *end);

/* What the answer means by the step, and how far it got by the host; only here they meet.
 * */
enum fate fate_of(enum verdict verdict, enum reach reach);
enum fate fate_worst(enum fate a, enum fate b);

#endif
