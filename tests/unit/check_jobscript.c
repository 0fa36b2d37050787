/* check_jobscript.c: tests of daemon/dask/jobscript.c: quoting, the names of workers, and the
 * text. */
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "daemon/dask/jobscript.h"

static const struct {
	const char *text, *quoted;
} quotes[] = {
	{"", "''"},
	{"plain", "'plain'"},
	{"two words", "'two words'"},
	{"$HOME `id` \\ \" * ~ # ! & ; \n", "'$HOME `id` \\ \" * ~ # ! & ; \n'"},
	{"it's", "'it'\\''s'"},
	{"'", "''\\'''"},
	{"'''", "''\\'''\\'''\\'''"},
	{"-n", "'-n'"},
	{"caf\xc3\xa9 \xff", "'caf\xc3\xa9 \xff'"},
};

START_TEST(quote)
{
	char *quoted = shell_quote(quotes[_i].text);

	ck_assert_str_eq(quoted, quotes[_i].quoted);
	free(quoted);
}
END_TEST

/* What a shell makes of the quoted text is the text. */
START_TEST(quote_for_a_shell)
{
	static const char *const shells[] = {"/bin/sh", "/bin/bash"};
	char *quoted = shell_quote(quotes[_i].text);
	char *command = xasprintf("printf %%s %s", quoted);

	for (size_t i = 0; i < LENGTH(shells); i++) {
		char got[256] = "";
		size_t used = 0;
		int ends[2], status;
		ssize_t n;
		pid_t pid;

		ck_assert_int_eq(pipe(ends), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			dup2(ends[1], STDOUT_FILENO);
			execl(shells[i], shells[i], "-c", command, NULL);
			_exit(127);
		}
		close(ends[1]);
		while ((n = read(ends[0], got + used, sizeof(got) - 1 - used)) > 0)
			used += (size_t)n;
		close(ends[0]);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		ck_assert_str_eq(got, quotes[_i].text);
	}
	free(command);
	free(quoted);
}
END_TEST

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
	char *script = jobscript_make(&(struct jobscript){
		.cluster = "big.one",
		.python = "/opt/it's/python3",
		.scheduler = "tls://10.0.0.1:20123",
		.processes = 20,
		.threads = 2,
		.bytes = INT64_C(4294967296),
		.death_timeout_s = 60,
	});
	static const char *const parts[] = {"\"big.one\"", "'/opt/it'\\''s/python3'",
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

	tcase_add_loop_test(tcase, quote, 0, LENGTH(quotes));
	tcase_add_loop_test(tcase, quote_for_a_shell, 0, LENGTH(quotes));
	tcase_add_loop_test(tcase, job_id_length, 0, LENGTH(names));
	tcase_add_test(tcase, text);
	suite_add_tcase(suite, tcase);
	return suite;
}
