#include "disk.h"

#include <signal.h>
#include <sqlite3.h>
#include <string.h>

struct disk disk;

/* The real file stands right behind ours, in the room that SQLite gives to both. */
struct shim {
	sqlite3_file base;
	int flags;
};

static sqlite3_file *wal; /* the last one opened */
static sqlite3_int64 wal_synced; /* bytes of it */
static sqlite3_vfs vfs;
static sqlite3_vfs *below;

static sqlite3_file *
real(sqlite3_file *file)
{
	return (sqlite3_file *)(void *)((char *)file + sizeof(struct shim));
}

static void
count(void)
{
	if (++disk.calls != disk.die_at)
		return;
	if (disk.power_cut && wal != NULL)
		real(wal)->pMethods->xTruncate(real(wal), wal_synced);
	raise(SIGKILL);
}

static int
write_file(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
	count();
	return disk.write_answer != 0
		? disk.write_answer
		: real(file)->pMethods->xWrite(real(file), bytes, n, at);
}

static int
sync_file(sqlite3_file *file, int flags)
{
	count();
	disk.syncs++;
	disk.wal_syncs += (((struct shim *)file)->flags & SQLITE_OPEN_WAL) != 0;
	if (disk.lies || disk.sync_answer != 0)
		return disk.sync_answer;
	if (file == wal)
		real(file)->pMethods->xFileSize(real(file), &wal_synced);
	return real(file)->pMethods->xSync(real(file), flags);
}

static int
cut_file(sqlite3_file *file, sqlite3_int64 n)
{
	count();
	return real(file)->pMethods->xTruncate(real(file), n);
}

static int
close_file(sqlite3_file *file)
{
	wal = file == wal ? NULL : wal;
	return real(file)->pMethods->xClose(real(file));
}

#define PASS(name, parameters, ...)                                                      \
	static int name parameters                                                       \
	{                                                                                \
		return real(file)->pMethods->__VA_ARGS__;                                \
	}

PASS(read_file, (sqlite3_file * file, void *into, int n, sqlite3_int64 at),
	xRead(real(file), into, n, at))
PASS(size_file, (sqlite3_file * file, sqlite3_int64 *n), xFileSize(real(file), n))
PASS(lock_file, (sqlite3_file * file, int kind), xLock(real(file), kind))
PASS(unlock_file, (sqlite3_file * file, int kind), xUnlock(real(file), kind))
PASS(reserved, (sqlite3_file * file, int *out), xCheckReservedLock(real(file), out))
PASS(control, (sqlite3_file * file, int what, void *with),
	xFileControl(real(file), what, with))
PASS(sector, (sqlite3_file * file), xSectorSize(real(file)))
PASS(traits, (sqlite3_file * file), xDeviceCharacteristics(real(file)))
PASS(shm_map, (sqlite3_file * file, int page, int n, int extend, void volatile **out),
	xShmMap(real(file), page, n, extend, out))
PASS(shm_lock, (sqlite3_file * file, int at, int n, int flags),
	xShmLock(real(file), at, n, flags))
PASS(shm_unmap, (sqlite3_file * file, int drop), xShmUnmap(real(file), drop))

static void
shm_barrier(sqlite3_file *file)
{
	real(file)->pMethods->xShmBarrier(real(file));
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = close_file,
	.xRead = read_file,
	.xWrite = write_file,
	.xTruncate = cut_file,
	.xSync = sync_file,
	.xFileSize = size_file,
	.xLock = lock_file,
	.xUnlock = unlock_file,
	.xCheckReservedLock = reserved,
	.xFileControl = control,
	.xSectorSize = sector,
	.xDeviceCharacteristics = traits,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

static int
open_file(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out)
{
	(void)self;
	int result = below->xOpen(below, name, real(file), flags, out);
	((struct shim *)file)->flags = flags;
	file->pMethods = result == SQLITE_OK ? &methods : NULL;
	if (result == SQLITE_OK && flags & SQLITE_OPEN_WAL) {
		wal = file;
		real(wal)->pMethods->xFileSize(real(wal), &wal_synced);
	}
	return result;
}

void
disk_use(void)
{
	if (below != NULL)
		return;
	below = sqlite3_vfs_find(NULL);
	vfs = *below;
	vfs.zName = "disk";
	vfs.szOsFile = (int)sizeof(struct shim) + below->szOsFile;
	vfs.xOpen = open_file;
	sqlite3_vfs_register(&vfs, 1);
}
