/* fuzz.h: what a fuzz target provides, fuzz_X.c for X, and the two programs that are built
 * around it.
 *
 * libFuzzer (make fuzz) searches for inputs that break a target. replay.c gives a target, as an
 * ordinary test, the inputs in corpus/X, the beginnings of those inputs, and changed copies of
 * them. An input that broke something goes into corpus/X. tests/fuzz/README.md tells more. */
#ifndef DRACO_TESTS_FUZZ_H
#define DRACO_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Give the bytes to the code, and check what must hold for any bytes. Ends the process where it
 * does not hold. Returns 0. The name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const char fuzz_name[];	       /* "rpc": the directory of its corpus */
extern const char *const fuzz_words[]; /* that the format gives a meaning to; NULL ends them */

/* Optional: changes data in place and returns its new size, max_size at most. Equal seeds make
 * equal changes. json_mutator.c has it, for targets whose inputs are lines of JSON. The name is
 * libFuzzer's. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
	__attribute__((weak));

/* The change that knows no format; of libFuzzer, or of replay.c. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* The code has taken an input for a good one. The replay fails when it takes no input of the
 * corpus: such a target tests nothing. */
void fuzz_took(void);
extern unsigned long fuzz_taken;

#define fuzz_require(condition) \
	((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))

void fuzz_broken(const char *condition, const char *file, int line) __attribute__((noreturn));

/* A copy of bytes that ends where its memory ends, so that a sanitizer sees who reads on. The
 * caller frees. */
char *fuzz_tight(const uint8_t *data, size_t size);

/* The same with a NUL behind it. */
char *fuzz_text(const uint8_t *data, size_t size);

/* The path of a file in memory with these bytes, until the next call. The caller frees the path. */
char *fuzz_file(const uint8_t *data, size_t size);

/* Text that a terminal shows as it is: no control characters but newlines and tabs, in UTF-8. */
bool fuzz_is_harmless(const char *text, size_t size);

#endif
