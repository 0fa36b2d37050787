/* check_jobscript_scratch.c: tests of daemon/dask/jobscript.c: the script, run by bash: the places
 * of local files. */
#include "unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "jobscript_fixture.h"

/* The argument behind --local-directory. The caller frees. */
static char *local_directory(void)
{
	char *arguments = content("arguments");
	const char *local = strstr(arguments, "--local-directory\n");
	char *path;

	ck_assert_ptr_nonnull(local);
	local += strlen("--local-directory\n");
	path = xstrndup(local, strcspn(local, "\n"));
	free(arguments);
	return path;
}

/* The directory for $USER is made, used, and emptied however the job ends: the status is
 * Python's. */
START_TEST(scratch)
{
	static const struct {
		const char *stand_in;
		int status;
	} rows[] = {{"STAND_IN=exit 3", 3}, {"STAND_IN=kill -KILL $$", 137},
		{"STAND_IN=" UNTIL_TERMINATED, 5}};
	char *template = xasprintf("%s/it's $USER's scratch/$USER", directory);
	char *base = xasprintf("%s/it's somebody's scratch/somebody", directory);
	char *expected = xasprintf("%s/draco-42", base), *local;
	pid_t pid;

	job.scratch = template;
	job.epilogue = "touch \"$TEST/epilogue\"";
	pid = START(rows[_i].stand_in);
	if (rows[_i].status == 5) {
		wait_for_file("ready");
		ck_assert_int_eq(kill(pid, SIGTERM), 0);
	}
	check_end(pid, rows[_i].status);
	local = local_directory();
	ck_assert_str_eq(local, expected);
	check_content("mode", "700\n");
	ck_assert(exists("epilogue"));
	ck_assert_int_eq(count_entries(base), 0);
	free(template);
	free(base);
	free(expected);
	free(local);
}
END_TEST

/* Variables of the node are replaced there. */
START_TEST(scratch_with_variables)
{
	char *template = xasprintf("%s/${SLURM_JOB_ID}-$TEST_VARIABLE", directory), *local;
	char *expected = xasprintf("%s/42-it's/draco-42", directory);

	job.scratch = template;
	if (_i == 0)
		check_end(START("STAND_IN=exit 0", "TEST_VARIABLE=it's"), 0);
	else
		check_end(START("STAND_IN=exit 0"), 0);
	local = local_directory();
	if (_i == 0)
		ck_assert_str_eq(local, expected);
	else
		ck_assert_int_eq(strncmp(local, temporary, strlen(temporary)), 0);
	if (_i == 1)
		check_said("is not known, as the variable TEST_VARIABLE is not set here: local "
			   "files go to ");
	free(template);
	free(expected);
	free(local);
}
END_TEST

/* What is there already stays, and the job has a directory beside it. */
START_TEST(scratch_of_the_same_name)
{
	char *base = xasprintf("%s/scratch", directory), *there, *local;

	ck_assert_int_eq(mkdir(base, 0700), 0);
	there = xasprintf("%s/draco-42", base);
	ck_assert_int_eq(symlink("/tmp", there), 0);
	job.scratch = base;
	check_end(START("STAND_IN=exit 0"), 0);
	local = local_directory();
	ck_assert_int_eq(strncmp(local, there, strlen(there)), 0);
	ck_assert_int_eq(local[strlen(there)], '-');
	ck_assert_int_eq(count_entries(base), 1);
	ck_assert_int_eq(access(there, F_OK), 0);
	free(base);
	free(there);
	free(local);
}
END_TEST

/* A directory that cannot be had or trusted: the script says so, and TMPDIR is used. */
START_TEST(scratch_refused)
{
	static const char *const said[] = {
		" does not exist and cannot be made: local files go to ",
		" can be changed by all users (mode 777): local files go to "};
	char *base = xasprintf("%s/scratch", directory), *local;

	if (_i == 0) {
		free(unit_file(directory, "scratch", "", 0));
	} else {
		ck_assert_int_eq(mkdir(base, 0700), 0);
		ck_assert_int_eq(chmod(base, 0777), 0);
	}
	job.scratch = base;
	check_end(START("STAND_IN=exit 0"), 0);
	check_said(said[_i]);
	local = local_directory();
	ck_assert_int_eq(strncmp(local, temporary, strlen(temporary)), 0);
	free(base);
	free(local);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("jobscript: scratch");
	TCase *tcase = tcase_create("scratch");

	tcase_add_checked_fixture(tcase, jobscript_setup, jobscript_teardown);
	tcase_add_loop_test(tcase, scratch, 0, 3);
	tcase_add_loop_test(tcase, scratch_with_variables, 0, 2);
	tcase_add_test(tcase, scratch_of_the_same_name);
	tcase_add_loop_test(tcase, scratch_refused, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
