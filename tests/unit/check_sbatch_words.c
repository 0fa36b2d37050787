/* check_sbatch_words.c: tests of common/sbatch_words.c: the words of each version of sbatch. */
#include "unit.h"

#include "common/sbatch_words.h"

static const struct {
	const char *words, *text, *reason;
	time_t start;
	enum sbatch_reason means;
} rows[] = {
	{"", "", NULL, 0, SBATCH_REASON_ANSWER},
	/* a prediction */
	{"sbatch: Job 2 to start at 1796004408 using 1 processors on nodes n1 in partition s\n",
		"", NULL, 1796004408, SBATCH_REASON_ANSWER},
	{"sbatch: Job 2 to start at N/A using 1 processors on nodes n1\n", "", NULL, 0,
		SBATCH_REASON_ANSWER},
	{"sbatch: welcome, you have 3 hours left\n"
	 "sbatch: Job 2 to start at 1796004408 using 1 processors on nodes n1 in partition s\n",
		"welcome, you have 3 hours left", NULL, 1796004408, SBATCH_REASON_ANSWER},
	/* refusals */
	{"sbatch: error: invalid partition specified: nix\n"
	 "allocation failure: Invalid partition name specified\n",
		"invalid partition specified: nix\nInvalid partition name specified",
		"Invalid partition name specified", 0, SBATCH_REASON_ANSWER},
	{"sbatch: error: line one\nsbatch: error: line two\n"
	 "sbatch: error: Batch job submission failed: Unspecified error\n",
		"line one\nline two", "Unspecified error", 0, SBATCH_REASON_ANSWER},
	{"sbatch: error: Batch job submission failed: Unspecified error\n", "Unspecified error",
		"Unspecified error", 0, SBATCH_REASON_ANSWER},
	{"sbatch: unrecognized option '--nonsense'\nTry \"sbatch --help\" for more information\n",
		"unrecognized option '--nonsense'", NULL, 0, SBATCH_REASON_ANSWER},
	{"sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job "
	 "submit limit, user's size and/or time limits)\n",
		"Job violates accounting/QOS policy (job submit limit, user's size and/or time "
		"limits)",
		"Job violates accounting/QOS policy (job submit limit, user's size and/or time "
		"limits)",
		0, SBATCH_REASON_ANSWER},
	{"sbatch: error: Batch job submission failed: Operation not permitted\n",
		"Operation not permitted", "Operation not permitted", 0, SBATCH_REASON_ANSWER},
	/* no answer */
	{"sbatch: error: Batch job submission failed: Unable to contact slurm controller "
	 "(connect failure)\n",
		"Unable to contact slurm controller (connect failure)",
		"Unable to contact slurm controller (connect failure)", 0,
		SBATCH_REASON_NOT_REACHED},
	{"sbatch: error: Batch job submission failed: Unable to contact slurm controller "
	 "(receive failure)\n",
		"Unable to contact slurm controller (receive failure)",
		"Unable to contact slurm controller (receive failure)", 0, SBATCH_REASON_LOST},
	{"sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n",
		"Socket timed out on send/recv operation",
		"Socket timed out on send/recv operation", 0, SBATCH_REASON_LOST},
	{"sbatch: error: Batch job submission failed: Connection reset by peer\n",
		"Connection reset by peer", "Connection reset by peer", 0, SBATCH_REASON_LOST},
	{"sbatch: error: Batch job submission failed: Resource temporarily unavailable\n",
		"Resource temporarily unavailable", "Resource temporarily unavailable", 0,
		SBATCH_REASON_BUSY},
	{"sbatch: error: Batch job submission failed: Resource temporarily unavailable for job 2\n",
		"Resource temporarily unavailable for job 2",
		"Resource temporarily unavailable for job 2", 0, SBATCH_REASON_BUSY},
	{"sbatch: error: Munge encode failed: Failed to access \"/run/munge\"\n"
	 "sbatch: error: Batch job submission failed: Protocol authentication error\n",
		"Munge encode failed: Failed to access \"/run/munge\"\nProtocol authentication "
		"error",
		"Protocol authentication error", 0, SBATCH_REASON_UNUSABLE},
	{"sbatch: fatal: Could not establish a configuration source\n",
		"Could not establish a configuration source", NULL, 0, SBATCH_REASON_UNUSABLE},
	/* a busy slurmctld that took the job in the end */
	{"sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n", "",
		NULL, 0, SBATCH_REASON_ANSWER},
};

START_TEST(read_words)
{
	char *given = unit_tight(rows[_i].words, strlen(rows[_i].words) + 1);
	struct sbatch_words words;

	sbatch_words_read(given, &words);
	ck_assert_str_eq(words.text, rows[_i].text);
	ck_assert_pstr_eq(words.reason, rows[_i].reason);
	ck_assert_int_eq(words.start, rows[_i].start);
	ck_assert_int_eq(sbatch_reason_find(&words), rows[_i].means);
	sbatch_words_finish(&words);
	free(given);
}
END_TEST

START_TEST(busy)
{
	ck_assert(sbatch_words_tell_busy(
		"sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying.\n"));
	ck_assert(sbatch_words_tell_busy(
		"sbatch: error: Slurm job queue full, sleeping and retrying\n"));
	ck_assert(sbatch_words_tell_busy(
		"sbatch: Job step creation temporarily disabled, retrying\n"));
	ck_assert(!sbatch_words_tell_busy("sbatch: error: the site is busy\n"));
}
END_TEST

START_TEST(job_id)
{
	static const struct {
		const char *out;
		uint32_t id;
	} ids[] = {{"42\n", 42}, {"42;cluster\n", 42}, {"", 0}, {"\n", 0}, {"x42\n", 0},
		{"42x\n", 0}, {"4294967296\n", 0}, {"Your quota is fine\n42\n", 42},
		{"-1\n", 0}, {"0\n", 0}};

	for (size_t i = 0; i < LENGTH(ids); i++)
		ck_assert_uint_eq(sbatch_job_id(ids[i].out), ids[i].id);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("words of sbatch");
	TCase *tcase = tcase_create("words");

	tcase_add_loop_test(tcase, read_words, 0, LENGTH(rows));
	tcase_add_test(tcase, busy);
	tcase_add_test(tcase, job_id);
	suite_add_tcase(suite, tcase);
	return suite;
}
