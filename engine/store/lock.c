#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "store/place.h"

int
lock_open(int folder, const char *name, struct err *err)
{
	struct stat st;
	if (!place_file(folder, name, err))
		return -1;
	int fd = openat(folder, name,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0) {
		err_errno(err, errno, "%s cannot be opened for writing", name);
		return -1;
	}
	if (fstat(fd, &st) != 0)
		err_errno(err, errno, "%s", name);
	else if (!S_ISREG(st.st_mode))
		err_set(err, ERR_DENIED, "%s is not a plain file", name);
	else if (place_owned(&st, err) || err_wrap(err, "%s", name))
		return fd;
	close(fd);
	return -1;
}

enum lock_result
lock_try(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return LOCK_TAKEN;
	return errno == EAGAIN || errno == EACCES ? LOCK_HELD : LOCK_ERROR;
}

static int64_t
boot_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * NS_S + now.tv_nsec;
}

enum lock_result
lock_take(int fd, int64_t patience)
{
	int64_t until = 0, pause = NS_MS / 20;
	enum lock_result result;
	while ((result = lock_try(fd)) == LOCK_HELD) {
		int64_t now = boot_now();
		until = until == 0 ? now + patience : until;
		if (now >= until)
			break;
		struct timespec nap = {.tv_nsec = pause};
		nanosleep(&nap, NULL);
		pause = pause < 2 * NS_MS ? pause * 2 : pause;
	}
	return result;
}

void
lock_drop(int fd)
{
	struct flock none = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
	fcntl(fd, F_OFD_SETLK, &none);
}

bool
lock_is_held(int fd)
{
	struct flock asked = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;
}
