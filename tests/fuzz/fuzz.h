/* fuzz.h: what a fuzz target gives, fuzz_X.c for X.c, and two programs around it.
 *
 * libFuzzer (configure --enable-fuzzing, make fuzz) looks for inputs that break a target; replay.c
 * gives it, as an ordinary test, the inputs in corpus/X, their beginnings and changed copies of them.
 * An input that broke something goes into corpus/X. */
#ifndef DRACO_TESTS_FUZZ_H
#define DRACO_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Give the bytes to the code, and check what holds for any bytes; ends the process where it does not.
 * Returns 0. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const char fuzz_name[];	       /* "rpc": the directory of its corpus */
extern const char *const fuzz_words[]; /* that the format gives a meaning to; NULL ends them */

#define fuzz_require(condition) \
	((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))

void fuzz_broken(const char *condition, const char *file, int line) __attribute__((noreturn));

#endif
