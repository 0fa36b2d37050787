/* log.c: the log: one line for each event, to standard error or to a file that can be reopened, and
 * to a second file.
 *
 * Each line is written with one write(2), so that lines of several processes in one file do not
 * mix. A file that has grown large is renamed to FILE.1 and replaces an older one, so there are two
 * at most. */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/visible.h"

#define LINE_MAX_BYTES 8192

struct target {
	int fd; /* -1: none */
	char *path;
};

static struct {
	struct target main, also;
	enum log_level level;
	bool journal;
} log_ = {.main.fd = STDERR_FILENO, .also.fd = -1, .level = LOG_LEVEL_INFO};

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
		fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static bool is_same_file(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
		one.st_ino == other.st_ino;
}

/* Replace the descriptor of target. If standard output and error had the same file open, replace
 * them as well. The C library and the sanitizers write to them, and would keep the old file
 * open. */
static void take_descriptor(struct target *target, int fd)
{
	if (target->fd > STDERR_FILENO) {
		for (int standard = STDOUT_FILENO; standard <= STDERR_FILENO; standard++)
			if (is_same_file(standard, target->fd))
				dup2(fd, standard);
		close(target->fd);
	}
	target->fd = fd;
}

static int reopen(struct target *target, struct err *err)
{
	int fd;

	if (!target->path)
		return 0;
	fd = open(target->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, -errno, "cannot open the log %s: %s", target->path,
			strerror(errno));
	take_descriptor(target, fd);
	return 0;
}

static void close_target(struct target *target, int rest)
{
	if (target->fd > STDERR_FILENO)
		close(target->fd);
	target->fd = rest;
	free(target->path);
	target->path = NULL;
}

int log_open(const char *path, enum log_level level, struct err *err)
{
	log_close();
	log_.level = level;
	log_.journal = !path && stderr_is_journal();
	if (!path)
		return 0;
	log_.main.path = xstrdup(path);
	return reopen(&log_.main, err);
}

int log_also(const char *path, struct err *err)
{
	int r;

	close_target(&log_.also, -1);
	if (!path)
		return 0;
	log_.also.path = xstrdup(path);
	r = reopen(&log_.also, err);
	if (r < 0)
		close_target(&log_.also, -1);
	return r;
}

int log_reopen(struct err *err)
{
	int r = reopen(&log_.main, err);

	return reopen(&log_.also, r == 0 ? err : NULL) < 0 && r == 0 ? err->code : r;
}

void log_close(void)
{
	close_target(&log_.also, -1);
	close_target(&log_.main, STDERR_FILENO);
}

static void rotate(struct target *target)
{
	_cleanup_free_ char *old = xasprintf("%s.1", target->path);

	/* If the rename fails, the file grows on: losing the log would be the greater harm. */
	if (rename(target->path, old) == 0)
		reopen(target, NULL);
}

static void put(struct target *target, const char *line, size_t length)
{
	struct stat st;

	if (target->fd < 0)
		return;
	/* A full disk must not stop the daemon; losing a line is the lesser harm. */
	if (write(target->fd, line, length) < 0)
		return;
	if (target->path && fstat(target->fd, &st) == 0 && st.st_size >= LOG_SIZE_MAX)
		rotate(target);
}

/* The beginning of a line. journal: the systemd journal reads it, so it has a level instead of a
 * time. */
static size_t put_prefix(char *line, size_t size, enum log_level level, bool journal)
{
	static const char *const names[] = {
		[LOG_LEVEL_ERROR] = "error: ",
		[LOG_LEVEL_WARNING] = "warning: ",
		[LOG_LEVEL_INFO] = "",
		[LOG_LEVEL_DEBUG] = "debug: ",
	};
	struct timespec now;
	struct tm local;
	char stamp[32];

	if (journal)
		return (size_t)snprintf(line, size, "<%d>", level);
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &local);
	return (size_t)snprintf(
		line, size, "%s.%03ld %s", stamp, now.tv_nsec / 1000000, names[level]);
}

static void write_line(
	struct target *target, enum log_level level, bool journal, const char *text)
{
	char line[LINE_MAX_BYTES];
	size_t used = put_prefix(line, sizeof(line), level, journal);
	size_t length = strnlen(text, sizeof(line) - used - 1);

	memcpy(line + used, text, length);
	line[used + length] = '\n';
	put(target, line, used + length + 1);
}

void log_write(enum log_level level, const char *format, ...)
{
	char exact[LINE_MAX_BYTES], text[LINE_MAX_BYTES];
	va_list args;
	int length;

	if (level > log_.level)
		return;
	va_start(args, format);
	length = vsnprintf(exact, sizeof(exact), format, args);
	va_end(args);
	if (length < 0)
		return;
	for (char *c = exact; *c; c++)
		if (*c == '\n')
			*c = ' ';
	visible_copy(text, sizeof(text), exact, "\t");
	write_line(&log_.main, level, log_.journal, text);
	write_line(&log_.also, level, false, text);
}
