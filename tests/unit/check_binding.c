/* check_binding.c: tests of daemon/slurm/binding.c: one dracod, one directory, one Slurm. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/paths.h"
#include "daemon/io/instance.h"
#include "daemon/slurm/binding.h"

static char *home, *alpha, *beta;

static char *write_conf(const char *name, const char *cluster)
{
	char *text = xasprintf("ClusterName=%s\nSlurmctldHost=head-%s\n", cluster, cluster);
	char *path = unit_file(home, name, text, strlen(text));

	free(text);
	return path;
}

static void setup(void)
{
	char *run;

	home = unit_directory();
	run = xasprintf("%s/run", home);
	mkdir(run, 0700);
	setenv("HOME", home, 1);
	setenv("XDG_RUNTIME_DIR", run, 1);
	unsetenv("XDG_STATE_HOME");
	unsetenv("SLURM_CONF_SERVER");
	unsetenv("SLURM_CLUSTERS");
	unsetenv("SBATCH_CLUSTERS");
	alpha = write_conf("alpha.conf", "alpha");
	beta = write_conf("beta.conf", "beta");
	setenv("SLURM_CONF", alpha, 1);
	free(run);
}

static void teardown(void)
{
	unsetenv("SLURM_CONF");
	free(home);
	free(alpha);
	free(beta);
}

struct one {
	struct binding *binding;
	struct paths paths;
	struct tenure *tenure;
	struct err err;
};

static void occupy(struct one *one, const char *name, bool exact, json_t *slurm)
{
	*one = (struct one){0};
	one->binding = binding_occupy(name, exact, slurm, &one->paths, &one->tenure, &one->err);
	json_decref(slurm);
}

static void leave(struct one *one)
{
	instance_release(one->tenure);
	binding_destroy(one->binding);
	paths_finish(&one->paths);
}

/* A file in the state directory. */
static char *put(const struct one *one, const char *file, const char *text)
{
	return unit_file(one->paths.state_dir, file, text, strlen(text));
}

static void expect(const struct one *one, const char *name, const char *cluster)
{
	ck_assert_msg(one->binding != NULL, "%s", one->err.text);
	ck_assert_str_eq(one->paths.name, name);
	if (cluster)
		ck_assert_str_eq(binding_cluster(one->binding), cluster);
	else
		ck_assert_ptr_null(binding_cluster(one->binding));
}

START_TEST(first)
{
	struct one one, other;

	occupy(&one, "n", false, NULL);
	expect(&one, "n", "alpha");
	setenv("SLURM_CONF", beta, 1);
	occupy(&other, "n", false, NULL);
	expect(&other, "n@beta", "beta");
	leave(&other);
	leave(&one);
	/* Each finds its own again. */
	occupy(&other, "n", false, NULL);
	expect(&other, "n@beta", "beta");
	setenv("SLURM_CONF", alpha, 1);
	occupy(&one, "n", false, NULL);
	expect(&one, "n", "alpha");
	leave(&one);
	leave(&other);
}
END_TEST

START_TEST(runs_already)
{
	struct one one, other;

	occupy(&one, "n", false, NULL);
	occupy(&other, "n", false, NULL);
	ck_assert_ptr_null(other.binding);
	unit_assert_err(&other.err, -EBUSY, "runs already");
	leave(&other);
	leave(&one);
}
END_TEST

START_TEST(nothing_left)
{
	struct one one;
	char *nodes, *pauses;

	occupy(&one, "n", false, NULL);
	nodes = put(&one, "nodes.json", "{}");
	pauses = put(&one, "pauses.json", "{}");
	free(put(&one, "state.json", "{\"version\": 1, \"clusters\": []}"));
	leave(&one);
	setenv("SLURM_CONF", beta, 1);
	occupy(&one, "n", false, NULL);
	expect(&one, "n", "beta");
	ck_assert_int_lt(access(nodes, F_OK), 0); /* of the other Slurm */
	ck_assert_int_eq(access(pauses, F_OK), 0);
	leave(&one);
	free(nodes);
	free(pauses);
}
END_TEST

START_TEST(jobs_left)
{
	struct one one;
	char *state, *kept;

	occupy(&one, "n", false, NULL);
	state = put(&one, "state.json", "{\"version\": 1, \"clusters\": [\"1a2b3c4d\"]}");
	leave(&one);
	setenv("SLURM_CONF", beta, 1);
	occupy(&one, "n", false, NULL);
	expect(&one, "n@beta", "beta");
	leave(&one);
	/* Who was told to take it nevertheless does not. */
	occupy(&one, "n", true, json_pack("{s:s}", "cluster", "beta"));
	ck_assert_ptr_null(one.binding);
	ck_assert_ptr_null(one.tenure);
	unit_assert_err(
		&one.err, -EAGAIN, "has just been taken for the Slurm cluster \"alpha\"");
	leave(&one);
	kept = unit_read(state);
	ck_assert_str_eq(kept, "{\"version\": 1, \"clusters\": [\"1a2b3c4d\"]}");
	free(kept);
	free(state);
}
END_TEST

START_TEST(exact)
{
	struct one one;

	occupy(&one, "n@beta", true, json_pack("{s:s}", "cluster", "beta"));
	expect(&one, "n@beta", "beta");
	leave(&one);
	/* What the one who starts it does not know it does not guess. */
	occupy(&one, "m", true, json_null());
	expect(&one, "m", "alpha");
	leave(&one);
}
END_TEST

