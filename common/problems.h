/* problems.h: a list of errors and warnings, each with its place, so that a user sees all mistakes
 * of a configuration at once. */
#ifndef DRACO_COMMON_PROBLEMS_H
#define DRACO_COMMON_PROBLEMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct problem {
	bool warning;
	bool left_out; /* a warning of problems_join_as_warnings() that was an error */
	/* "FILE:LINE:COLUMN", "DRACO_WALLTIME", "--walltime", "walltime"; NULL: none */
	char *place;
	char *text;
};

struct problems {
	struct problem *items; /* in the order found, at most PROBLEMS_MAX */
	size_t count;
	size_t errors; /* number of all errors, even those that items has no room for */
	size_t dropped;
};

#define PROBLEMS_MAX 200

void problems_finish(struct problems *problems);

/* Add an error, or a warning. One with the same place and text as an earlier one is dropped. */
void problems_add(struct problems *problems, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void problems_warn(struct problems *problems, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Add the problems of others. */
void problems_join(struct problems *problems, const struct problems *others);

/* The same, with its errors as warnings, and remark after each. */
void problems_join_as_warnings(
	struct problems *problems, const struct problems *others, const char *remark);

/* Remove the warnings that are left_out. */
void problems_drop_left_out(struct problems *problems);

/* "PLACE: TEXT", or "TEXT" if that begins with the place. The caller frees. */
char *problem_line(const struct problem *problem);

/* The errors, or with warnings the warnings, one per line, without a newline at the end. The caller
 * frees. */
char *problems_text(const struct problems *problems, bool warnings);

/* An array of {severity, place, message}. */
json_t *problems_to_json(const struct problems *problems);

#endif
