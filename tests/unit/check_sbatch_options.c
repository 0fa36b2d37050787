/* check_sbatch_options.c: tests of common/sbatch_options.c: the command line of sbatch. */
#include "unit.h"

#include "common/sbatch_options.h"
#include "common/settings.h"
#include "common/slurm_msg.h"

static char name[] = "draco-a.1", output[] = "/logs/job-%j.log", directory[] = "/home/me";
static char partition[] = "short", reservation[] = "course";

static struct slurm_submission wish;

static void setup(void)
{
	wish = (struct slurm_submission){
		.name = name,
		.count = 1,
		.output = output,
		.directory = directory,
		.cores = 4,
		.memory_mib = 2048,
		.walltime_s = 3601,
	};
}

static void teardown(void)
{
	strv_finish(&wish.directives);
}

static void check(const char *before_place, const char *place)
{
	struct strv list = STRV_INIT;
	char *text, *expected;

	sbatch_options(&wish, &list);
	text = strv_join(&list, " ");
	ck_assert_int_ge(asprintf(&expected,
				 "--job-name=draco-a.1 --output=/logs/job-%%j.log "
				 "--error=/logs/job-%%j.log --input=/dev/null "
				 "--chdir=/home/me --export=ALL --no-requeue --nodes=1 "
				 "--ntasks=1 --cpus-per-task=4%s --time=61%s",
				 before_place, place),
		0);
	ck_assert_str_eq(text, expected);
	free(expected);
	free(text);
	strv_finish(&list);
}

START_TEST(plain)
{
	check(" --mem=2048M", "");
}
END_TEST

START_TEST(cores_of_the_node)
{
	struct strv list = STRV_INIT;

	wish.cores = CORES_NODE;
	strv_add(&wish.directives, "exclusive");
	sbatch_options(&wish, &list);
	for (size_t i = 0; i < list.count; i++)
		ck_assert_ptr_null(strstr(list.item[i], "cpus-per-task"));
	ck_assert(strv_has(&list, "--exclusive"));
	strv_finish(&list);
}
END_TEST

START_TEST(memory_of_the_node_and_none)
{
	wish.memory_mib = MEMORY_NODE;
	check(" --mem=0M", "");
	wish.memory_mib = MEMORY_NONE;
	check("", "");
}
END_TEST

START_TEST(place_and_number)
{
	wish.count = 3;
	wish.partition = partition;
	wish.reservation = reservation;
	check(" --mem=2048M", " --array=0-2 --partition=short --reservation=course");
}
END_TEST

START_TEST(directives)
{
	strv_add(&wish.directives, "comment=a b");
	strv_add(&wish.directives, "contiguous");
	strv_add(&wish.directives, "exclusive=true");
	strv_add(&wish.directives, "reboot=false");
	strv_add(&wish.directives, "gres=");
	check(" --mem=2048M", " --comment=a b --contiguous --exclusive --gres=");
}
END_TEST

/* sbatch would take the next option for the value of one that needs a value. */
START_TEST(without_a_value)
{
	strv_add(&wish.directives, "comment");
	strv_add(&wish.directives, "kill-on-invalid-dep=true");
	strv_add(&wish.directives, "hold");
	strv_add(&wish.directives, "exclude=n3");
	check(" --mem=2048M", " --kill-on-invalid-dep=true --hold --exclude=n3 --comment");
}
END_TEST

/* Slurm takes one way to ask for memory. */
START_TEST(memory_by_directive)
{
	strv_add(&wish.directives, _i ? "mem-per-gpu=1G" : "mem-per-cpu=1G");
	check("", _i ? " --mem-per-gpu=1G" : " --mem-per-cpu=1G");
}
END_TEST

START_TEST(variables)
{
	ck_assert(sbatch_variable_is_dropped("SBATCH_WAIT"));
	ck_assert(sbatch_variable_is_dropped("SBATCH_WAIT=1"));
	ck_assert(sbatch_variable_is_dropped("SBATCH_ARRAY_INX=0-9"));
	ck_assert(!sbatch_variable_is_dropped("SBATCH_WAIT_ALL_NODES=1"));
	ck_assert(sbatch_variable_is_dropped("SBATCH_ACCOUNT=a")); /* it is a setting */
	ck_assert(!sbatch_variable_is_dropped("SBATCH_COMMENT=a"));
	ck_assert(!sbatch_variable_is_dropped("PATH=/bin"));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("options of sbatch");
	TCase *tcase = tcase_create("options");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, plain);
	tcase_add_test(tcase, cores_of_the_node);
	tcase_add_test(tcase, memory_of_the_node_and_none);
	tcase_add_test(tcase, place_and_number);
	tcase_add_test(tcase, directives);
	tcase_add_test(tcase, without_a_value);
	tcase_add_loop_test(tcase, memory_by_directive, 0, 2);
	tcase_add_test(tcase, variables);
	suite_add_tcase(suite, tcase);
	return suite;
}
