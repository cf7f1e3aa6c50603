#include "host/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock */

/* Since Linux 6.2; the headers of Debian 12 are older. */
#define ACCESS_FS_TRUNCATE (1ULL << 14)

static const uint64_t changes = LANDLOCK_ACCESS_FS_WRITE_FILE
	| LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE
	| LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG;
static const uint64_t never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR
	| LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO
	| LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

static void
allow_below(int rules, const char *folder, uint64_t access)
{
	struct landlock_path_beneath_attr below = {.allowed_access = access,
		.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)};
	if (below.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
	close(below.parent_fd);
}

static void
guard_files(const char *writable)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
		LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t cut = version >= 3 ? ACCESS_FS_TRUNCATE : 0;
	struct landlock_ruleset_attr attr = {.handled_access_fs = changes | cut | never};
	if (version < 1)
		return;
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	if (rules < 0)
		return;
	if (writable != NULL)
		allow_below(rules, writable, changes | cut);
	syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
}

/* ---- seccomp */

#if defined __x86_64__
static const uint32_t arch = AUDIT_ARCH_X86_64, foreign = 0x40000000;  /* x32 */
#elif defined __aarch64__
static const uint32_t arch = AUDIT_ARCH_AARCH64, foreign = 0x40000000;
#else
static const uint32_t arch = 0, foreign = 0;      /* not known: no filter */
#endif

static const uint32_t refused[] = {
	SYS_socket, SYS_socketpair, SYS_execve, SYS_execveat, SYS_io_uring_setup, SYS_bpf,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_unshare, SYS_setns, SYS_init_module,
	SYS_finit_module, SYS_kexec_load, SYS_open_by_handle_at, SYS_perf_event_open,
	SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl,
};

enum { REFUSED = sizeof refused / sizeof refused[0], LENGTH = REFUSED + 11 };

static struct sock_filter
load(size_t offset)
{
	return (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/* To the last instruction, which refuses, if the value is equal (jump: BPF_JEQ), or not
 * below (BPF_JGE). */
static struct sock_filter
refuse_if(uint16_t jump, uint32_t value, size_t at)
{
	return (struct sock_filter)BPF_JUMP(
		BPF_JMP | jump | BPF_K, value, (uint8_t)(LENGTH - 2 - at), 0);
}

static void
guard_calls(void)
{
	struct sock_filter code[LENGTH];
	size_t n = 0;
	code[n++] = load(offsetof(struct seccomp_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, arch, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	code[n++] = load(offsetof(struct seccomp_data, nr));
	code[n] = refuse_if(BPF_JGE, foreign, n);
	n++;
	for (size_t i = 0; i < REFUSED; i++, n++)
		code[n] = refuse_if(BPF_JEQ, refused[i], n);
	code[n++] = (struct sock_filter)BPF_JUMP(
		BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3);
	code[n++] = load(offsetof(struct seccomp_data, args[1]));
	code[n] = refuse_if(BPF_JEQ, TIOCSTI, n);
	n++;
	code[n] = refuse_if(BPF_JEQ, TIOCLINUX, n);
	n++;
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n++] = (struct sock_filter)BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

void
guard_process(const char *writable)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return;
	guard_files(writable);
	if (arch != 0)
		guard_calls();
}