START_TEST(not_known)
{
	json_t *told = json_pack("{s:s, s:[s]}", "cluster", "gamma", "controllers", "g:1");
	json_t *expected;
	struct one one;

	setenv("SLURM_CONF", "/no/such/slurm.conf", 1);
	occupy(&one, "n", false, NULL);
	expect(&one, "n", NULL);
	ck_assert_ptr_null(binding_expected(one.binding, true));
	binding_told(one.binding, told);
	expect(&one, "n", "gamma");
	ck_assert_ptr_null(binding_expected(one.binding, false));
	leave(&one);
	/* Only slurmctld can say whether it is the one where jobs are left. */
	occupy(&one, "n", false, NULL);
	expect(&one, "n", "gamma");
	expected = binding_expected(one.binding, true);
	ck_assert(json_equal(expected, told));
	json_decref(expected);
	/* Where nothing is, it may be another one. */
	json_object_set_new(told, "cluster", json_string("delta"));
	binding_told(one.binding, told);
	expect(&one, "n", "delta");
	leave(&one);
	json_decref(told);
}
END_TEST

START_TEST(expected_by_file)
{
	json_t *told = json_pack("{s:s, s:[s]}", "cluster", "alpha", "controllers", "inner:1");
	json_t *expected;
	struct one one;

	occupy(&one, "n", false, NULL);
	binding_told(one.binding, told);
	/* slurmctld may name itself in another way: the name must do. */
	expected = binding_expected(one.binding, true);
	ck_assert_str_eq(json_string_value(json_object_get(expected, "cluster")), "alpha");
	ck_assert_uint_eq(json_array_size(json_object_get(expected, "controllers")), 0);
	json_decref(expected);
	json_decref(told);
	leave(&one);
}
END_TEST

/* A start with these variables, taken over; what it may mean. */
static int check(struct one *one, json_t *environment, struct binding_start *ret)
{
	int r = binding_check(one->binding, environment, home, ret, &one->err);

	json_decref(environment);
	return r;
}

START_TEST(starts)
{
	struct binding_start start;
	struct one one;

	occupy(&one, "n", false, NULL);
	ck_assert_int_eq(check(&one, json_pack("{s:s}", "SLURM_CONF", alpha), &start), 0);
	ck_assert_uint_eq(start.variables.count, 1);
	binding_begin(one.binding, &start);
	binding_start_finish(&start);
	ck_assert_int_eq(
		check(&one, json_pack("{s:s}", "SLURM_CONF", "alpha.conf"), &start), 0);
	ck_assert_str_eq(start.variables.item[0] + strlen("SLURM_CONF="), alpha);
	binding_start_finish(&start);

	ck_assert_int_eq(check(&one, json_pack("{s:s}", "SLURM_CONF", beta), &start), -EXDEV);
	unit_assert_err(&one.err, -EXDEV, "\"alpha\" (slurmctld at head-alpha:6817)");
	unit_assert_err(&one.err, -EXDEV, "\"beta\" (slurmctld at head-beta:6817), by");
	unit_assert_err(&one.err, -EXDEV, beta);
	ck_assert_int_eq(
		check(&one,
			json_pack("{s:s, s:s}", "SLURM_CONF", alpha, "SLURM_CLUSTERS", "beta"),
			&start),
		-ENOTSUP);
	ck_assert_int_eq(check(&one,
				 json_pack("{s:s, s:s}", "SLURM_CONF", alpha, "SLURM_CLUSTERS",
					 "alpha,beta"),
				 &start),
		-ENOTUNIQ);
	leave(&one);
}
END_TEST

/* From a container, say, that has no Slurm in it. */
START_TEST(silent_start)
{
	struct binding_start start;
	json_t *expected;
	struct one one;

	if (access("/etc/slurm/slurm.conf", F_OK) == 0) {
		puts("not tried: on a host with /etc/slurm/slurm.conf no start is silent");
		return;
	}
	occupy(&one, "n", false, NULL);
	ck_assert_int_eq(check(&one, json_object(), &start), 0);
	ck_assert(start.silent);
	ck_assert_uint_eq(start.variables.count, 1);
	ck_assert_str_eq(start.variables.item[0] + strlen("SLURM_CONF="), alpha);
	binding_begin(one.binding, &start);
	expected = binding_expected(one.binding, false);
	ck_assert_ptr_nonnull(expected);
	json_decref(expected);
	binding_start_finish(&start);
	/* Who sends no environment at all leaves it to dracod's own. */
	ck_assert_int_eq(check(&one, NULL, &start), 0);
	ck_assert(start.silent);
	ck_assert_uint_eq(start.variables.count, 1);
	binding_start_finish(&start);
	leave(&one);
}
END_TEST

START_TEST(not_to_be_started)
{
	struct one one;

	setenv("SLURM_CLUSTERS", "beta", 1);
	occupy(&one, "n", false, NULL);
	ck_assert_ptr_null(one.binding);
	unit_assert_err(&one.err, -ENOTSUP, "SLURM_CLUSTERS=beta");
	leave(&one);
	unsetenv("SLURM_CLUSTERS");
	occupy(&one, "../n", false, NULL);
	ck_assert_ptr_null(one.binding);
	unit_assert_err(&one.err, -EINVAL, "cannot name a cluster");
	leave(&one);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("binding");
	TCase *tcase = tcase_create("binding");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, first);
	tcase_add_test(tcase, runs_already);
	tcase_add_test(tcase, nothing_left);
	tcase_add_test(tcase, jobs_left);
	tcase_add_test(tcase, exact);
	tcase_add_test(tcase, not_known);
	tcase_add_test(tcase, expected_by_file);
	tcase_add_test(tcase, starts);
	tcase_add_test(tcase, silent_start);
	tcase_add_test(tcase, not_to_be_started);
	suite_add_tcase(suite, tcase);
	return suite;
}
