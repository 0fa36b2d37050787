/* check_slurm_conf.c: tests of common/slurm_conf.c. */
#include "unit.h"

#include "common/alloc.h"
#include "common/slurm_conf.h"
#include "common/slurm_site.h"
#include "mutate.h"

/* Files as pairs of path and text. */
static char *read_pairs(void *arg, const char *path)
{
	for (const char *const *file = arg; *file; file += 2)
		if (strcmp(file[0], path) == 0)
			return xstrdup(file[1]);
	return NULL;
}

static char *summary(const struct slurm_site *site)
{
	char *list = strv_join(&site->controllers, " ");
	char *text = xasprintf("%s: %s", site->cluster ? site->cluster : "-", list);

	free(list);
	return text;
}

#define MAIN "/etc/slurm/slurm.conf"

static const struct {
	const char *expected;
	const char *files[9];
} cases[] = {
	{"alpha: head:6817", {MAIN, "ClusterName=alpha\nSlurmctldHost=head\n"}},
	{"alpha: head:7000",
		{MAIN, "SlurmctldPort=7000\nSlurmctldHost=head\nClusterName=alpha"}},
	/* keys in any case, blanks, quotes, several on a line, comments, CRLF */
	{"alpha: head:6817", {MAIN, "clustername=Alpha\r\nSLURMCTLDHOST=head\r\n"}},
	{"alpha: head:6817",
		{MAIN, "  ClusterName = alpha\t SlurmctldHost =\"head\" # is it\n"}},
	{"alpha: head:6817",
		{MAIN, "ClusterName=alpha#beta\nSlurmctldHost=head\n#ClusterName=c\n"}},
	{"alpha: head:6817",
		{MAIN, "ClusterName=beta\nClusterName=alpha\nSlurmctldHost=head\n"}},
	/* hosts: an address is a host, too, but a loopback one says nothing */
	{"alpha: head:6817 10.0.0.1:6817",
		{MAIN, "ClusterName=alpha\nSlurmctldHost=head(10.0.0.1)\n"}},
	{"alpha: head:6817", {MAIN, "ClusterName=alpha\nSlurmctldHost=head(127.0.0.1)\n"}},
	{"alpha: one:6817 two:6817",
		{MAIN, "ClusterName=alpha\nSlurmctldHost=one\nSlurmctldHost=two\n"}},
	{"alpha: one:6817 two:6817 10.1.1.1:6817",
		{MAIN, "ClusterName=alpha\nControlMachine=one,two\nControlAddr=10.1.1.1\n"}},
	{"alpha: one:6817 two:6817",
		{MAIN, "ClusterName=alpha\nControlMachine=one\nBackupController=two\n"}},
	{"alpha: vip:6817 one:6817",
		{MAIN, "ClusterName=alpha\nSlurmctldAddr=vip\nSlurmctldHost=one\n"}},
	{"alpha: head:6820",
		{MAIN, "ClusterName=alpha\nSlurmctldHost=head\nSlurmctldPort=6820-6829\n"}},
	/* lines that go on */
	{"alpha: head:6817", {MAIN, "ClusterName=\\\nalpha\nSlurmctld\\\nHost=head\n"}},
	{"alpha: head:6817", {MAIN, "ClusterName=alpha \\  \n SlurmctldHost=head\n"}},
	{"alpha: head:6817",
		{MAIN,
			"NodeName=n[1-4] \\\n CPUs=2 \\\n RealMemory=1\nClusterName=alpha\n"
			"SlurmctldHost=head\n"}},
	{"alpha: head:6817", {MAIN, "ClusterName=alpha\nSlurmctldHost=head \\"}},
	{"al\\#pha: head:6817", {MAIN, "ClusterName=al\\#pha\nSlurmctldHost=head\n"}},
	/* other files */
	{"alpha: head:6817",
		{MAIN, "Include /x/more\nSlurmctldHost=head\n", "/x/more",
			"ClusterName=alpha\n"}},
	{"alpha: head:6817",
		{MAIN, "include\tmore \nSlurmctldHost=head\n", "/etc/slurm/more",
			"ClusterName=alpha\n"}},
	{"alpha: head:6817",
		{MAIN, "include a\nSlurmctldHost=head\n", "/etc/slurm/a", "include sub/b\n",
			"/etc/slurm/sub/b", "include c\n", "/etc/slurm/c",
			"ClusterName=alpha\n"}},
	{"alpha: head:6817",
		{MAIN, "ClusterName=alpha\nInclude ctl-%c.conf\n", "/etc/slurm/ctl-alpha.conf",
			"SlurmctldHost=head\n"}},
	{"alpha: head:6817",
		{MAIN, "ClusterName=alpha\nInclude nowhere\nSlurmctldHost=head\n"}},
	{"alpha: head:6817",
		{MAIN, "ClusterName=alpha\nSlurmctldHost=head\nInclude slurm.conf\n"}},
	/* what is not there, or nothing */
	{"-: ", {NULL}},
	{"-: ", {MAIN, ""}},
	{"-: ", {MAIN, "SlurmctldHost=head\n"}},
	{"alpha: ", {MAIN, "ClusterName=alpha\n"}},
	{"-: ", {MAIN, "ClusterName=\"alpha\nSlurmctldHost=head\n"}},
	{"-: ", {MAIN, "ClusterName\nClusterName alpha\n=alpha\n===\n\"\n"}},
	{"alpha: head:6817",
		{MAIN, "GarbageWithout = \nSlurmctldHost=head\nClusterName=alpha\n"}},
	{"-: ", {MAIN, "IncludeClusterName=alpha\nXClusterName=alpha\n"}},
};

