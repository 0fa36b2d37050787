/* log.h: one line per event, to standard error or a file that can be reopened, and to a second
 * file. */
#ifndef DRACO_COMMON_LOG_H
#define DRACO_COMMON_LOG_H

enum log_level { /* the levels of syslog(3) that draco uses */
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

struct err;

/* A log file of this size is renamed to FILE.1 and begun anew. */
#define LOG_SIZE_MAX (4 * 1024 * 1024)

/* Log to the file path (appended to, created 0600), or to standard error when path is NULL.
 * In the systemd journal lines carry their level instead of a time. */
int log_open(const char *path, enum log_level level, struct err *err);

/* Log to a second file, too, with times; NULL ends that. On failure there is no second file. */
int log_also(const char *path, struct err *err);

/* Open the files again under their names, after they were moved away. */
int log_reopen(struct err *err);

void log_close(void);

void log_write(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)	 log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
