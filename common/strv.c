/* strv.c: a growing list of strings. */
#include "common/strv.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

void strv_finish(struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct strv)STRV_INIT;
}

void strv_take(struct strv *list, char *text)
{
	list->item = xrealloc(list->item, (list->count + 2) * sizeof(*list->item));
	list->item[list->count++] = text;
	list->item[list->count] = NULL;
}

void strv_add(struct strv *list, const char *text)
{
	strv_take(list, xstrdup(text));
}

void strv_addf(struct strv *list, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	strv_take(list, text);
}

void strv_copy(struct strv *list, const struct strv *from)
{
	struct strv copy = STRV_INIT;

	for (size_t i = 0; i < from->count; i++)
		strv_add(&copy, from->item[i]);
	strv_finish(list);
	*list = copy;
}

bool strv_has(const struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return false;
}

bool strv_remove(struct strv *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->item[i], text) != 0)
			continue;
		free(list->item[i]);
		list->count--;
		memmove(&list->item[i], &list->item[i + 1],
			(list->count - i) * sizeof(list->item[0]));
		return true;
	}
	return false;
}

bool strv_equal(const struct strv *a, const struct strv *b)
{
	bool equal = a->count == b->count;

	for (size_t i = 0; equal && i < a->count; i++)
		equal = strcmp(a->item[i], b->item[i]) == 0;
	return equal;
}

void strv_split(struct strv *list, const char *text, char separator)
{
	while (*text) {
		const char *end = strchrnul(text, separator);
		const char *first = text;
		const char *last = end;

		while (first < last && isspace((unsigned char)*first))
			first++;
		while (last > first && isspace((unsigned char)last[-1]))
			last--;
		if (last > first)
			strv_take(list, xstrndup(first, (size_t)(last - first)));
		text = *end ? end + 1 : end;
	}
}

char *strv_join(const struct strv *list, const char *separator)
{
	size_t length = 1;
	char *text, *end;

	for (size_t i = 0; i < list->count; i++)
		length += strlen(list->item[i]) + strlen(separator);
	text = end = xcalloc(length, 1);
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			end = stpcpy(end, separator);
		end = stpcpy(end, list->item[i]);
	}
	return text;
}
