/* replay.c: a fuzz target as an ordinary test: each input of its corpus, the beginnings of those
 * that a person has named, and changed copies, the same ones in each run. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/log.h"
#include "fuzz.h"
#include "mutate.h"
#include "unit.h"

#define SEEDS	       10
#define COPIES	       1000 /* of each seed */
#define BATCH	       16   /* inputs in one test */
#define BEGINNINGS     64   /* of one input, at most */
#define INPUT_MAX_SIZE 65536
#define HASH_LENGTH    40

static struct dirent **files;
static int file_count;
static int runs;
static struct mutator *current; /* of LLVMFuzzerMutate() */

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
	ck_assert_uint_le(*ret_size, INPUT_MAX_SIZE);
	free(path);
	return bytes;
}

/* What a target says to its user, and to the log, is not for the one who runs the tests. */
static void begin(void)
{
	signal(SIGABRT, show_input);
	log_open("/dev/null", LOG_LEVEL_ERROR, NULL);
}

/* Those that libFuzzer found have their hash for a name. Their beginnings are much like others of
 * them, and would take most of the time. */
static bool is_named(const char *name)
{
	return strlen(name) != HASH_LENGTH || strspn(name, "0123456789abcdef") != HASH_LENGTH;
}

static void run_beginnings(const char *bytes, size_t size)
{
	size_t most = (size_t)unit_rounds(BEGINNINGS);
	size_t step = 1 + size / most;

	for (size_t i = 0; i < size; i += step)
		run(bytes, i);
}

START_TEST(corpus)
{
	begin();
	for (int i = _i * BATCH; i < file_count && i < (_i + 1) * BATCH; i++) {
		size_t size;
		char *bytes = read_input(i, &size);

		run(bytes, size);
		if (is_named(files[i]->d_name))
			run_beginnings(bytes, size);
		free(bytes);
	}
}
END_TEST

/* The code behind the target has something to do with what is in the corpus. */
START_TEST(is_taken)
{
	begin();
	fuzz_taken = 0;
	for (int i = 0; i < file_count && fuzz_taken == 0; i++) {
		size_t size;
		char *bytes = read_input(i, &size);

		run(bytes, size);
		free(bytes);
	}
	ck_assert_msg(fuzz_taken > 0, "no input of the corpus is good");
}
END_TEST

/* In libFuzzer's place. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	char *mutant = mutate(current, (const char *)data, size, &size);

	if (size > max_size)
		size = max_size;
	if (size > 0)
		memcpy(data, mutant, size);
	free(mutant);
	return size;
}

/* A changed copy; by the target's own way in every other case. */
static char *changed_copy(
	struct mutator *mutator, const char *bytes, size_t size, size_t *ret_size)
{
	size_t max_size = 2 * size + 256;
	char *copy;

	current = mutator;
	if (!LLVMFuzzerCustomMutator || mutator_below(mutator, 2) == 0)
		return mutate(mutator, bytes, size, ret_size);
	copy = xcalloc(max_size, 1);
	if (size > 0)
		memcpy(copy, bytes, size);
	*ret_size = LLVMFuzzerCustomMutator((uint8_t *)copy, size, max_size,
		(unsigned int)mutator_below(mutator, UINT32_MAX));
	ck_assert_uint_le(*ret_size, max_size);
	return copy;
}

START_TEST(changed)
{
	int copies = unit_rounds(COPIES);
	struct mutator mutator;

	begin();
	mutator_init(&mutator, (uint64_t)_i, fuzz_words);
	runs = 0;
	for (int i = 0; i < copies; i++) {
		size_t size;
		char *bytes =
			read_input((int)mutator_below(&mutator, (size_t)file_count), &size);
		char *mutant = changed_copy(&mutator, bytes, size, &size);

		run(mutant, size);
		free(mutant);
		free(bytes);
	}
	ck_assert_int_eq(runs, copies);
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
	tcase_add_test(tcase, is_taken);
	tcase_add_loop_test(tcase, corpus, 0, (file_count + BATCH - 1) / BATCH);
	tcase_add_loop_test(tcase, changed, 1, SEEDS + 1);
	suite_add_tcase(suite, tcase);
	free(path);
	return suite;
}
