/* problems.h: any number of errors and warnings, each with its place: what is wrong with somebody's
 * configuration, all at once. */
#ifndef DRACO_COMMON_PROBLEMS_H
#define DRACO_COMMON_PROBLEMS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct problem {
	bool warning;
	/* "FILE:LINE:COLUMN", "DRACO_WALLTIME", "--walltime", "walltime"; NULL: none */
	char *place;
	char *text;
};

struct problems {
	struct problem *items; /* in the order found; at most PROBLEMS_MAX */
	size_t count;
	size_t errors; /* of those found, also of those for which there was no room */
	size_t dropped;
};

#define PROBLEMS_MAX 200

void problems_finish(struct problems *problems);

/* Note an error, or a warning; not again what is noted already with this place and text. */
void problems_add(struct problems *problems, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void problems_warn(struct problems *problems, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Note in problems what others has and it has not. */
void problems_join(struct problems *problems, const struct problems *others);

/* The same, its errors as warnings with a remark behind each. */
void problems_join_as_warnings(
	struct problems *problems, const struct problems *others, const char *remark);

/* "PLACE: TEXT", or "TEXT" when that begins with the place; the caller frees. */
char *problem_line(const struct problem *problem);

/* The errors (or with warnings the warnings), a line each without a newline at the end; the caller
 * frees. */
char *problems_text(const struct problems *problems, bool warnings);

/* An array of {severity, place, message}. */
json_t *problems_to_json(const struct problems *problems);

#endif
