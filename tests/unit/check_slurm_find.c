/* check_slurm_find.c: tests of common/slurm_find.c. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/slurm_find.h"

static char *directory;
static char *alpha, *beta;

static char *write_conf(const char *name, const char *cluster)
{
	char *text = xasprintf("ClusterName=%s\nSlurmctldHost=head-%s\n", cluster, cluster);
	char *path = unit_file(directory, name, text, strlen(text));

	free(text);
	return path;
}

static void setup(void)
{
	directory = unit_directory();
	alpha = write_conf("alpha.conf", "alpha");
	beta = write_conf("beta.conf", "beta");
}

static void teardown(void)
{
	free(alpha);
	free(beta);
	free(directory);
}

static void find(json_t *environment, const char *const *places, struct slurm_found *ret)
{
	ck_assert_int_eq(slurm_find(environment, directory, places, ret, NULL), 0);
	json_decref(environment);
}

static void expect(struct slurm_found *found, const char *meant)
{
	struct slurm_site site;

	slurm_found_meant(found, &site);
	if (meant)
		ck_assert_str_eq(site.cluster, meant);
	else
		ck_assert_ptr_null(site.cluster);
	slurm_site_finish(&site);
	slurm_found_finish(found);
}

START_TEST(by_variable)
{
	const char *places[] = {beta, NULL};
	struct slurm_found found;

	find(json_pack("{s:s}", "SLURM_CONF", alpha), places, &found);
	ck_assert_str_eq(found.conf, alpha);
	ck_assert_str_eq(found.site.controllers.item[0], "head-alpha:6817");
	expect(&found, "alpha");
	/* one that begins elsewhere has no lasting meaning */
	find(json_pack("{s:s}", "SLURM_CONF", "alpha.conf"), places, &found);
	ck_assert_ptr_null(found.key);
	expect(&found, "alpha");
	/* libslurm would not look elsewhere either */
	find(json_pack("{s:s}", "SLURM_CONF", "/no/such/file"), places, &found);
	ck_assert_str_eq(found.conf, "/no/such/file");
	expect(&found, NULL);
	find(json_pack("{s:s}", "SLURM_CONF", ""), places, &found);
	expect(&found, "beta");
}
END_TEST

START_TEST(by_place)
{
	const char *places[] = {"/no/such/one", beta, alpha, NULL};
	const char *others[] = {"/no/such/one", "/no/such/two", alpha, NULL};
	const char *none[] = {"/no/such/one", NULL};
	struct slurm_found found;

	find(json_object(), places, &found);
	ck_assert_str_eq(found.conf, beta);
	expect(&found, "beta");
	find(json_object(), others, &found);
	expect(&found, "alpha");
	find(json_object(), none, &found);
	ck_assert_ptr_null(found.conf);
	ck_assert_ptr_null(found.server);
	expect(&found, NULL);
}
END_TEST

START_TEST(by_server)
{
	const char *places[] = {"/no/such/one", "/no/such/two", alpha, NULL};
	const char *files[] = {"/no/such/one", beta, NULL};
	struct slurm_found found;

	/* It comes after the places where libslurm looks, and before the others. */
	find(json_pack("{s:s}", "SLURM_CONF_SERVER", "head:1"), places, &found);
	ck_assert_str_eq(found.server, "head:1");
	ck_assert_ptr_null(found.conf);
	expect(&found, NULL);
	find(json_pack("{s:s}", "SLURM_CONF_SERVER", "head:1"), files, &found);
	ck_assert_ptr_null(found.server);
	expect(&found, "beta");
}
END_TEST

static const struct {
	const char *variable, *value, *meant, *error;
} clusters[] = {
	{"SLURM_CLUSTERS", "alpha", "alpha", NULL},
	{"SLURM_CLUSTERS", "Alpha", "alpha", NULL},
	{"SLURM_CLUSTERS", "", "alpha", NULL},
	{"SLURM_CLUSTERS", "gamma", "gamma",
		"SLURM_CLUSTERS=gamma asks for another Slurm cluster than alpha"},
	{"SBATCH_CLUSTERS", "gamma", "gamma",
		"SBATCH_CLUSTERS=gamma asks for another Slurm cluster than alpha"},
};

