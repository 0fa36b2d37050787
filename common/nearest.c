/* nearest.c: finds the known words that a mistyped one most likely meant. */
#include "common/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define WORD_MAX    64
#define NEAREST_MAX 8

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Treat '-' and '_' as equal, and ignore case. */
static int fold(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

/* Optimal string alignment distance of two words shorter than WORD_MAX. */
static size_t distance(const char *a, const char *b)
{
	size_t row[3][WORD_MAX + 1];
	size_t *before = row[0], *last = row[1], *now = row[2];
	size_t a_length = strlen(a), b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		last[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t cost = fold(a[i - 1]) != fold(b[j - 1]);

			now[j] = min3(now[j - 1] + 1, last[j] + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
				fold(a[i - 2]) == fold(b[j - 1]) && before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_length];
}

size_t nearest_some(const char *word, const void *table, size_t count, size_t stride,
	const char **ret, size_t max)
{
	size_t length = strlen(word), limit = 1 + (length > 3 ? length / 3 : 1);
	size_t ranks[NEAREST_MAX];
	size_t found = 0;

	if (length == 0 || length > WORD_MAX)
		return 0;
	if (max > NEAREST_MAX)
		max = NEAREST_MAX;
	for (size_t i = 0; i < count; i++) {
		const char *known;
		size_t known_length, d, rank, at;
		bool begins;

		memcpy(&known, (const char *)table + i * stride, sizeof(known));
		known_length = known ? strlen(known) : 0;
		if (!known || known_length > WORD_MAX)
			continue;
		begins = length >= 3 && strncmp(word, known, length) == 0;
		/* The distance is at least the difference of the lengths. */
		if (!begins &&
			(known_length >= length + limit || length >= known_length + limit))
			continue;
		rank = d = distance(word, known);
		if (begins)
			d = d > 0; /* the beginning of a word counts as distance 1 */
		if (d >= limit)
			continue;
		/* Among equal distances, the word of the most similar length first. */
		rank += d * (WORD_MAX + 1);
		for (at = found; at > 0 && ranks[at - 1] > rank; at--)
			if (at < max) {
				ranks[at] = ranks[at - 1];
				ret[at] = ret[at - 1];
			}
		if (at == max)
			continue;
		ranks[at] = rank;
		ret[at] = known;
		found += found < max;
	}
	return found;
}

const char *nearest(const char *word, const void *table, size_t count, size_t stride)
{
	const char *best;

	return nearest_some(word, table, count, stride, &best, 1) ? best : NULL;
}
