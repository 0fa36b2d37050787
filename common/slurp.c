/* slurp.c: reads a small configuration file as a whole. */
#include "common/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"

static int check_kind(const char *path, const struct stat *st, struct err *err)
{
	if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3)) /* /dev/null */
		return 0;
	if (!S_ISREG(st->st_mode))
		return err_set(err, -EINVAL, "is not a settings file: not a regular file");
	if (st->st_size > SLURP_MAX)
		return err_set(err, -EFBIG, "is not a settings file: larger than %d MiB",
			SLURP_MAX / (1024 * 1024));
	if (st->st_mode & S_IWOTH)
		return err_set(err, -EPERM,
			"every user of this machine can write it (mode %04o): chmod o-w %s",
			st->st_mode & 07777, path);
	return 0;
}

int slurp(const char *path, char **ret, size_t *ret_size, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	size_t size, used = 0;
	struct stat st;
	ssize_t n;
	int r;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "cannot be read: %s", strerror(errno));
	r = check_kind(path, &st, err);
	if (r < 0)
		return r;
	size = (size_t)st.st_size;
	text = xcalloc(size + 1, 1);
	while (used < size && (n = read(fd, text + used, size - used)) != 0) {
		if (n < 0 && errno != EINTR)
			return err_set(err, -errno, "cannot be read: %s", strerror(errno));
		used += n > 0 ? (size_t)n : 0;
	}
	*ret = TAKE_PTR(text);
	*ret_size = used;
	return 0;
}
