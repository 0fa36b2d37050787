/* alloc.h: allocation that does not return when memory is exhausted.
 *
 * Everything draco allocates is small and bounded. If even that fails, a program can do nothing
 * sensible. So these functions abort with a message, and callers need no path that is never
 * tested. */
#ifndef DRACO_COMMON_ALLOC_H
#define DRACO_COMMON_ALLOC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *xcalloc(size_t count, size_t size);
void *xrealloc(void *pointer, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* Without const, for the interfaces that leave it out (execve(2), jansson's loops). */
#define UNCONST(pointer) ((void *)(uintptr_t)(pointer))

/* Replace the owned string *target by a copy of text (NULL clears). */
void xreplace(char **target, const char *text);

#endif
