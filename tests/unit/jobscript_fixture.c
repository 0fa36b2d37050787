/* jobscript_fixture.c: what the tests that run the job script share. */
#include "jobscript_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/strv.h"
#include "unit.h"

/* Asked for the node's address, it notes the question and answers; asked for distributed, it
 * ends as the test says. As the workers it notes its arguments, its pid, the mode of the
 * directory for local files, how worker processes are to start, what was foreseen for them and
 * what is to be imported, leaves files in that directory, and does what the test says. */
static const char stand_in[] =
	"#!/bin/bash -p\n" /* without BASH_ENV, which is for the script */
	"case \"$1 $2 $3\" in\n"
	"'-I -S -c') echo \"$5 $6 <$7>\" >\"$TEST/asked\"\n"
	"	[ -n \"$ADDRESS\" ] || { echo no address today; exit 7; }\n"
	"	echo \"$ADDRESS\"; exit 0 ;;\n"
	"'-c import distributed ') exit \"${NO_DISTRIBUTED:-0}\" ;;\n"
	"esac\n"
	"printf '%s\\n' \"$@\" >\"$TEST/arguments\"\n"
	"echo \"$DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD\" >\"$TEST/method\"\n"
	"echo \"${DRACO_FORESEEN- nothing}, $OMP_NUM_THREADS $MKL_NUM_THREADS\" \\\n"
	"\t>\"$TEST/foreseen\"\n"
	"echo \"$DRACO_PREIMPORT\" >\"$TEST/preimport\"\n"
	"while [ \"$1\" != --local-directory ]; do shift; done\n"
	"stat -c '%a' \"$2\" >\"$TEST/mode\"\n"
	"mkdir -p \"$2/worker-1/storage\" && echo data >\"$2/worker-1/storage/key\"\n"
	"echo $$ >\"$TEST/pid.new\" && mv \"$TEST/pid.new\" \"$TEST/pid\"\n"
	"eval \"$STAND_IN\"\n";

char *directory;
char *temporary;
struct strv python; /* the stand-in */
struct jobscript job;

char *put_program(const char *where, const char *name, const char *text)
{
	char *path = unit_file(where, name, text, strlen(text));

	ck_assert_int_eq(chmod(path, 0700), 0);
	return path;
}

void jobscript_setup(void)
{
	char *place;

	directory = unit_directory();
	temporary = xasprintf("%s/tmp dir", directory);
	place = xasprintf("%s/it's a \"$place\" `with` *", directory);
	ck_assert_int_eq(mkdir(temporary, 0700), 0);
	ck_assert_int_eq(mkdir(place, 0700), 0);
	strv_take(&python, put_program(place, "python 3", stand_in));
	free(place);
	job = (struct jobscript){
		.cluster = "default",
		.python = &python,
		.scheduler = "tcp://127.0.0.1:8786",
		.processes = 4,
		.threads = 2,
		.bytes = 1000000000,
		.death_timeout_s = 60,
	};
}

void jobscript_teardown(void)
{
	free(directory);
	free(temporary);
	strv_finish(&python);
}

pid_t start(const char *const *variables)
{
	char *text = jobscript_make(&job), *script = put_program(directory, "script", text);
	char *output = xasprintf("%s/output", directory);
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || clearenv() != 0)
			_exit(126);
		setenv("PATH", "/usr/bin:/bin", 1);
		setenv("USER", "somebody", 1);
		setenv("TMPDIR", temporary, 1);
		setenv("TEST", directory, 1);
		setenv("SLURM_JOB_ID", "42", 1);
		setenv("ADDRESS", "10.1.2.3", 1);
		for (; variables && *variables; variables++)
			putenv(UNCONST(*variables));
		execl(script, script, NULL);
		_exit(127);
	}
	free(text);
	free(script);
	free(output);
	return pid;
}

char *in_directory(const char *name)
{
	return xasprintf("%s/%s", directory, name);
}

char *content(const char *name)
{
	char *path = in_directory(name), *text = unit_read(path);

	free(path);
	return text;
}

void pause_a_little(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void wait_for_file(const char *name)
{
	int64_t deadline = now_ms() + PATIENCE_MS;
	char *path = in_directory(name);

	while (access(path, F_OK) < 0) {
		ck_assert_msg(now_ms() < deadline, "%s did not come", path);
		pause_a_little();
	}
	free(path);
}

pid_t stand_in_pid(void)
{
	char *text;
	pid_t pid;

	wait_for_file("pid");
	text = content("pid");
	pid = (pid_t)atoi(text);
	free(text);
	ck_assert_int_gt(pid, 1);
	return pid;
}

int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int count = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return count;
}

void check_end(pid_t pid, int expected)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	if (expected >= 0 && WEXITSTATUS(status) != expected) {
		char *output = content("output");

		ck_abort_msg("ended with %d instead of %d:\n%s", WEXITSTATUS(status), expected,
			output);
	}
	ck_assert_int_eq(count_entries(temporary), 0);
}

bool exists(const char *name)
{
	char *path = in_directory(name);
	bool is = access(path, F_OK) == 0;

	free(path);
	return is;
}

void check_said(const char *expected)
{
	char *output = content("output");

	ck_assert_msg(
		strstr(output, expected) != NULL, "\"%s\" is not in:\n%s", expected, output);
	free(output);
}

void check_content(const char *name, const char *expected)
{
	char *got = content(name);

	ck_assert_str_eq(got, expected);
	free(got);
}
