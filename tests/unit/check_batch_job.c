/* check_batch_job.c: tests of common/batch_job.c: does this program run in a Slurm job? */
#include "unit.h"

#include <stdlib.h>

#include "common/batch_job.h"

static const struct {
	const char *text;
	bool inside; /* job 12 */
} rows[] = {
	{"", false},
	{"0::/user.slice/user-1000.slice/session-3.scope\n", false},
	{"0::/system.slice/slurmstepd.scope/job_12/step_batch/user/task_0\n", true},
	{"4:cpuset:/slurm/uid_1000/job_12/step_0\n1:name=systemd:/\n", true},
	{"4:cpuset:/slurm/uid_1000/job_12\n", true},
	{"4:cpuset:/slurm/uid_1000/job_12", true},
	{"0::/slurm/job_123/step_0\n", false},
	{"0::/slurm/job_1/step_12\n", false},
	{"0::/slurm/job_121/job_12/x\n", true},
};

START_TEST(cgroup)
{
	ck_assert_msg(batch_job_in_cgroup(rows[_i].text, "12") == rows[_i].inside, "%s",
		rows[_i].text);
}
END_TEST

/* As in the shell of salloc. */
START_TEST(variable_alone)
{
	setenv("SLURM_JOB_ID", "12", 1);
	unsetenv("DRACO_NAME");
	ck_assert_ptr_null(batch_job_id());
	ck_assert(!batch_job_lives());
	ck_assert_str_eq(batch_job_default_name(), "default");
	setenv("DRACO_NAME", "mine", 1);
	ck_assert_str_eq(batch_job_default_name(), "mine");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("batch_job");
	TCase *tcase = tcase_create("batch_job");

	tcase_add_loop_test(tcase, cgroup, 0, LENGTH(rows));
	tcase_add_test(tcase, variable_alone);
	suite_add_tcase(suite, tcase);
	return suite;
}
