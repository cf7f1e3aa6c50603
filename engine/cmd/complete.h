/* Completions for shells, made from the rows of the commands. */
#ifndef CMD_COMPLETE_H
#define CMD_COMPLETE_H

#include "base/str.h"

/* shell: bash, zsh or fish */
void write_completion(struct buf *out, const char *shell);

#endif
