/* log.h: the log: one line for each event, to standard error or to a file that can be reopened, and
 * to a second file. */
#ifndef DRACO_COMMON_LOG_H
#define DRACO_COMMON_LOG_H

enum log_level { /* the levels of syslog(3) that draco uses */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

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

void log_write(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
