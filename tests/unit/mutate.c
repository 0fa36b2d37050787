/* mutate.c: changed copies of bytes, the same ones for the same seed. */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define GROWTH_MAX 64 /* of one change: a word, or 31 bytes doubled */

void mutator_init(struct mutator *mutator, uint64_t seed, const char *const *words)
{
	mutator->state = seed * 2 + 1;
	mutator->words = words;
}

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators") */
static uint64_t next(struct mutator *mutator)
{
	mutator->state ^= mutator->state >> 12;
	mutator->state ^= mutator->state << 25;
	mutator->state ^= mutator->state >> 27;
	return mutator->state * UINT64_C(2685821657736338717) >> 16;
}

size_t mutator_below(struct mutator *mutator, size_t limit)
{
	return limit > 0 ? (size_t)(next(mutator) % limit) : 0;
}

/* Replace removed bytes at position at by length others. bytes has room. */
static size_t splice(
	char *bytes, size_t used, size_t at, size_t removed, const char *other, size_t length)
{
	memmove(bytes + at + length, bytes + at + removed, used - at - removed);
	memcpy(bytes + at, other, length);
	return used - removed + length;
}

static size_t put_word(struct mutator *mutator, char *bytes, size_t used, size_t at)
{
	size_t count = 0;
	const char *word;

	while (mutator->words && mutator->words[count])
		count++;
	if (count == 0)
		return used;
	word = mutator->words[mutator_below(mutator, count)];
	return splice(bytes, used, at, 0, word, strlen(word));
}

static size_t change(struct mutator *mutator, char *bytes, size_t used)
{
	static const char special[] = "\0\n\r\t \"\\{}[]:,-+.0%'#&*!|>\x7f\x80\xc0\xff";
	size_t at = mutator_below(mutator, used + 1);
	size_t rest = used - at;
	size_t some = mutator_below(mutator, rest < 32 ? rest + 1 : 32);
	char part[32], byte = (char)next(mutator);

	switch (mutator_below(mutator, 9)) {
	case 0:
		if (rest > 0)
			bytes[at] = (char)(bytes[at] ^ 1 << mutator_below(mutator, 8));
		return used;
	case 1:
		if (rest > 0)
			bytes[at] = byte;
		return used;
	case 2:
		return splice(bytes, used, at, 0, &byte, 1);
	case 3:
		byte = special[mutator_below(mutator, sizeof(special) - 1)];
		return splice(bytes, used, at, rest > 0, &byte, 1);
	case 4:
		return splice(bytes, used, at, some, "", 0);
	case 5: /* doubled */
		memcpy(part, bytes + at, some);
		return splice(bytes, used, at, 0, part, some);
	case 6: /* moved */
		memcpy(part, bytes + at, some);
		used = splice(bytes, used, at, some, "", 0);
		return splice(bytes, used, mutator_below(mutator, used + 1), 0, part, some);
	case 7:
		return at;
	default:
		return put_word(mutator, bytes, used, at);
	}
}

char *mutate(struct mutator *mutator, const char *bytes, size_t length, size_t *ret_length)
{
	static const size_t often[] = {1, 1, 1, 1, 2, 2, 3, 4};
	size_t changes = often[mutator_below(mutator, 8)];
	char *wide = xcalloc(length + changes * GROWTH_MAX, 1), *tight;

	memcpy(wide, bytes, length);
	for (size_t i = 0; i < changes; i++)
		length = change(mutator, wide, length);
	tight = xcalloc(length, 1);
	memcpy(tight, wide, length);
	free(wide);
	*ret_length = length;
	return tight;
}
