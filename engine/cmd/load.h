/* Playbooks from files, as every command that reads one does it. */
#ifndef CMD_LOAD_H
#define CMD_LOAD_H

#include "cmd/command.h"
#include "model/playbook.h"

/* NULL: errors are in diags. */
const struct playbook *book_read(struct cmd *cmd, const char *path, struct diags *diags);

#endif
