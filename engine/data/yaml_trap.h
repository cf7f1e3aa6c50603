/* The traps of YAML into which authors of playbooks fall (the table in language.md),
 * told as the hint of an error. */
#ifndef DATA_YAML_TRAP_H
#define DATA_YAML_TRAP_H

#include "base/err.h"

/* Looks at the line of the source at `offset`; sets err->hint where it shows a known
 * trap. */
void yaml_trap(const struct source *source, uint32_t offset, struct err *err);

/* The same of how the lines lie to each other; context: where the thing begins in which
 * the error is, as libyaml says. */
void yaml_trap_layout(const struct source *source, uint32_t context, uint32_t offset,
	struct err *err);

#endif
