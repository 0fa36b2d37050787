/* output.h: the output for a person: errors, tables, colours, and a line that changes. */
#ifndef DRACO_CLIENT_OUTPUT_H
#define DRACO_CLIENT_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

struct ctl;
struct problems;

/* Warn that the cluster of this status is paused, with the command that ends that. */
void output_pause(const struct ctl *ctl, const json_t *status);

/* The command for a hint, "dracoctl start", with --name if the name differs from the environment's.
 * The caller frees. */
char *output_command(const struct ctl *ctl, const char *words);

/* Print an error to standard error, each line with "dracoctl: ". With --json it is an object on
 * standard output. */
void output_error(const struct ctl *ctl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* As output_error(), followed by the end of a log. data is {log, tail}, or NULL. */
void output_failure(const struct ctl *ctl, const char *text, const json_t *data);

/* Print the warnings (not with --quiet), then the errors as output_error() does, one per line. */
void output_problems(const struct ctl *ctl, const struct problems *problems);

/* Print a warning to standard error, each line with "dracoctl: warning: ". Nothing with --quiet. */
void output_warning(const struct ctl *ctl, const char *text);

/* A path for a person, "~/..." below the home directory. The caller frees. */
char *output_path(const char *path);
/* A partition, and the options of sbatch that jobs have there alone, an array: "short qos=debug".
 * The caller frees. */
char *output_place(const char *partition, const json_t *options);
/* Call output_warning() for each text of an array. */
void output_warnings(const struct ctl *ctl, const json_t *list);

/* Print the end of a log, {log, tail}, to file, after a line that names it. Nothing without a
 * log. */
void output_log_tail(FILE *file, const json_t *data);

/* The version of the output of --json (docs/json.md). Raise it when a key is removed or changes its
 * type or meaning. */
#define OUTPUT_JSON_VERSION 1

/* Print a JSON value to standard output, indented, with a newline. */
void output_json(const json_t *value);

/* The same in one line. */
void output_json_line(const json_t *value);

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BUSY, COLOUR_BAD, COLOUR_FAINT };

/* The escape sequence for a colour; COLOUR_NONE ends it. "": standard output is no terminal, or
 * NO_COLOR is set. */
const char *output_colour(enum colour colour);

/* The colour for a state of the cluster, or for a phase of a job. */
enum colour output_state_colour(const char *state);

/* Print each notice on a line of its own. */
void output_notices(FILE *file, const json_t *notices);

/* " on HOST", if the status is from a dracod of another host, whose 127.0.0.1 is not this one's;
 * otherwise "". The caller frees. */
char *output_elsewhere(const json_t *status);

/* The job with which dracod and its cluster end; NULL: they run in none. The caller frees. */
char *output_job_around(const json_t *status);

/* A table of texts: cells owned by the caller until table_print(). */
#define TABLE_COLUMNS_MAX 10

struct table {
	int columns;
	const int *spare; /* columns to hide on a narrow terminal, the first one first */
	int spares;
	int rows;
	char **cells; /* rows x columns */
	enum colour *colours;
};

void table_add(struct table *table, enum colour colour, char *text); /* takes text over */
void table_print(struct table *table, const char *const *titles);    /* prints and frees */

/* A line on standard error. On a terminal the next line replaces it; otherwise each has a line of
 * its own. */
struct live {
	bool on_terminal;
	bool drawn;
};

void live_init(struct live *live);
void live_show(struct live *live, bool is_new, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void live_clear(struct live *live);
void live_keep(struct live *live); /* keep the line, and go on below it */

/* The time "14:05:09", with the date unless it is today; "" for 0. */
#define OUTPUT_TIME_MAX 32
char *output_time(time_t when, char buffer[OUTPUT_TIME_MAX]);

#endif
