/* strv.h: a growing list of strings. */
#ifndef DRACO_COMMON_STRV_H
#define DRACO_COMMON_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **item; /* count strings, then NULL, as for execve(); NULL: empty */
	size_t count;
};

#define STRV_INIT       \
	{               \
		NULL, 0 \
	}

/* Frees the items; the list is empty and usable afterwards. */
void strv_finish(struct strv *list);
void strv_add(struct strv *list, const char *text);
void strv_addf(struct strv *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void strv_take(struct strv *list, char *text);		    /* takes text over */
void strv_copy(struct strv *list, const struct strv *from); /* replaces the items of list */
bool strv_has(const struct strv *list, const char *text);
bool strv_remove(struct strv *list, const char *text); /* returns whether the list had it */
bool strv_equal(
	const struct strv *a, const struct strv *b); /* the same texts in the same order */

/* Add the parts of text between separators, without blanks around them. Empty parts are skipped. */
void strv_split(struct strv *list, const char *text, char separator);

/* All items with separator between them. The caller frees. */
char *strv_join(const struct strv *list, const char *separator);

#endif
