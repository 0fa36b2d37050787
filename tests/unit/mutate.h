/* mutate.h: changed copies of bytes, the same ones for the same seed: a fuzzer for make check. */
#ifndef DRACO_TESTS_MUTATE_H
#define DRACO_TESTS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

struct mutator {
	uint64_t state;
	const char *const *words; /* that the format gives a meaning to; NULL ends them */
};

void mutator_init(struct mutator *mutator, uint64_t seed, const char *const *words);

/* A number below limit. */
size_t mutator_below(struct mutator *mutator, size_t limit);

/* A copy of bytes with one to four changes: bits flipped, bytes replaced, put in, taken out,
 * doubled or moved, the end cut off, words put in. It ends where its memory ends, without a
 * NUL. The caller frees. */
char *mutate(struct mutator *mutator, const char *bytes, size_t length, size_t *ret_length);

#endif
