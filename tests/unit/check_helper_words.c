/* check_helper_words.c: tests of daemon/slurm/helper_words.c. */
#include "unit.h"

#include <unistd.h>

#include "daemon/io/loop.h"
#include "daemon/slurm/helper_words.h"

static struct loop *loop;
static struct helper_words *words;

static void setup(void)
{
	struct err err = ERR_INIT;

	loop = loop_create(&err);
	ck_assert_ptr_nonnull(loop);
	words = helper_words_create(loop);
}

static void teardown(void)
{
	helper_words_destroy(words);
	loop_destroy(loop);
}

/* A process writes this and ends. */
static void say(const char *text)
{
	int fd = helper_words_begin(words);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	helper_words_end(words);
}

static void expect(const char *text)
{
	char *last = helper_words_last(words);

	ck_assert_str_eq(last, text);
	free(last);
}

static const struct {
	const char *said, *last;
} cases[] = {
	{"", ""},
	{"\n\n", ""},
	{"one", "one"},
	{"one\n", "one"},
	{"one\ntwo\n\n\n", "two"},
	{"one\ntwo", "two"},
};

START_TEST(last_line)
{
	say(cases[_i].said);
	expect(cases[_i].last);
}
END_TEST

START_TEST(only_of_the_last_process)
{
	expect("");
	say("one\n");
	helper_words_end(words);
	expect("one");
	say("");
	expect("");
	helper_words_close(words);
	helper_words_close(words);
}
END_TEST

START_TEST(the_end_is_kept)
{
	char text[10001];

	memset(text, 'x', sizeof(text) - 1);
	memcpy(text + sizeof(text) - 11, "\nthe last\n", 10);
	text[sizeof(text) - 1] = '\0';
	say(text);
	expect("the last");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("helper_words");
	TCase *tcase = tcase_create("helper_words");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, last_line, 0, LENGTH(cases));
	tcase_add_test(tcase, only_of_the_last_process);
	tcase_add_test(tcase, the_end_is_kept);
	suite_add_tcase(suite, tcase);
	return suite;
}
