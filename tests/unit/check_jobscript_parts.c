/* check_jobscript_parts.c: tests of daemon/dask/jobscript.c: the script, run by bash: what can
 * stop it before Python, and what runs around Python. */
#include "unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/strv.h"
#include "jobscript_fixture.h"

START_TEST(no_python)
{
	struct strv nowhere = STRV_INIT;

	strv_add(&nowhere, "/nowhere/python3");
	job.python = &nowhere;
	check_end(start(NULL), JOBSCRIPT_EXIT_PYTHON);
	check_said("/nowhere/python3");
	check_said("job 42");
	strv_finish(&nowhere);
}
END_TEST

/* A command of several words runs as it was given, for all that the script asks of Python. */
START_TEST(command)
{
	struct strv words = STRV_INIT;

	strv_add(&words, "env");
	strv_add(&words, "WRAPPED=it's so");
	strv_add(&words, job.python->item[0]);
	job.python = &words;
	check_end(START("STAND_IN=echo \"$WRAPPED\" >\"$TEST/wrapped\"; exit 3"), 3);
	check_content("wrapped", "it's so\n");
	ck_assert(exists("asked"));
	strv_finish(&words);
}
END_TEST

/* Python ends as it does for an error of its own, and has no distributed or has it. */
START_TEST(no_distributed)
{
	check_end(START("STAND_IN=exit 1", "NO_DISTRIBUTED=1"), JOBSCRIPT_EXIT_PYTHON);
	check_said("has no distributed on this node");
	check_end(START("STAND_IN=exit 2", "NO_DISTRIBUTED=1"), 2);
}
END_TEST

START_TEST(no_place_for_local_files)
{
	check_end(START("STAND_IN=exit 0", "TMPDIR=/nowhere/at all"), JOBSCRIPT_EXIT_DIRECTORY);
	check_said("/nowhere/at all is not writable");
	ck_assert(!exists("pid")); /* Python was not started */
}
END_TEST

START_TEST(certificate)
{
	static const char name[] = "DASK_DISTRIBUTED__COMM__TLS__CA_FILE";
	char *path = unit_file(directory, "ca.pem", "", 0);
	char *good = xasprintf("%s=%s", name, path), *bad = xasprintf("%s=%s.not", name, path);

	check_end(START("STAND_IN=exit 0", bad), JOBSCRIPT_EXIT_CERTIFICATE);
	check_said("ca.pem.not: the nodes must share that directory");
	ck_assert(!exists("pid"));
	check_end(START("STAND_IN=exit 0", good), 0);
	ck_assert(exists("pid"));
	free(good);
	free(bad);
	free(path);
}
END_TEST

/* The node is asked for its address; without an answer there are no workers. */
START_TEST(address)
{
	job.interface = _i ? "it's 0" : NULL;
	check_end(START("STAND_IN=exit 0", "ADDRESS="), 7);
	check_said("no address today\n"); /* in the log, although it came from stdout */
	ck_assert(!exists("pid"));
	check_content("asked", _i ? "127.0.0.1 8786 <it's 0>\n" : "127.0.0.1 8786 <>\n");
	check_end(START("STAND_IN=exit 0"), 0);
	ck_assert(exists("pid"));
}
END_TEST

static const struct {
	const char *prologue;
	const char *said;
} bad_prologues[] = {
	{"touch \"$TEST/before\"\nfalse\ntouch \"$TEST/after\"",
		"the prologue failed with exit status 1 at line 2: false"},
	{"touch \"$TEST/before\"; exit 7; touch \"$TEST/after\"",
		"the prologue failed with exit status 7"},
	{"touch \"$TEST/before\"; exit 0", "the prologue failed with exit status 0"},
	{"touch \"$TEST/before\"\n(exit 3) | cat\nmodule load it\ntouch \"$TEST/after\"",
		"the prologue failed with exit status 127 at line 3: module load it"},
	{"touch \"$TEST/before\"\nset -u\necho $nowhere\ntouch \"$TEST/after\"",
		"the prologue failed with exit status "},
	{"touch \"$TEST/before\"\nsource ./not-there\ntouch \"$TEST/after\"",
		"the prologue failed with exit status 1 at line 2: source ./not-there"},
	{"touch \"$TEST/before\"\nit() { true; false; }\n  it now\ntouch \"$TEST/after\"",
		"the prologue failed with exit status 1 at line 3: it now"},
	{"touch \"$TEST/before\"; set +e; false\nset -e; [ -d /not-there ]\n"
	 "touch \"$TEST/after\"",
		"the prologue failed with exit status 1 at line 2: set -e; [ -d /not-there ]"},
	{"touch \"$TEST/before\"\nif true; then", "the prologue failed with exit status "},
};

