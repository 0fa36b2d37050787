/* log.c: one line per event, to standard error or a file that can be reopened.
 *
 * A line is written with one write(2): lines of several processes on one file do not mix. */
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
#include "common/err.h"

#define LINE_MAX_BYTES 8192

static struct {
	int fd;
	char *path;
	enum log_level level;
	bool journal;
} log_ = {.fd = STDERR_FILENO, .level = LOG_LEVEL_INFO};

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
		fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

int log_open(const char *path, enum log_level level, struct err *err)
{
	log_close();
	log_.level = level;
	log_.journal = !path && stderr_is_journal();
	if (!path)
		return 0;
	log_.path = xstrdup(path);
	return log_reopen(err);
}

int log_reopen(struct err *err)
{
	int fd;

	if (!log_.path)
		return 0;
	fd = open(log_.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(
			err, -errno, "cannot open the log %s: %s", log_.path, strerror(errno));
	if (log_.fd != STDERR_FILENO)
		close(log_.fd);
	log_.fd = fd;
	return 0;
}

void log_close(void)
{
	if (log_.fd != STDERR_FILENO)
		close(log_.fd);
	log_.fd = STDERR_FILENO;
	free(log_.path);
	log_.path = NULL;
}

static size_t put_prefix(char *line, size_t size, enum log_level level)
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

	if (log_.journal)
		return (size_t)snprintf(line, size, "<%d>", level);
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &local);
	return (size_t)snprintf(
		line, size, "%s.%03ld %s", stamp, now.tv_nsec / 1000000, names[level]);
}

void log_write(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	size_t used;
	va_list args;
	int length;

	if (level > log_.level)
		return;
	used = put_prefix(line, sizeof(line), level);
	va_start(args, format);
	length = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	if (length < 0)
		return;
	for (char *c = line + used; *c; c++)
		if (*c == '\n')
			*c = ' ';
	used += strlen(line + used);
	line[used++] = '\n';
	/* A full disk must not stop the daemon: a lost line is the lesser harm. */
	if (write(log_.fd, line, used) < 0)
		return;
}