START_TEST(parse)
{
	struct slurm_site site;
	char *text;

	slurm_conf_parse(MAIN, read_pairs, UNCONST(cases[_i].files), &site);
	text = summary(&site);
	ck_assert_str_eq(text, cases[_i].expected);
	free(text);
	slurm_site_finish(&site);
}
END_TEST

/* Each includes two others: without a limit that would not end. */
static char *read_endless(void *arg, const char *path)
{
	(*(int *)arg)++;
	return xasprintf("Include %s1\nInclude %s2\n", path, path);
}

START_TEST(endless)
{
	struct slurm_site site;
	int files = 0;

	slurm_conf_parse("/f", read_endless, &files, &site);
	ck_assert(!slurm_site_is_known(&site));
	ck_assert_int_gt(files, 8);
	ck_assert_int_le(files, 64);
	slurm_site_finish(&site);
}
END_TEST

START_TEST(from_disk)
{
	static const char text[] = "Include more.conf\nSlurmctldHost=head\n";
	static const char more[] = "ClusterName=alpha\n";
	char *directory = unit_directory();
	char *path = unit_file(directory, "slurm.conf", text, strlen(text));
	char *other = unit_file(directory, "more.conf", more, strlen(more));
	struct slurm_site site;
	char *is;

	slurm_conf_load(path, &site);
	is = summary(&site);
	ck_assert_str_eq(is, "alpha: head:6817");
	slurm_site_finish(&site);
	slurm_conf_load(directory, &site);
	ck_assert(!slurm_site_is_known(&site));
	slurm_conf_load("/no/such/slurm.conf", &site);
	ck_assert(!slurm_site_is_known(&site));
	free(is);
	free(path);
	free(other);
	free(directory);
}
END_TEST

struct mutant {
	const char *bytes;
	size_t length;
	int reads;
};

static char *read_mutant(void *arg, const char *path)
{
	struct mutant *mutant = arg;

	(void)path;
	return ++mutant->reads > 3 ? NULL : xstrndup(mutant->bytes, mutant->length);
}

START_TEST(mutated)
{
	static const char *const words[] = {"Include ",
		"ClusterName=", "SlurmctldHost=", "\\\n", "#", "\"", "=", "(", "%c", "\n",
		NULL};
	static const char text[] = "ClusterName=alpha # name\nSlurmctldHost=head(10.0.0.1) \\\n"
				   " SlurmctldPort=\"6817\"\nInclude more-%c.conf\n";
	struct mutator mutator;

	mutator_init(&mutator, 11, words);
	for (int i = 0; i < unit_rounds(20000); i++) {
		struct mutant mutant = {0};
		struct slurm_site site;
		char *bytes = mutate(&mutator, text, strlen(text), &mutant.length);

		mutant.bytes = bytes;
		slurm_conf_parse(MAIN, read_mutant, &mutant, &site);
		unit_require(!site.cluster || strlen(site.cluster) <= SLURM_SITE_CLUSTER_MAX);
		slurm_site_finish(&site);
		free(bytes);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slurm_conf");
	TCase *tcase = tcase_create("slurm_conf");

	tcase_add_loop_test(tcase, parse, 0, LENGTH(cases));
	tcase_add_test(tcase, endless);
	tcase_add_test(tcase, from_disk);
	tcase_add_test(tcase, mutated);
	suite_add_tcase(suite, tcase);
	return suite;
}
