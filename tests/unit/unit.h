/* unit.h: what the unit tests share: the program around a suite, and a private directory.
 *
 * Each check_X.c tests X.c and gives its tests by unit_suite(). Check's variables (CK_FORK,
 * CK_VERBOSITY, CK_RUN_CASE, ...) work as its manual says. */
#ifndef DRACO_TESTS_UNIT_H
#define DRACO_TESTS_UNIT_H

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Of the program that links unit.c. */
Suite *unit_suite(void);

/* Does each test run in a process of its own? Without (CK_FORK=no) a test must not end the
 * process. */
bool unit_is_forking(void);

/* How often to do what is done often: rounds, or the part of them that UNIT_PERCENT says (at
 * least 1), which is for slow ways to run the tests. */
int unit_rounds(int rounds);

/* A new, empty directory; all of them are removed when the program ends. The caller frees. */
char *unit_directory(void);

/* DIRECTORY/NAME with the content (length bytes); returns its path. The caller frees both. */
char *unit_file(const char *directory, const char *name, const void *content, size_t length);

/* The whole content of a file, with a NUL behind it; fails the test where it cannot be read. */
char *unit_read(const char *path);

/* A copy of length bytes that ends where its memory ends, so that ASan and valgrind see a read
 * behind it. The caller frees. */
char *unit_tight(const void *bytes, size_t length);

/* As ck_assert(), for inner loops: Check writes to a file at each of its own assertions. */
#define unit_require(condition)                         \
	do {                                            \
		if (!(condition))                       \
			ck_abort_msg("%s", #condition); \
	} while (0)

/* The error has the code and its text contains part. */
#define unit_assert_err(err, expected, part)                                                \
	do {                                                                                \
		ck_assert_int_eq((err)->code, expected);                                    \
		ck_assert_msg(strstr((err)->text, part) != NULL, "\"%s\" is not in \"%s\"", \
			part, (err)->text);                                                 \
	} while (0)

#endif
