/* output.h: what people see: errors, tables, colours, and one line that changes. */
#ifndef DRACO_CLIENT_OUTPUT_H
#define DRACO_CLIENT_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

struct ctl;
struct problems;

/* "dracoctl start", for a hint: with --name where the name is not that of the environment; the
 * caller frees. */
char *output_command(const struct ctl *ctl, const char *words);

/* "dracoctl: ..." on standard error, each line of it; with --json an object on standard output
 * instead. */
void output_error(const struct ctl *ctl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* As output_error(), with the end of a log behind it: data is {log, tail}, or NULL. */
void output_failure(const struct ctl *ctl, const char *text, const json_t *data);

/* Errors as output_error() has them, a line each, and before them the warnings (not with
 * --quiet). */
void output_problems(const struct ctl *ctl, const struct problems *problems);

/* "dracoctl: warning: ..." on standard error, each line of text; nothing with --quiet. */
void output_warning(const struct ctl *ctl, const char *text);

/* A path for people, "~/..." below the home directory; the caller frees. */
char *output_path(const char *path);
/* output_warning() for each text of an array. */
void output_warnings(const struct ctl *ctl, const json_t *list);

/* The end of a log, {log, tail}, with a line that names it, on file. Nothing without a log. */
void output_log_tail(FILE *file, const json_t *data);

/* Version of what --json prints (docs/json.md): raised when a key goes, or gets another type or
 * meaning. */
#define OUTPUT_JSON_VERSION 1

/* A JSON value on standard output, readable, with a newline. */
void output_json(const json_t *value);

/* The same in one line. */
void output_json_line(const json_t *value);

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BUSY, COLOUR_BAD, COLOUR_FAINT };

/* The escape sequence that begins a colour; "" when standard output is no terminal, or NO_COLOR is
 * set. COLOUR_NONE ends it. */
const char *output_colour(enum colour colour);

/* The colour of a state of the cluster, or of the phase of a job. */
enum colour output_state_colour(const char *state);

/* Each of a list of texts as a line of its own: what a user should know. */
void output_notices(FILE *file, const json_t *notices);

/* " on HOST" when the status is from a dracod of another host, where a place at 127.0.0.1 is,
 * too; else "". The caller frees. */
char *output_elsewhere(const json_t *status);

/* The job with which dracod and its cluster end; NULL: they run in none. The caller frees. */
char *output_job_around(const json_t *status);

/* A table of texts: cells owned by the caller until table_print(). */
#define TABLE_COLUMNS_MAX 10

struct table {
	int columns;
	const int
		*spare; /* columns that may be left out on a narrow terminal, the first first */
	int spares;
	int rows;
	char **cells; /* rows x columns */
	enum colour *colours;
};

void table_add(struct table *table, enum colour colour, char *text); /* takes text over */
void table_print(struct table *table, const char *const *titles);    /* and frees */

/* A line on standard error that is replaced by the next one, on a terminal; elsewhere a line
 * each. */
struct live {
	bool on_terminal;
	bool drawn;
};

void live_init(struct live *live);
void live_show(struct live *live, bool is_new, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void live_clear(struct live *live);
void live_keep(struct live *live); /* let the line stand, and go on below it */

/* "14:05:09" for today, else with the date; "" for 0. */
#define OUTPUT_TIME_MAX 32
char *output_time(time_t when, char buffer[OUTPUT_TIME_MAX]);

#endif
