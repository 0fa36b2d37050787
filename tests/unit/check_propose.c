/* check_propose.c: tests of client/propose.c: settings that fit what Slurm tells of a site. */
#include "unit.h"

#include "client/propose.h"
#include "common/json.h"

#define SHORT(size)                                                                               \
	"{\"name\":\"short\",\"state\":\"up\",\"start\":1,\"max_time_s\":7200,\"usable\":2," size \
	"}"
#define BATCH(size)                                                          \
	"{\"name\":\"batch\",\"default\":true,\"state\":\"up\",\"start\":1," \
	"\"max_time_s\":-1,\"usable\":9," size "}"
#define LONG(size)                                                                               \
	"{\"name\":\"long\",\"state\":\"up\",\"start\":1,\"max_time_s\":3600,\"usable\":3," size \
	"}"
#define LIMITED(name, limit, size)                                                  \
	"{\"name\":\"" name "\",\"state\":\"up\",\"start\":1,\"max_time_s\":" limit \
	",\"usable\":3," size "}"
#define HOUR(size)     LIMITED("short", "3600", size)
#define HALF(size)     LIMITED("standard", "3000", size)
#define STANDARD(size) LIMITED("standard", "86400", size)
#define REFUSING       "{\"name\":\"standard\",\"state\":\"up\",\"refused\":\"no account\"}"
#define LARGE	       "\"cores\":64,\"memory_mib\":262144"
#define SMALL	       "\"cores\":8,\"memory_mib\":16000"

/* Of the settings' defaults: 20 processes, 40 cores, 80 GiB, 01:30:00 in short and standard. */
static const struct {
	const char *partitions;
	const char *proposed; /* "setting=value (reason)|..." */
	const char *hindrance;
} sites[] = {
	{"[" SHORT(LARGE) "," REFUSING "]", "queues_to_try=[short] (standard: no account)",
		NULL},
	{"[" SHORT(LARGE) ",{\"name\":\"standard\",\"state\":\"drain\",\"start\":1}]",
		"queues_to_try=[short] (standard: it takes no jobs)", NULL},
	/* What is proposed fits in each partition that stays. */
	{"[" HOUR(LARGE) "," STANDARD(LARGE) "]",
		"queues_to_try=[standard] (short: its time limit is 01:00:00, and the walltime is "
		"01:30:00)",
		NULL},
	{"[" HOUR(LARGE) "," HALF(LARGE) "]",
		"queues_to_try=[short] (standard: its time limit is 00:50:00, and the walltime is "
		"01:00:00)|walltime=01:00:00 (jobs in short may run that long)",
		NULL},
	{"[" SHORT(SMALL) "," STANDARD(LARGE) "]",
		"queues_to_try=[standard] (short: its largest node has 8 cores)", NULL},
	{"[" SHORT("\"cores\":64,\"memory_mib\":40960") "," STANDARD(
		 "\"cores\":96,"
		 "\"memory_mib\":262144") "]",
		"queues_to_try=[standard] (short: its largest node has 40 GiB of memory)",
		NULL},
	{"[" HOUR(LARGE) "," STANDARD(SMALL) "]",
		"queues_to_try=[standard] (short: its time limit is 01:00:00, and the walltime is "
		"01:30:00)|cores=8 (the largest node of standard has 8 cores)|processes=8 (each "
		"worker has 1 of these cores)|memory=15 GiB (the share of 8 cores of a node with "
		"8 cores and 16000 MiB)",
		NULL},
	{"[" LONG(LARGE) "," BATCH(LARGE) "]",
		"queues_to_try=[batch] (Slurm's default partition here; others that take your "
		"jobs: long)",
		NULL},
	{"[" LONG(LARGE) ",{\"name\":\"gpu\",\"state\":\"up\",\"start\":1,\"usable\":2}]",
		"queues_to_try=[long] (of the partitions that take your jobs it has the most "
		"nodes; others that take your jobs: gpu)|walltime=01:00:00 (jobs in long may run "
		"that long)",
		NULL},
	{"[" BATCH(SMALL) "]",
		"queues_to_try=[batch] (Slurm's default partition here)|cores=8 (the largest node "
		"of batch has 8 cores)|processes=8 (each worker has 1 of these cores)|"
		"memory=15 GiB (the share of 8 cores of a node with 8 cores and 16000 MiB)",
		NULL},
	{"[" BATCH("\"cores\":30,\"memory_mib\":1") "]",
		"queues_to_try=[batch] (Slurm's default partition here)|cores=30 (the largest node "
		"of batch has 30 cores)|processes=15 (each worker has 2 of these cores)|"
		"memory=none (Slurm does not know the memory of the nodes of batch)",
		NULL},
	{"[" BATCH("\"cores\":128,\"memory_mib\":65536") "]",
		"queues_to_try=[batch] (Slurm's default partition here)|memory=20 GiB (the share "
		"of 40 cores of a node with 128 cores and 64 GiB)",
		NULL},
	/* Nodes that are not visible, such as those of a cloud. */
	{"[" BATCH("\"cores\":0,\"memory_mib\":0") "]",
		"queues_to_try=[batch] (Slurm's default partition here)", NULL},
	{"[" REFUSING ",{\"name\":\"x\",\"state\":\"up\"}]", "",
		"no partition takes a job of yours; short: there is no such partition; standard: "
		"no account"},
	{"[]", "",
		"no partition takes a job of yours; short: there is no such partition; standard: "
		"there is no such partition"},
};

static char *format(const struct proposals *proposals)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	for (size_t i = 0; i < proposals->count; i++)
		fprintf(file, "%s%s=%s (%s)", i > 0 ? "|" : "",
			settings_table[proposals->item[i].id].name, proposals->item[i].value,
			proposals->item[i].reason);
	fclose(file);
	return text;
}

START_TEST(sites_that_are_not_like_the_defaults)
{
	json_t *partitions = json_loads(sites[_i].partitions, 0, NULL);
	struct proposals proposals;
	struct settings settings;
	char *text;

	ck_assert_ptr_nonnull(partitions);
	settings_init(&settings);
	propose(partitions, &settings, &proposals);
	text = format(&proposals);
	ck_assert_str_eq(text, sites[_i].proposed);
	ck_assert_pstr_eq(proposals.hindrance, sites[_i].hindrance);
	free(text);
	proposals_finish(&proposals);
	settings_finish(&settings);
	json_decref(partitions);
}
END_TEST

/* What fits is left as it is, and where the site chooses, no partition is proposed. */
START_TEST(what_fits_stays)
{
	json_t *partitions = json_loads("[" SHORT(LARGE) "]", 0, NULL);
	struct proposals proposals;
	struct settings settings;

	settings_init(&settings);
	strv_finish(&settings.queues_to_try);
	for (int named = 0; named < 2; named++) {
		propose(partitions, &settings, &proposals);
		ck_assert_uint_eq(proposals.count, 0);
		ck_assert_ptr_null(proposals.hindrance);
		ck_assert_ptr_null(proposals_find(&proposals, SETTING_CORES));
		proposals_finish(&proposals);
		strv_add(&settings.queues_to_try, "short");
	}
	settings_finish(&settings);
	json_decref(partitions);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("propose");
	TCase *tcase = tcase_create("propose");

	tcase_add_loop_test(tcase, sites_that_are_not_like_the_defaults, 0, LENGTH(sites));
	tcase_add_test(tcase, what_fits_stays);
	suite_add_tcase(suite, tcase);
	return suite;
}
