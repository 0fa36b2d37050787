/* alloc.c: allocation that does not return when memory is exhausted. */
#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *check(void *pointer)
{
	if (!pointer) {
		fputs("draco: out of memory\n", stderr);
		abort();
	}
	return pointer;
}

void *xcalloc(size_t count, size_t size)
{
	return check(calloc(count ? count : 1, size ? size : 1));
}

void *xrealloc(void *pointer, size_t size)
{
	return check(realloc(pointer, size ? size : 1));
}

char *xstrdup(const char *text)
{
	return check(strdup(text));
}

char *xstrndup(const char *text, size_t length)
{
	return check(strndup(text, length));
}

char *xvasprintf(const char *format, va_list args)
{
	char *text;

	return check(vasprintf(&text, format, args) < 0 ? NULL : text);
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	return text;
}

void xreplace(char **target, const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;

	free(*target);
	*target = copy;
}
