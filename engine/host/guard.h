/* For commands that only read what others wrote (resilience.md C29): a playbook or a
 * store that takes the process over finds no socket, no program and no file to change. */
#ifndef HOST_GUARD_H
#define HOST_GUARD_H

/* For good, for this process and its threads to come, as far as the kernel has it: no new
 * privileges; no socket, no exec, no key typed into the terminal (seccomp: EPERM);
 * nothing written, made, removed or executed but what is written, made or removed below
 * `writable` (Landlock: EACCES). What is open stays open. writable: a folder; NULL: none.
 */
void guard_process(const char *writable);

#endif
