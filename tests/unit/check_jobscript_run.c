/* check_jobscript_run.c: tests of daemon/dask/jobscript.c: the script, run by bash: how it
 * starts Python, and how it ends. */
#include "unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "jobscript_fixture.h"

/* Wait until the process is in a state of proc(5). */
static void wait_for_state(pid_t pid, char state)
{
	int64_t deadline = now_ms() + PATIENCE_MS;
	char path[32], seen = '?';

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	while (seen != state) {
		FILE *file = fopen(path, "re");

		ck_assert_msg(
			now_ms() < deadline, "process %d is %c, not %c", (int)pid, seen, state);
		if (file && fscanf(file, "%*d (%*[^)]) %c", &seen) != 1)
			seen = '?';
		if (file)
			fclose(file);
		pause_a_little();
	}
}

/* Every shape of script is good to bash. */
START_TEST(syntax)
{
	for (int i = 0; i < 8; i++) {
		char *text, *script;
		int status;
		pid_t pid;

		job.scratch = i & 1 ? "/it's/$USER" : NULL;
		job.prologue = i & 2 ? "module load 'it'\n# end" : NULL;
		job.epilogue = i & 4 ? "echo \"it's done\"" : NULL;
		job.forkserver = i & 1;
		job.spawn_mark = i & 2 ? "/it's/mark" : NULL;
		job.processes = i & 4 ? 1 : 4;
		text = jobscript_make(&job);
		script = put_program(directory, "script", text);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			execl("/bin/bash", "bash", "-n", script, NULL);
			_exit(127);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		free(text);
		free(script);
	}
}
END_TEST

static const struct {
	const char *variables[3];
	const char *name;
} ids[] = {
	{{NULL}, "draco-42"},
	{{"SLURM_ARRAY_JOB_ID=40", "SLURM_ARRAY_TASK_ID=2", NULL}, "draco-40_2"},
};

START_TEST(arguments)
{
	const char *const variables[] = {
		"STAND_IN=exit 0", ids[_i].variables[0], ids[_i].variables[1], NULL};
	char *got, *expected, *mode, *local;

	check_end(start(variables), 0);
	got = content("arguments");
	local = strstr(got, "--local-directory\n");
	ck_assert_ptr_nonnull(local);
	local = xstrndup(local + 18, strcspn(local + 18, "\n"));
	expected = xasprintf(
		"-m\ndistributed.cli.dask_worker\ntcp://127.0.0.1:8786\n"
		"--name\n%s\n--nworkers\n4\n--nthreads\n2\n--memory-limit\n1000000000\n"
		"--host\n10.1.2.3\n--no-dashboard\n--dashboard-address\n127.0.0.1:0\n"
		"--local-directory\n%s\n--death-timeout\n60\n",
		ids[_i].name, local);
	ck_assert_str_eq(got, expected);
	ck_assert_int_eq(strncmp(local, temporary, strlen(temporary)), 0);
	mode = content("mode");
	ck_assert_str_eq(mode, "700\n");
	free(got);
	free(expected);
	free(mode);
	free(local);
}
END_TEST

static const struct {
	const char *stand_in;
	int status;
} ends[] = {
	{"STAND_IN=exit 0", 0},
	{"STAND_IN=exit 1", 1},
	{"STAND_IN=exit 255", 255},
	{"STAND_IN=kill -KILL $$", 137},
	{"STAND_IN=kill -SEGV $$", 139},
	{"STAND_IN=kill -TERM $$", 143},
};

/* However Python ends, the script says the same, and leaves nothing. */
START_TEST(status_is_kept)
{
	check_end(START(ends[_i].stand_in), ends[_i].status);
}
END_TEST

/* SIGTERM to the script, as scancel --batch sends it: handed on, and the status is Python's. */
START_TEST(terminate)
{
	static const int signals[] = {SIGTERM, SIGINT};
	pid_t pid = START("STAND_IN=" UNTIL_TERMINATED);
	char *got;

	wait_for_file("ready");
	ck_assert_int_eq(kill(pid, signals[_i]), 0);
	check_end(pid, 5);
	got = content("signals");
	ck_assert_str_eq(got, "TERM\n");
	free(got);
}
END_TEST

/* A Python that is only beginning, and does not catch SIGTERM yet: a job that draco ends is
 * completed. */
START_TEST(terminate_while_it_begins)
{
	pid_t pid = START("STAND_IN=touch \"$TEST/ready\"\nexec sleep 300");

	wait_for_file("ready");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	check_end(pid, 0);
}
END_TEST

static void wait_for_content(const char *name, const char *expected)
{
	int64_t deadline = now_ms() + PATIENCE_MS;
	bool same = false;

	wait_for_file(name);
	while (!same) {
		char *got = content(name);

		same = strcmp(got, expected) == 0;
		ck_assert_msg(same || now_ms() < deadline, "%s is \"%s\"", name, got);
		free(got);
		pause_a_little();
	}
}

