/* log.c: the log: one line for each event, to standard error or to a file that can be reopened, and
 * to a second file (append.h). */
#include "common/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/append.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/visible.h"

#define LINE_MAX_BYTES 8192

static struct {
	struct append *main, *also; /* NULL: standard error; none */
	enum log_level level;
	bool journal;
	log_journal_fn journal_fn;	 /* NULL: none */
	const struct log_output *output; /* NULL: the files themselves */
} log_ = {.level = LOG_LEVEL_INFO};

static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
		fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

static void close_file(struct append **file)
{
	struct append *closed = TAKE_PTR(*file);

	if (closed && log_.output)
		log_.output->close(closed);
	else
		append_destroy(closed);
}

int log_open(const char *path, enum log_level level, struct err *err)
{
	log_close();
	log_.level = level;
	log_.journal = !path && stderr_is_journal();
	log_.main = append_create(path, LOG_SIZE_MAX);
	return append_open(log_.main, false, err);
}

int log_also(const char *path, struct err *err)
{
	int r = 0;

	close_file(&log_.also);
	if (!path)
		return 0;
	log_.also = append_create(path, LOG_SIZE_MAX);
	if (!log_.output)
		r = append_open(log_.also, false, err);
	if (r < 0)
		close_file(&log_.also);
	return r;
}

static int reopen(struct append *file, bool also, struct err *err)
{
	if (!file || !log_.output)
		return file ? append_open(file, true, err) : 0;
	log_.output->reopen(file, also);
	return 0;
}

int log_reopen(struct err *err)
{
	int r = reopen(log_.main, false, err);

	return reopen(log_.also, true, r == 0 ? err : NULL) < 0 && r == 0 ? err->code : r;
}

void log_close(void)
{
	close_file(&log_.also);
	close_file(&log_.main);
}

void log_set_output(const struct log_output *output)
{
	log_.output = output;
}

static void put(struct append *file, bool also, const char *line, size_t length)
{
	int lost;

	/* A full disk must not stop the daemon; losing a line is the lesser harm. */
	if (file && log_.output)
		log_.output->put(file, also, line, length);
	else if (file)
		append_write(file, line, length, &lost);
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
	struct append *file, bool also, enum log_level level, bool journal, const char *text)
{
	char line[LINE_MAX_BYTES];
	size_t used = put_prefix(line, sizeof(line), level, journal);
	size_t length = strnlen(text, sizeof(line) - used - 1);

	memcpy(line + used, text, length);
	line[used + length] = '\n';
	put(file, also, line, used + length + 1);
}

void log_set_journal(log_journal_fn fn)
{
	log_.journal_fn = fn;
}

static void __attribute__((format(printf, 3, 0)))
put_line(enum log_level level, const struct log_field *fields, const char *format, va_list args)
{
	char exact[LINE_MAX_BYTES], text[LINE_MAX_BYTES];
	int length;

	if (level > log_.level)
		return;
	length = vsnprintf(exact, sizeof(exact), format, args);
	if (length < 0)
		return;
	for (char *c = exact; *c; c++)
		if (*c == '\n')
			*c = ' ';
	visible_copy(text, sizeof(text), exact, "\t");
	if (!log_.main) /* log_open() was not called */
		log_.main = append_create(NULL, LOG_SIZE_MAX);
	if (!log_.journal || !log_.journal_fn || !log_.journal_fn(level, text, fields))
		write_line(log_.main, false, level, log_.journal, text);
	if (log_.also)
		write_line(log_.also, true, level, false, text);
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(level, NULL, format, args);
	va_end(args);
}

void log_write_fields(
	enum log_level level, const struct log_field *fields, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_line(level, fields, format, args);
	va_end(args);
}
