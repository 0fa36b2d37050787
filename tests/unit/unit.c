/* unit.c: the program around the suite of each check_X.c, and its private directory. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"

/* Generous: the machine may be busy, and valgrind is slow. A test that hangs still ends. */
#define TIMEOUT "300"

static char *base; /* holds the directories of all tests */

bool unit_is_forking(void)
{
	const char *fork = getenv("CK_FORK");

	return !fork || strcmp(fork, "no") != 0;
}

int unit_rounds(int rounds)
{
	const char *percent = getenv("UNIT_PERCENT");
	int64_t part = percent ? (int64_t)rounds * atoi(percent) / 100 : rounds;

	return part < 1 ? 1 : (int)part;
}

char *unit_directory(void)
{
	char *path = xasprintf("%s/XXXXXX", base);

	ck_assert_ptr_nonnull(mkdtemp(path));
	return path;
}

char *unit_file(const char *directory, const char *name, const void *content, size_t length)
{
	char *path = xasprintf("%s/%s", directory, name);
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(content, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
	return path;
}

char *unit_read(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	char *text;

	ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(fstat(fileno(file), &st), 0);
	text = xcalloc((size_t)st.st_size + 1, 1);
	ck_assert_uint_eq(fread(text, 1, (size_t)st.st_size, file), (size_t)st.st_size);
	fclose(file);
	return text;
}

char *unit_tight(const void *bytes, size_t length)
{
	char *copy = xcalloc(length, 1);

	memcpy(copy, bytes, length);
	return copy;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(void)
{
	const char *temporary = getenv("TMPDIR");
	SRunner *runner;
	int failed;

	base = xasprintf("%s/draco-unit-XXXXXX", temporary ? temporary : "/tmp");
	if (!mkdtemp(base)) {
		perror(base);
		return EXIT_FAILURE;
	}
	setenv("CK_DEFAULT_TIMEOUT", TIMEOUT, 0);
	log_open(NULL, LOG_LEVEL_ERROR, NULL);
	runner = srunner_create(unit_suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(base);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