START_TEST(other_cluster)
{
	const char *places[] = {alpha, NULL};
	struct err err = ERR_INIT;
	struct slurm_found found;

	find(json_pack("{s:s}", clusters[_i].variable, clusters[_i].value), places, &found);
	ck_assert_int_eq(
		slurm_found_check_start(&found, &err), clusters[_i].error ? -ENOTSUP : 0);
	if (clusters[_i].error)
		unit_assert_err(&err, -ENOTSUP, clusters[_i].error);
	expect(&found, clusters[_i].meant);
}
END_TEST

START_TEST(other_cluster_of_unknown)
{
	const char *none[] = {"/no/such/one", NULL};
	struct slurm_found found;

	/* Nobody can tell here whether it is another one: slurmctld will. */
	find(json_pack("{s:s}", "SLURM_CLUSTERS", "gamma"), none, &found);
	ck_assert_int_eq(slurm_found_check_start(&found, NULL), 0);
	expect(&found, "gamma");
}
END_TEST

static const char *const several[] = {"alpha,beta", "all", "ALL", "alpha,"};

START_TEST(several_clusters)
{
	json_t *environment = json_pack("{s:s}", "SLURM_CLUSTERS", several[_i]);
	const char *places[] = {alpha, NULL};
	struct err err = ERR_INIT;
	struct slurm_found found;

	ck_assert_int_eq(slurm_find(environment, directory, places, &found, &err), -ENOTUNIQ);
	unit_assert_err(&err, -ENOTUNIQ, several[_i]);
	unit_assert_err(&err, -ENOTUNIQ, "names several Slurm clusters");
	slurm_found_finish(&found);
	json_decref(environment);
}
END_TEST

/* Whatever decides makes another key, and nothing else does. */
START_TEST(keys)
{
	static const char *const names[] = {
		"SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SBATCH_CLUSTERS"};
	const char *places[] = {"/no/such/one", NULL};
	struct slurm_found plain, same, other;

	find(json_object(), places, &plain);
	find(json_pack("{s:s, s:s}", "HOME", "/x", "SLURM_JOB_ID", "7"), places, &same);
	ck_assert(json_equal(plain.key, same.key));
	for (size_t i = 0; i < LENGTH(names); i++) {
		find(json_pack("{s:s}", names[i], "/x"), places, &other);
		ck_assert(!json_equal(plain.key, other.key));
		slurm_found_finish(&other);
	}
	slurm_found_finish(&plain);
	slurm_found_finish(&same);
}
END_TEST

START_TEST(own_environment)
{
	const char *places[] = {"/no/such/one", NULL};
	struct slurm_found found;

	setenv("SLURM_CONF", beta, 1);
	unsetenv("SLURM_CLUSTERS");
	unsetenv("SBATCH_CLUSTERS");
	ck_assert_int_eq(slurm_find(NULL, NULL, places, &found, NULL), 0);
	expect(&found, "beta");
	ck_assert_int_eq(chdir(directory), 0);
	setenv("SLURM_CONF", "alpha.conf", 1);
	ck_assert_int_eq(slurm_find(NULL, NULL, places, &found, NULL), 0);
	expect(&found, "alpha");
	ck_assert_int_eq(chdir("/"), 0);
	unsetenv("SLURM_CONF");
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slurm_find");
	TCase *tcase = tcase_create("slurm_find");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, by_variable);
	tcase_add_test(tcase, by_place);
	tcase_add_test(tcase, by_server);
	tcase_add_loop_test(tcase, other_cluster, 0, LENGTH(clusters));
	tcase_add_test(tcase, other_cluster_of_unknown);
	tcase_add_loop_test(tcase, several_clusters, 0, LENGTH(several));
	tcase_add_test(tcase, keys);
	tcase_add_test(tcase, own_environment);
	suite_add_tcase(suite, tcase);
	return suite;
}