START_TEST(prologue_fails)
{
	job.prologue = bad_prologues[_i].prologue;
	job.epilogue = "touch \"$TEST/epilogue\"";
	check_end(START("STAND_IN=exit 0"), JOBSCRIPT_EXIT_PROLOGUE);
	check_said(bad_prologues[_i].said);
	ck_assert(exists("before"));
	ck_assert(!exists("after"));
	ck_assert(!exists("pid"));
	ck_assert(!exists("epilogue"));
}
END_TEST

/* Files and functions that the prologue uses are not held to what holds for itself. */
START_TEST(prologue_reads_files)
{
	static const char rc[] =
		"false\nRC=yes\ninner() { false; echo went on >\"$TEST/inner\"; }\n"
		"inner\n[ -e /not-there ] && . /not-there";

	free(unit_file(directory, "rc", rc, strlen(rc)));
	job.prologue = "cd \"$TEST\"\nsource ./rc\nfor i in 1 2; do . \"$TEST/rc\"; done\n"
		       "source <(echo false)\n[ -r rc ] && source rc 2>/dev/null\ninner\n"
		       "export RC\nPATH=$TEST:$PATH\nsource rc";
	check_end(START("STAND_IN=echo \"$RC\" >\"$TEST/rc-was\"; exit 3"), 3);
	check_content("rc-was", "yes\n");
	check_content("inner", "went on\n");
}
END_TEST

/* Whatever a good prologue leaves in the shell: what it exports is for Python. */
START_TEST(prologue)
{
	job.prologue = "export GREETING=\"it's me\"\nset -u\nset +e\nfalse\n"
		       "trap 'echo mine' EXIT TERM ERR\ncd /\nstatus=9 worker=8 job=7 node=6\n"
		       "[ -d \"$DRACO_LOCAL_DIRECTORY\" ]";
	check_end(START("STAND_IN=echo \"$GREETING\" >\"$TEST/greeting\"; exit 3"), 3);
	check_content("greeting", "it's me\n");
}
END_TEST

/* SIGTERM while the prologue runs: it comes to its end, and there are no workers. */
START_TEST(terminate_in_prologue)
{
	pid_t pid;

	job.prologue = "touch \"$TEST/ready\"\n"
		       "while [ ! -e \"$TEST/go\" ]; do sleep 0.01; done";
	pid = START("STAND_IN=exit 0");
	wait_for_file("ready");
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	free(unit_file(directory, "go", "", 0));
	check_end(pid, 0);
	ck_assert(!exists("pid"));
}
END_TEST

/* The epilogue runs when Python is gone, however it ended; local files are there still. Its own
 * end is said and changes nothing. */
START_TEST(epilogue)
{
	static const char *const ends[] = {"exit 0", "exit 1", "exit 4", "kill -KILL $$"};
	static const int statuses[] = {0, 1, 4, 137};
	char *variable = xasprintf("STAND_IN=touch \"$TEST/was\"; %s", ends[_i]);

	job.epilogue =
		"cat \"$DRACO_LOCAL_DIRECTORY/worker-1/storage/key\" >\"$TEST/epilogue\"\n"
		"exit 11";
	check_end(START(variable), statuses[_i]);
	check_content("epilogue", "data\n");
	check_said("the epilogue failed with exit status 11");
	free(variable);
}
END_TEST

/* Arguments that hold what a shell could trip over reach Python as they are. */
START_TEST(options)
{
	static const char *const texts[] = {
		"--resources", "it's=\"$HOME\" `id` *", "", "two\nlines", "\\", "--no-nanny"};
	struct strv list = STRV_INIT;
	char *arguments;

	for (size_t i = 0; i < LENGTH(texts); i++)
		strv_add(&list, texts[i]);
	job.options = &list;
	check_end(START("STAND_IN=exit 0"), 0);
	arguments = content("arguments");
	ck_assert_ptr_nonnull(strstr(arguments,
		"\n--death-timeout\n60\n--resources\nit's=\"$HOME\" `id` *\n\ntwo\nlines\n\\\n"
		"--no-nanny\n"));
	free(arguments);
	strv_finish(&list);
}
END_TEST

