/* append.c: a file that whole lines are appended to, and that is begun anew when it is large. */
#include "common/append.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"

struct append {
	char *path; /* NULL: standard error */
	size_t size_max;
	int fd;	   /* -1: not open */
	bool torn; /* the last line is incomplete */
};

struct append *append_create(const char *path, size_t size_max)
{
	struct append *file = xcalloc(1, sizeof(*file));

	file->path = path ? xstrdup(path) : NULL;
	file->size_max = size_max;
	file->fd = path ? -1 : STDERR_FILENO;
	return file;
}

struct append *append_destroy(struct append *file)
{
	if (!file)
		return NULL;
	if (file->path && file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file);
	return NULL;
}

const char *append_path(const struct append *file)
{
	return file->path ? file->path : "standard error";
}

void append_set_torn(struct append *file)
{
	file->torn = true;
}

static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
		one.st_ino == other.st_ino;
}

/* Replace the descriptor. If standard output and error had the same file open, replace them as
 * well. The C library and the sanitizers write to them, and would keep the old file open. */
static void take_descriptor(struct append *file, int fd)
{
	if (file->fd >= 0) {
		for (int standard = STDOUT_FILENO; standard <= STDERR_FILENO; standard++)
			if (is_same_file(standard, file->fd))
				dup2(fd, standard);
		close(file->fd);
	}
	file->fd = fd;
}

int append_open(struct append *file, bool again, struct err *err)
{
	int fd;

	if (!file->path || (file->fd >= 0 && !again))
		return 0;
	fd = open(file->path,
		O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", file->path, strerror(errno));
	take_descriptor(file, fd);
	return 0;
}

/* If no new file can be made, go on in the present one, and try again with the next line: losing
 * lines would be the greater harm. */
static void rotate(struct append *file)
{
	_cleanup_free_ char *old = xasprintf("%s.1", file->path);

	if (rename(file->path, old) == 0 && append_open(file, true, NULL) < 0)
		rename(old, file->path);
}

static int count_lines(const char *text, size_t length)
{
	int count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == '\n';
	return count;
}

/* The text is written after a newline, if it has to be. *ret_length: of what was written of it. */
static int put(struct append *file, const char *text, size_t length, size_t *ret_length)
{
	_cleanup_free_ char *whole = file->torn ? xasprintf("\n%.*s", (int)length, text) : NULL;
	size_t more = file->torn, all = length + more;
	ssize_t n = write(file->fd, whole ? whole : text, all);

	if (n < 0)
		return -errno;
	if (n > 0)
		file->torn = (size_t)n < all;
	*ret_length = (size_t)n > more ? (size_t)n - more : 0;
	return (size_t)n < all ? -ENOSPC : 0;
}

int append_write(struct append *file, const char *text, size_t length, int *ret_lost)
{
	size_t written = 0;
	struct stat st;
	struct err err = ERR_INIT;
	int r = append_open(file, false, &err);

	if (r == 0)
		r = put(file, text, length, &written);
	*ret_lost = r < 0 ? count_lines(text + written, length - written) : 0;
	if (r == 0 && file->path && fstat(file->fd, &st) == 0 &&
		st.st_size >= (off_t)file->size_max)
		rotate(file);
	return r;
}
