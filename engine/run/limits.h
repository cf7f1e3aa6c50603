/* What the limits of a playbook say about accounts, regions and addresses. Of a called
 * playbook those of its callers hold as well. Internal to run/. */
#ifndef RUN_LIMITS_H
#define RUN_LIMITS_H

#include "run/shell.h"

struct limits {
	struct limits *next;
	const struct playbook *book;
	/* accounts and regions, what all agree to; the same pointer where a playbook adds
	 * nothing to its caller's. NULL: none are limited. */
	const struct value *value;
	/* CIDR ranges, IPv4 as ::ffff:a.b.c.d; NULL: nobody lists any */
	const struct addresses *addresses;
};

/* Of all playbooks of the run; before anything is asked of a provider. */
bool limits_open(struct shell *shell, struct err *err);
const struct limits *limits_of(const struct shell *shell, const struct playbook *book);
/* Whether `region` of these arguments, where they have one, is among the regions. */
bool limits_region(const struct limits *limits, const struct value *in, struct err *err);

#endif