/* A Python that takes its time, and a second SIGTERM while it does. */
START_TEST(terminate_slowly)
{
	pid_t pid = START("STAND_IN=trap 'echo TERM >>\"$TEST/signals\"' TERM\n"
			  "touch \"$TEST/ready\"\n"
			  "while [ ! -e \"$TEST/go\" ]; do sleep 0.01; done\n"
			  "exit 6");

	wait_for_file("ready");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	wait_for_content("signals", "TERM\n");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	wait_for_content("signals", "TERM\nTERM\n");
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0); /* it waits */
	ck_assert_int_eq(count_entries(temporary), 1);
	free(unit_file(directory, "go", "", 0));
	check_end(pid, 6);
}
END_TEST

/* Wait until the script waits for Python: it is at such a command, and has no other child. */
static void wait_for_wait(pid_t pid)
{
	int64_t deadline = now_ms() + PATIENCE_MS;
	char *path = xasprintf("/proc/%d/task/%d/children", (int)pid, (int)pid);
	int children = 0;

	for (bool waits = false; !waits || children != 1; pause_a_little()) {
		char *commands = content("commands");
		FILE *file = fopen(path, "re");

		waits = strstr(commands, "wait ") != NULL;
		ck_assert_ptr_nonnull(file);
		for (children = 0; fscanf(file, "%*d") != EOF;)
			children++;
		fclose(file);
		ck_assert_msg(now_ms() < deadline, "the script does not wait:\n%s", commands);
		free(commands);
	}
	free(path);
}

/* A node so slow that Python is gone before the script's next command. */
START_TEST(terminate_on_a_slow_node)
{
	static const char slow[] =
		"set -o functrace\n"
		"trap 'echo \"$BASH_COMMAND\" >>\"$TEST/commands\"; sleep 0.1' DEBUG\n";
	char *path = unit_file(directory, "slow", slow, strlen(slow));
	char *variable = xasprintf("BASH_ENV=%s", path);
	pid_t pid = START("STAND_IN=" UNTIL_TERMINATED, variable);

	wait_for_file("ready");
	wait_for_wait(pid);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	check_end(pid, 5);
	free(path);
	free(variable);
}
END_TEST

/* SIGTERM reaches both, as plain scancel sends it, and Python is gone when the script looks. */
START_TEST(terminate_both)
{
	pid_t pid = START("STAND_IN=" UNTIL_TERMINATED);
	pid_t python_pid = stand_in_pid();

	wait_for_file("ready");
	ck_assert_int_eq(kill(pid, SIGSTOP), 0);
	wait_for_state(pid, 'T');
	ck_assert_int_eq(kill(python_pid, SIGTERM), 0);
	wait_for_state(python_pid, 'Z');
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert_int_eq(kill(pid, SIGCONT), 0);
	check_end(pid, 5);
}
END_TEST

/* SIGTERM while the directory is being made: it is removed, and no Python stays. */
START_TEST(terminate_early)
{
	char *programs = in_directory("bin"), *path, *python_pid = in_directory("pid");
	pid_t pid;

	ck_assert_int_eq(mkdir(programs, 0700), 0);
	free(put_program(programs, "mktemp",
		"#!/bin/bash\n"
		"made=$(/usr/bin/mktemp \"$@\") || exit\n"
		"kill -TERM $PPID\n"
		"printf '%s\\n' \"$made\"\n"));
	path = xasprintf("PATH=%s:/usr/bin:/bin", programs);
	pid = START("STAND_IN=" UNTIL_TERMINATED, path);
	check_end(pid, -1);
	if (access(python_pid, F_OK) == 0)
		ck_assert_int_lt(kill(stand_in_pid(), 0), 0);
	free(programs);
	free(path);
	free(python_pid);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("jobscript: run");
	TCase *tcase = tcase_create("run");

	tcase_add_checked_fixture(tcase, jobscript_setup, jobscript_teardown);
	tcase_add_test(tcase, syntax);
	tcase_add_loop_test(tcase, arguments, 0, LENGTH(ids));
	tcase_add_loop_test(tcase, status_is_kept, 0, LENGTH(ends));
	tcase_add_loop_test(tcase, terminate, 0, 2);
	tcase_add_test(tcase, terminate_while_it_begins);
	tcase_add_test(tcase, terminate_slowly);
	tcase_add_test(tcase, terminate_on_a_slow_node);
	tcase_add_test(tcase, terminate_both);
	tcase_add_test(tcase, terminate_early);
	suite_add_tcase(suite, tcase);
	return suite;
}
