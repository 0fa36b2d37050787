/* visible.h: texts from elsewhere, so that they cannot command a terminal or make lines of
 * their own.
 *
 * What is neutralised: the control characters of ASCII and of Latin-1 (which begin escape
 * sequences), bytes that are no UTF-8, the separators of lines and paragraphs, and what turns
 * the direction of writing. */
#ifndef DRACO_COMMON_VISIBLE_H
#define DRACO_COMMON_VISIBLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Has text nothing of that? */
bool visible_is_clean(const char *text);

/* A copy in which a "\x1b" or "\u009b" stands for each of that, except for the characters of
 * keep, such as "\n\t". The caller frees. */
char *visible_text(const char *text, const char *keep);

/* As visible_text() into a buffer, without allocating; what does not fit is cut. Returns the
 * length. */
size_t visible_copy(char *buffer, size_t size, const char *text, const char *keep);

/* As visible_text() for the text of JSON, where the replacement means the same. */
char *visible_json(const char *text);

/* All texts of a JSON value by visible_text(), with line breaks and tabs kept; also the names
 * of members. A new value. */
json_t *visible_value(const json_t *value);

#endif
