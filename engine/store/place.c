#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* linux/magic.h names only some of these. 9P is not among them: it is a share with the
 * machine's own host (WSL, gVisor's root), and locks hold for all of the guest. */
static const struct {
	long magic;
	const char *name;
} of_the_net[] = {
	{0x6969, "NFS"},
	{0x517b, "SMB"},
	{0xff534d42, "CIFS"},
	{0xfe534d42, "SMB2"},
	{0x5346414f, "AFS"},
	{0x6b414653, "AFS"},
	{0x73757245, "Coda"},
	{0x564c, "NCP"},
	{0x00c36400, "Ceph"},
	{0x0bd00bd0, "Lustre"},
	{0x47504653, "GPFS"},
	{0x01161970, "GFS2"},
	{0x7461636f, "OCFS2"},
	{0x19830326, "BeeGFS"},
	{0xaad7aaea, "PanFS"},
	{0x013111a8, "IBRIX"},
};

enum { MAGIC_FUSE = 0x65735546, MAGIC_OVERLAY = 0x794c7630 };

static bool
has_option(const char *options, const char *word)
{
	struct str rest = str_of(options);
	while (rest.p != NULL && rest.n > 0)
		if (str_is(str_cut(rest, ',', &rest), word))
			return true;
	return false;
}

static bool
refuse(struct err *err, const char *what)
{
	err_set(err, ERR_UNSUPPORTED, "lies on %s", what);
	return err_hint(err, "Name a folder on a disk of this machine with --store.");
}

bool
place_fits(const struct place *place, struct err *err)
{
	char what[120];
	for (size_t i = 0; i < sizeof of_the_net / sizeof of_the_net[0]; i++)
		if ((uint32_t)place->magic == (uint32_t)of_the_net[i].magic) {
			snprintf(what, sizeof what,
				"%s, a file system of the net, where locks and "
				"synced writes do not hold",
				of_the_net[i].name);
			return refuse(err, what);
		}
	if (place->magic == MAGIC_FUSE && strcmp(place->type, "fuse.fuse-overlayfs") != 0
		&& strcmp(place->type, "virtiofs") != 0) {
		snprintf(what, sizeof what,
			"%.40s, where locks and synced writes may not hold",
			place->type[0] == '\0' ? "FUSE" : place->type);
		return refuse(err, what);
	}
	if (place->magic == MAGIC_OVERLAY && has_option(place->options, "volatile"))
		return refuse(err, "an overlay mounted 'volatile', which never syncs");
	return true;
}

/* One line of mountinfo (proc(5)): "36 35 98:0 /root /mount opts tags - type source
 * super". */
static bool
read_mount(char *line, dev_t device, char type[64], char options[256])
{
	unsigned high, low;
	char *after = strstr(line, " - ");
	if (after == NULL || sscanf(line, "%*d %*d %u:%u", &high, &low) != 2)
		return false;
	if (makedev(high, low) != device)
		return false;
	return sscanf(after, " - %63s %*s %255s", type, options) >= 1;
}

static void
find_mount(dev_t device, char type[64], char options[256])
{
	char line[4096];
	FILE *file = fopen("/proc/self/mountinfo", "re");
	type[0] = options[0] = '\0';
	if (file == NULL)
		return;
	while (fgets(line, sizeof line, file) != NULL)
		if (read_mount(line, device, type, options))
			break;
	fclose(file);
}

static bool
judge(int folder, struct err *err)
{
	char type[64], options[256];
	struct statfs fs;
	struct stat st;
	if (fstatfs(folder, &fs) != 0 || fstat(folder, &st) != 0)
		return err_errno(err, errno, "its file system");
	find_mount(st.st_dev, type, options);
	struct place place = {(long)fs.f_type, type, options};
	return place_owned(&st, err) && place_fits(&place, err);
}

static bool
is_other(uid_t uid, uid_t owner)
{
	return uid != owner && uid != geteuid();
}

/* Whether anybody but the owner and the caller is in the group, by its list or as their
 * first group: as far as the name service lists its users. */
static bool
has_others(gid_t gid, uid_t owner)
{
	const struct group *group = getgrgid(gid);
	bool others = group == NULL;
	for (char **name = group == NULL ? NULL : group->gr_mem;
		name != NULL && *name != NULL; name++) {
		const struct passwd *member = getpwnam(*name);
		others |= member == NULL || is_other(member->pw_uid, owner);
	}
	setpwent();
	for (const struct passwd *p; !others && (p = getpwent()) != NULL;)
		others = p->pw_gid == gid && is_other(p->pw_uid, owner);
	endpwent();
	return others;
}

bool
place_owned(const struct stat *st, struct err *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return err_set(err, ERR_DENIED,
			"belongs to user %u, who is neither you nor root",
			(unsigned)st->st_uid);
	if (st->st_mode & S_IWOTH)
		return err_set(err, ERR_DENIED, "everybody may write it (mode %04o)",
			(unsigned)st->st_mode & 07777);
	if (st->st_mode & S_IWGRP && has_others(st->st_gid, st->st_uid))
		return err_set(err, ERR_DENIED,
			"group %u, which has other members, may write it "
			"(mode %04o)",
			(unsigned)st->st_gid, (unsigned)st->st_mode & 07777);
	return true;
}

bool
place_file(int folder, const char *name, struct err *err)
{
	struct stat st;
	if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT || err_errno(err, errno, "%s", name);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return err_set(
			err, ERR_DENIED, "%s is not a plain file with one name", name);
	return place_owned(&st, err) || err_wrap(err, "%s", name);
}

static bool
make_folder(char *path, struct err *err)
{
	for (char *slash = strchr(path + 1, '/'); slash != NULL;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0700) != 0 && errno != EEXIST)
			return err_errno(err, errno, "folder %s cannot be made", path);
		*slash = '/';
	}
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_errno(err, errno, "the folder cannot be made");
	return true;
}

bool
place_open(const char *path, int *folder, struct err *err)
{
	struct str text = str_of(path);
	if (str_starts(text, STR("postgresql:")) || str_starts(text, STR("postgres:")))
		return err_set(err, ERR_UNSUPPORTED,
			"a store in PostgreSQL is not in this version");
	struct arena *scratch = arena_new();
	bool ok = make_folder(arena_strdup(scratch, path), err);
	arena_free(scratch);
	if (!ok)
		return false;
	*folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*folder < 0)
		return err_errno(err, errno, "cannot be opened");
	if (judge(*folder, err))
		return true;
	close(*folder);
	*folder = -1;
	return false;
}
