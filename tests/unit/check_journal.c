/* check_journal.c: tests of systemd/journal.c, with a journal that is a list, and its catalog. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/io/history.h"
#include "systemd/journal.h"

static char *directory, *path, *sent; /* the fields of all entries: "A=b|C=d|\n" */
static int result;

int __wrap_sd_journal_sendv(const struct iovec *list, int count);
int __wrap_sd_journal_sendv(const struct iovec *list, int count)
{
	for (int i = 0; i <= count; i++) {
		char *longer = i < count ? xasprintf("%s%.*s|", sent, (int)list[i].iov_len,
						   (const char *)list[i].iov_base)
					 : xasprintf("%s\n", sent);

		free(sent);
		sent = longer;
	}
	return result;
}

static void setup(void)
{
	directory = unit_directory();
	path = xasprintf("%s/stderr", directory);
	sent = xstrdup("");
	result = 0;
}

static void teardown(void)
{
	log_close();
	log_set_journal(NULL);
	free(directory);
	free(path);
	free(sent);
}

/* Make the file at path standard error, and the variable name it, or another one. */
static int redirect(bool is_journal)
{
	_cleanup_free_ char *stream = NULL;
	int old = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	stream = xasprintf("%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino + !is_journal);
	setenv("JOURNAL_STREAM", stream, 1);
	dup2(fd, STDERR_FILENO);
	close(fd);
	return old;
}

static void log_all(bool is_journal)
{
	int old = redirect(is_journal);

	ck_assert_int_eq(log_open(NULL, LOG_LEVEL_INFO, NULL), 0);
	journal_open("mine");
	log_warning("plain");
	log_debug("not logged");
	history_job_phase("42_0", "short", "pending", "starting", 3200, "n1");
	history_phase("cluster", "mine", "starting", "running", 0, NULL);
	history_phase("scheduler", NULL, "starting", "up", 0, NULL);
	history_note(EVENT_DECISION, "cluster", "mine", "two more jobs");
	history_failure("job", "42_1", NULL, "out of memory");
	history_note(EVENT_NOTE, "dracod", NULL, "ends");
	dup2(old, STDERR_FILENO);
	close(old);
}

START_TEST(entries_have_fields)
{
	_cleanup_free_ char *text = NULL;

	log_all(true);
	ck_assert_str_eq(sent,
		"MESSAGE=plain|PRIORITY=4|DRACO_CLUSTER=mine|\n"
		"MESSAGE=job 42_0: pending -> starting after 3.2 s: n1|PRIORITY=6|"
		"DRACO_CLUSTER=mine|MESSAGE_ID=721b108b920b4620b43d1615a1d76896|"
		"DRACO_KIND=phase|DRACO_SUBJECT=job|DRACO_JOB=42_0|DRACO_PHASE=starting|"
		"DRACO_PARTITION=short|\n"
		"MESSAGE=cluster mine: starting -> running after 0.0 s|PRIORITY=6|"
		"DRACO_CLUSTER=mine|MESSAGE_ID=8e1a83796e9a4f12b8c32bbf1db405f8|"
		"DRACO_KIND=phase|DRACO_SUBJECT=cluster|DRACO_PHASE=running|\n"
		"MESSAGE=scheduler: starting -> up after 0.0 s|PRIORITY=6|DRACO_CLUSTER=mine|"
		"MESSAGE_ID=d0ab4d4b461c42ee8c51f6d722ed6997|DRACO_KIND=phase|"
		"DRACO_SUBJECT=scheduler|DRACO_PHASE=up|\n"
		"MESSAGE=cluster mine: two more jobs|PRIORITY=6|DRACO_CLUSTER=mine|"
		"MESSAGE_ID=828421f8f3c34c959e0c6fd4d168a20e|DRACO_KIND=decision|"
		"DRACO_SUBJECT=cluster|\n"
		"MESSAGE=job 42_1: out of memory|PRIORITY=4|DRACO_CLUSTER=mine|"
		"MESSAGE_ID=f7f2f0ec1d904af9bc37df628656ecb5|DRACO_KIND=failure|"
		"DRACO_SUBJECT=job|DRACO_JOB=42_1|\n"
		"MESSAGE=dracod: ends|PRIORITY=6|DRACO_CLUSTER=mine|"
		"MESSAGE_ID=6d1f3bdca1b64dbba71dfc8a20f9e23f|DRACO_KIND=note|"
		"DRACO_SUBJECT=dracod|\n");
	text = unit_read(path);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(elsewhere_lines_are_plain)
{
	_cleanup_free_ char *text = NULL;

	log_all(false);
	ck_assert_str_eq(sent, "");
	text = unit_read(path);
	ck_assert_ptr_nonnull(strstr(text, " warning: plain\n"));
	ck_assert_ptr_nonnull(strstr(text, " job 42_0: pending -> starting after 3.2 s: n1\n"));
}
END_TEST

/* An entry that is not taken is a line of standard error, which the journal reads. */
START_TEST(the_journal_refuses)
{
	_cleanup_free_ char *text = NULL;

	result = -EPERM;
	log_all(true);
	text = unit_read(path);
	ck_assert_ptr_nonnull(strstr(text, "<4>plain\n<6>job 42_0: "));
}
END_TEST

START_TEST(a_file_for_the_log_is_no_journal)
{
	_cleanup_free_ char *file = xasprintf("%s/log", directory), *text = NULL;
	int old = redirect(true);

	ck_assert_int_eq(log_open(file, LOG_LEVEL_INFO, NULL), 0);
	journal_open("mine");
	log_warning("plain");
	dup2(old, STDERR_FILENO);
	close(old);
	ck_assert_str_eq(sent, "");
	text = unit_read(file);
	ck_assert_ptr_nonnull(strstr(text, "warning: plain"));
}
END_TEST

/* Each kind of entry is explained, and nothing else is. */
START_TEST(the_catalog_has_each_kind)
{
	_cleanup_free_ char *catalog = unit_read(CATALOG);
	int explained = 0, kinds = 0;

	log_all(true);
	for (const char *at = catalog; (at = strstr(at, "\n-- ")); at += 4)
		explained++;
	for (const char *at = sent; (at = strstr(at, "MESSAGE_ID=")); at++) {
		_cleanup_free_ char *entry =
			xasprintf("\n-- %.32s\nSubject: ", at + strlen("MESSAGE_ID="));

		ck_assert_msg(strstr(catalog, entry) != NULL, "%s", entry);
		kinds++;
	}
	ck_assert_int_eq(kinds, explained);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("journal");
	TCase *tcase = tcase_create("journal");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, entries_have_fields);
	tcase_add_test(tcase, elsewhere_lines_are_plain);
	tcase_add_test(tcase, the_journal_refuses);
	tcase_add_test(tcase, a_file_for_the_log_is_no_journal);
	tcase_add_test(tcase, the_catalog_has_each_kind);
	suite_add_tcase(suite, tcase);
	return suite;
}
