/* nearest.c: the known word that a mistyped one most likely meant. */
#include "common/nearest.h"

#include <ctype.h>
#include <string.h>

#define WORD_MAX 64

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* '-' and '_' and upper and lower case do not count as different. */
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

const char *nearest(const char *word, const void *table, size_t count, size_t stride)
{
	size_t length = strlen(word), best_distance = 1 + (length > 3 ? length / 3 : 1);
	const char *best = NULL;

	if (length == 0 || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const char *known;
		size_t d;

		memcpy(&known, (const char *)table + i * stride, sizeof(known));
		if (!known || strlen(known) > WORD_MAX)
			continue;
		d = distance(word, known);
		if (length >= 3 && strncmp(word, known, length) == 0)
			d = d > 0; /* the beginning of a word is near to it */
		if (d < best_distance) {
			best_distance = d;
			best = known;
		}
	}
	return best;
}
