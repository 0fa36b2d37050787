/* visible.h: makes foreign texts harmless: they cannot control a terminal or forge lines.
 *
 * Replaced are the control characters of ASCII and Latin-1 (which begin escape sequences), bytes
 * that are no UTF-8, separators of lines and paragraphs, and characters that change the direction
 * of writing. */
#ifndef DRACO_COMMON_VISIBLE_H
#define DRACO_COMMON_VISIBLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Does text contain none of these? */
bool visible_is_clean(const char *text);

/* A copy in which each of these becomes a text such as "\x1b" or "\u009b", except the characters in
 * keep, such as "\n\t". The caller frees. */
char *visible_text(const char *text, const char *keep);

/* As visible_text(), into a buffer and without allocation. A text that does not fit is truncated.
 * Returns the length. */
size_t visible_copy(char *buffer, size_t size, const char *text, const char *keep);

/* As visible_text(), for the text of JSON, where each replacement stands for the same character. */
char *visible_json(const char *text);

/* A new value in which all texts and member names are replaced as by visible_text(). Line breaks
 * and tabs stay. */
json_t *visible_value(const json_t *value);

#endif
