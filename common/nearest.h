/* nearest.h: the known word that a mistyped one most likely meant. */
#ifndef DRACO_COMMON_NEAREST_H
#define DRACO_COMMON_NEAREST_H

#include <stddef.h>

/* The word of the table (count entries of stride bytes, each beginning with a char *) that is
 * nearest to word by insertions, deletions, replacements and swaps; NULL when none is near. */
const char *nearest(const char *word, const void *table, size_t count, size_t stride);

/* The up to max words of such a table that are near to word, the nearest first; returns how
 * many. */
size_t nearest_some(const char *word, const void *table, size_t count, size_t stride,
	const char **ret, size_t max);

#endif
