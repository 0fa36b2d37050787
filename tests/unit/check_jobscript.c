/* check_jobscript.c: tests of daemon/dask/jobscript.c: the names of workers, and the text. */
#include "unit.h"

#include "common/alloc.h"
#include "common/strv.h"
#include "daemon/dask/jobscript.h"

static const struct {
	const char *name;
	int length; /* of the job's id; 0: not a name of ours */
} names[] = {
	{"draco-42", 2},
	{"draco-42-0", 2},
	{"draco-42-199", 2},
	{"draco-4294967295", 10},
	{"draco-42_0", 4},
	{"draco-42_0-0", 4},
	{"draco-42_1000-17", 7},
	{"", 0},
	{"draco", 0},
	{"draco-", 0},
	{"draco--0", 0},
	{"draco-_", 0},
	{"draco-_0", 0},
	{"draco-42_", 0},
	{"draco-42_-0", 0},
	{"draco-42_0_0", 0},
	{"draco-42__0", 0},
	{"draco-42-", 0},
	{"draco-42-x", 0},
	{"draco-42-0-0", 0},
	{"draco-42-0x", 0},
	{"draco-42x", 0},
	{"draco-x", 0},
	{"draco-42 ", 0},
	{" draco-42", 0},
	{"Draco-42", 0},
	{"draco_42", 0},
	{"42", 0},
	{"tcp://10.0.0.1:4242", 0},
};

START_TEST(job_id_length)
{
	char *tight = unit_tight(names[_i].name, strlen(names[_i].name) + 1);

	ck_assert_int_eq(jobscript_job_id_length(tight), names[_i].length);
	free(tight);
}
END_TEST

START_TEST(text)
{
	char *words[] = {UNCONST("/opt/it's/python3"), UNCONST("-s"), NULL};
	char *script = jobscript_make(&(struct jobscript){
		.cluster = "big.one",
		.python = &(struct strv){words, 2},
		.scheduler = "tls://10.0.0.1:20123",
		.processes = 20,
		.threads = 2,
		.bytes = INT64_C(4294967296),
		.death_timeout_s = 60,
	});
	static const char *const parts[] = {"\"big.one\"", "('/opt/it'\\''s/python3' '-s')",
		"'tls://10.0.0.1:20123'", "--nworkers 20", "--nthreads 2",
		"--memory-limit 4294967296", "--death-timeout 60"};

	ck_assert_int_eq(strncmp(script, "#!/bin/bash\n", 12), 0);
	ck_assert_int_eq(script[strlen(script) - 1], '\n');
	for (size_t i = 0; i < LENGTH(parts); i++)
		ck_assert_msg(strstr(script, parts[i]) != NULL, "%s is not in the script:\n%s",
			parts[i], script);
	free(script);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("jobscript");
	TCase *tcase = tcase_create("jobscript");

	tcase_add_loop_test(tcase, job_id_length, 0, LENGTH(names));
	tcase_add_test(tcase, text);
	suite_add_tcase(suite, tcase);
	return suite;
}
