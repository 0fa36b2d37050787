/* no_nearest.c: what the linker puts in the place of the search for the word that a wrong one
 * meant, in which most time would go: fuzz_nearest.c has it. */
#include "fuzz.h"

#include <stddef.h>

const char *__wrap_nearest(const char *word, const void *table, size_t count, size_t stride);
size_t __wrap_nearest_some(const char *word, const void *table, size_t count, size_t stride,
	const char **ret, size_t max);

const char *__wrap_nearest(const char *word, const void *table, size_t count, size_t stride)
{
	(void)table;
	(void)stride;
	fuzz_require(word && count > 0);
	return NULL;
}

size_t __wrap_nearest_some(const char *word, const void *table, size_t count, size_t stride,
	const char **ret, size_t max)
{
	(void)table;
	(void)stride;
	(void)ret;
	fuzz_require(word && count > 0 && max > 0);
	return 0;
}