/* The number after this option in the command of the workers. */
static int64_t argument(const char *option)
{
	_cleanup_free_ char *arguments = content("arguments");
	const char *found = strstr(arguments, option);

	ck_assert_ptr_nonnull(found);
	return atoll(found + strlen(option) + 1);
}

static int64_t memory_limit(void)
{
	return argument("--memory-limit");
}

/* The job's cores are those of its node: each of the four workers has its share. */
START_TEST(threads)
{
	job.threads = 0;
	check_end(START("STAND_IN=exit 0", "SLURM_CPUS_ON_NODE=18"), 0);
	ck_assert_int_eq(argument("--nthreads"), 4);
	check_end(START("STAND_IN=exit 0", "SLURM_CPUS_ON_NODE=3"), 0);
	ck_assert_int_eq(argument("--nthreads"), 1);
	check_end(START("STAND_IN=exit 0"), 0);
	ck_assert_int_ge(argument("--nthreads"), 1);
}
END_TEST

/* Where the settings do not say how much memory the job has, the node does. */
START_TEST(memory)
{
	int64_t all, share;

	job.bytes = 0;
	check_end(START("STAND_IN=exit 0", "SLURM_MEM_PER_NODE=400"), 0);
	ck_assert_int_eq(memory_limit(), INT64_C(100) << 20);
	check_end(START("STAND_IN=exit 0", "SLURM_MEM_PER_CPU=100", "SLURM_CPUS_ON_NODE=2"), 0);
	ck_assert_int_eq(memory_limit(), INT64_C(50) << 20);
	check_end(START("STAND_IN=exit 0", "SLURM_CPUS_ON_NODE=1"), 0);
	share = memory_limit();
	job.whole_node = true;
	check_end(START("STAND_IN=exit 0", "SLURM_CPUS_ON_NODE=1", "SLURM_MEM_PER_NODE=0"), 0);
	all = memory_limit();
	ck_assert_int_gt(share, 0);
	ck_assert_int_ge(all, share);
	/* more than there is */
	check_end(START("STAND_IN=exit 0", "SLURM_MEM_PER_NODE=1099511627776"), 0);
	ck_assert_int_eq(memory_limit(), all);
}
END_TEST

/* forkserver, but not where the mark says that it did not go well. */
START_TEST(worker_start)
{
	char *mark = xasprintf("%s/it's a mark", directory);

	check_end(START("STAND_IN=exit 0"), 0);
	check_content("method", "spawn\n");
	job.forkserver = true;
	check_end(START("STAND_IN=exit 0"), 0);
	check_content("method", "forkserver\n");
	job.spawn_mark = mark;
	check_end(START("STAND_IN=exit 0"), 0);
	check_content("method", "forkserver\n");
	free(unit_file(directory, "it's a mark", "", 0));
	check_end(START("STAND_IN=exit 0"), 0);
	check_content("method", "spawn\n");
	free(mark);
}
END_TEST

/* Workers are copies of a process that has the variables which Dask sets for them, where no
 * option says that Dask does more than that; the epilogue has none of them. */
