/* Who sits before a process: the one thing that `by`, `at_least` and `not_by` of a
 * question rest on (resilience.md R10). It is asked of the kernel, never of what is
 * typed. */
#ifndef HOST_PERSON_H
#define HOST_PERSON_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct person {
	uint32_t uid;
	/* "login": the login uid, which the kernel sets once and hands down over su and
	 * sudo (proc(5), loginuid). "sudo": SUDO_UID, which only root's environment is
	 * believed in. "uid": the user of the process. NULL: it cannot be told, for root
	 * is no person. */
	const char *known_by;
};

/* login: the text of /proc/self/loginuid, "" without it; sudo_uid: of the environment,
 * NULL without it. Pure. */
struct person person_judge(uint32_t uid, const char *login, const char *sudo_uid);

/* The name of the user, else the number. */
char *person_name(struct arena *mem, uint32_t uid);

/* As the name service says; may wait for it. person NULL: whether there is such a group.
 */
bool person_in_group(const char *person, const char *group);

#endif
