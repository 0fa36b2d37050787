/* log.h: the log: one line for each event, to standard error or to a file that can be reopened, and
 * to a second file. */
#ifndef DRACO_COMMON_LOG_H
#define DRACO_COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { /* the levels of syslog(3) that draco uses */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

struct append;
struct err;

/* A log file of this size, in bytes, is renamed to FILE.1. */
#define LOG_SIZE_MAX (4 * 1024 * 1024)

/* Log to the file path, which is appended to or created with 0600; NULL: to standard error. Lines
 * for the systemd journal have a level instead of a time. 0, or -errno with err. */
int log_open(const char *path, enum log_level level, struct err *err);

/* Also log to a second file, with times; NULL: no longer. -errno with err: there is no second
 * file. */
int log_also(const char *path, struct err *err);

/* Open the files again by their names, after they were moved away. 0, or -errno with err. */
int log_reopen(struct err *err);

void log_close(void);

/* How lines get into the files; NULL: at once. also: it is the second file. put() may drop a line.
 * close() takes the file over, with all that was put into it before. */
struct log_output {
	void (*put)(struct append *file, bool also, const char *line, size_t length);
	void (*reopen)(struct append *file, bool also);
	void (*close)(struct append *file);
};
void log_set_output(const struct log_output *output);

/* What a program can search a line by, where the line goes to the journal. A list ends with a name
 * that is NULL; values that are NULL are left out. */
struct log_field {
	const char *name, *value;
};

#define LOG_FIELD_KIND	  "DRACO_KIND"
#define LOG_FIELD_SUBJECT "DRACO_SUBJECT"
#define LOG_FIELDS_MAX	  8

/* Hand the lines for the journal to fn, which returns whether it has taken the line. fields may be
 * NULL. This has an effect only where log_open() has found that the journal reads standard
 * error. NULL: no longer. */
typedef bool (*log_journal_fn)(
	enum log_level level, const char *text, const struct log_field *fields);
void log_set_journal(log_journal_fn fn);

void log_write_fields(enum log_level level, const struct log_field *fields, const char *format,
	...) __attribute__((format(printf, 3, 4)));

void log_write(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