START_TEST(worker_copies)
{
	static const char copy[] =
		"-c\nimport os; exec(os.environ.pop(\"DRACO_PROGRAM\"), {})\n"
		"distributed.cli.dask_worker\ntcp://127.0.0.1:8786\n--name\n";
	static const char other[] = "-m\ndistributed.cli.dask_worker\n";
	static const struct {
		bool forkserver;
		const char *option, *beginning, *foreseen;
	} rows[] = {
		{false, "--resources", other, " nothing, 8 \n"},
		{true, "--resources", copy,
			" MALLOC_TRIM_THRESHOLD_ MKL_NUM_THREADS OPENBLAS_NUM_THREADS "
			"PYTHONHASHSEED, 8 1\n"},
		{true, "--no-nanny-please", copy, NULL},
		{true, "--no-nanny", other, " nothing, 8 \n"},
		{true, "--preload-nanny", other, " nothing, 8 \n"},
		{true, "--preload-nanny=x.py", other, NULL},
	};
	struct strv list = STRV_INIT, modules = STRV_INIT;

	strv_add(&modules, "torch");
	strv_add(&modules, "os.path");
	job.preimport = &modules;
	job.options = &list;
	job.epilogue = "echo \"$DRACO_FORESEEN$MKL_NUM_THREADS\" >\"$TEST/after\"";
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char *arguments;

		strv_add(&list, rows[i].option);
		job.forkserver = rows[i].forkserver;
		check_end(START("STAND_IN=exit 0", "OMP_NUM_THREADS=8"), 0);
		arguments = content("arguments");
		ck_assert_msg(
			strncmp(arguments, rows[i].beginning, strlen(rows[i].beginning)) == 0,
			"%s: %s", rows[i].option, arguments);
		free(arguments);
		if (rows[i].foreseen)
			check_content("foreseen", rows[i].foreseen);
		check_content(
			"preimport", rows[i].beginning == copy ? "torch os.path\n" : "\n");
		check_content("after", "\n");
		strv_finish(&list);
	}
	strv_finish(&modules);
}
END_TEST

START_TEST(explain)
{
	ck_assert_ptr_null(jobscript_explain_exit(0));
	ck_assert_ptr_null(jobscript_explain_exit(1));
	ck_assert_ptr_nonnull(
		strstr(jobscript_explain_exit(JOBSCRIPT_EXIT_PROLOGUE), "prologue"));
	ck_assert_ptr_nonnull(strstr(jobscript_explain_exit(JOBSCRIPT_EXIT_PYTHON), "Python"));
	ck_assert_ptr_nonnull(
		strstr(jobscript_explain_exit(JOBSCRIPT_EXIT_DIRECTORY), "local files"));
	ck_assert_ptr_nonnull(
		strstr(jobscript_explain_exit(JOBSCRIPT_EXIT_CERTIFICATE), "certificate"));
	ck_assert_ptr_nonnull(strstr(jobscript_explain_exit(JOBSCRIPT_EXIT_ADDRESS), "reach"));
	ck_assert_ptr_nonnull(
		strstr(jobscript_explain_exit(JOBSCRIPT_EXIT_SCHEDULER), "connect"));
}
END_TEST

START_TEST(workers_may_exit)
{
	static const int by_workers[] = {0, 1, 129, 137, 139};
	static const int by_others[] = {2, 7, JOBSCRIPT_EXIT_PROLOGUE, JOBSCRIPT_EXIT_PYTHON,
		JOBSCRIPT_EXIT_DIRECTORY, JOBSCRIPT_EXIT_CERTIFICATE, JOBSCRIPT_EXIT_ADDRESS,
		JOBSCRIPT_EXIT_SCHEDULER, 126, 127};

	for (size_t i = 0; i < LENGTH(by_workers); i++)
		ck_assert(jobscript_workers_may_exit(by_workers[i]));
	for (size_t i = 0; i < LENGTH(by_others); i++)
		ck_assert(!jobscript_workers_may_exit(by_others[i]));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("jobscript: parts");
	TCase *tcase = tcase_create("parts");

	tcase_add_checked_fixture(tcase, jobscript_setup, jobscript_teardown);
	tcase_add_test(tcase, no_python);
	tcase_add_test(tcase, command);
	tcase_add_test(tcase, no_distributed);
	tcase_add_test(tcase, no_place_for_local_files);
	tcase_add_test(tcase, certificate);
	tcase_add_loop_test(tcase, address, 0, 2);
	tcase_add_loop_test(tcase, prologue_fails, 0, LENGTH(bad_prologues));
	tcase_add_test(tcase, prologue_reads_files);
	tcase_add_test(tcase, prologue);
	tcase_add_test(tcase, terminate_in_prologue);
	tcase_add_loop_test(tcase, epilogue, 0, 4);
	tcase_add_test(tcase, options);
	tcase_add_test(tcase, threads);
	tcase_add_test(tcase, memory);
	tcase_add_test(tcase, worker_start);
	tcase_add_test(tcase, worker_copies);
	tcase_add_test(tcase, explain);
	tcase_add_test(tcase, workers_may_exit);
	suite_add_tcase(suite, tcase);
	return suite;
}
