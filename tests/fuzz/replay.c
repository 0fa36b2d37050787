/* replay.c: a fuzz target as an ordinary test: each input of its corpus, all beginnings of it, and
 * changed copies, the same ones in each run. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "fuzz.h"
#include "mutate.h"
#include "unit.h"

#define SEEDS	       10
#define COPIES	       1000 /* of each seed */
#define INPUT_MAX_SIZE 65536

static struct dirent **files;
static int file_count;
static int runs;

static const char *input; /* that the target has now */
static size_t input_size;

static void run(const char *bytes, size_t size)
{
	char *tight = unit_tight(bytes, size);

	input = tight;
	input_size = size;
	LLVMFuzzerTestOneInput((const uint8_t *)tight, size);
	input = NULL;
	free(tight);
	runs++;
}

/* After an abort(): the input, as printf(1) reads it, to be put into the corpus. */
static void show_input(int signal_number)
{
	fprintf(stderr, "the input was: printf '");
	for (size_t i = 0; input && i < input_size; i++)
		fprintf(stderr, "\\%03o", (unsigned char)input[i]);
	fprintf(stderr, "'\n");
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static char *read_input(int index, size_t *ret_size)
{
	char *path = xasprintf("%s/%s/%s", FUZZ_CORPUS, fuzz_name, files[index]->d_name);
	char *bytes = unit_read(path);
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	*ret_size = (size_t)st.st_size;
	free(path);
	return bytes;
}

START_TEST(corpus)
{
	size_t size;
	char *bytes = read_input(_i, &size);

	signal(SIGABRT, show_input);
	ck_assert_uint_le(size, INPUT_MAX_SIZE);
	run(bytes, size);
	for (size_t i = 0; i < size; i += 1 + i / 256)
		run(bytes, i);
	free(bytes);
}
END_TEST

START_TEST(changed)
{
	struct mutator mutator;

	signal(SIGABRT, show_input);
	mutator_init(&mutator, (uint64_t)_i, fuzz_words);
	runs = 0;
	for (int i = 0; i < COPIES; i++) {
		size_t size;
		char *bytes =
			read_input((int)mutator_below(&mutator, (size_t)file_count), &size);
		char *mutant = mutate(&mutator, bytes, size, &size);

		run(mutant, size);
		free(mutant);
		free(bytes);
	}
	ck_assert_int_eq(runs, COPIES);
}
END_TEST

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

Suite *unit_suite(void)
{
	static char name[64]; /* Check does not copy it */
	char *path = xasprintf("%s/%s", FUZZ_CORPUS, fuzz_name);
	Suite *suite;
	TCase *tcase = tcase_create("replay");

	file_count = scandir(path, &files, is_visible, alphasort);
	if (file_count < 1) {
		fprintf(stderr, "no inputs in %s\n", path);
		abort();
	}
	snprintf(name, sizeof(name), "fuzz: %s", fuzz_name);
	suite = suite_create(name);
	tcase_add_loop_test(tcase, corpus, 0, file_count);
	tcase_add_loop_test(tcase, changed, 1, SEEDS + 1);
	suite_add_tcase(suite, tcase);
	free(path);
	return suite;
}
