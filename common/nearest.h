/* nearest.h: finds the known words that a mistyped one most likely meant. */
#ifndef DRACO_COMMON_NEAREST_H
#define DRACO_COMMON_NEAREST_H

#include <stddef.h>

/* The word of the table that is nearest to word by insertions, deletions, replacements and swaps;
 * NULL: none is near. The table has count entries of stride bytes, each beginning with a char *. */
const char *nearest(const char *word, const void *table, size_t count, size_t stride);

/* The words of such a table that are near to word, at most max, the nearest first. Returns their
 * number. */
size_t nearest_some(const char *word, const void *table, size_t count, size_t stride,
	const char **ret, size_t max);

#endif
