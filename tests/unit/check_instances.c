/* check_instances.c: tests of common/instances.c: which state directory a name means. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/instances.h"

/* "CLUSTER HOST:PORT ..."; "" is not known. */
static struct slurm_site make_site(const char *text)
{
	struct slurm_site site = SLURM_SITE_INIT;
	struct strv words = STRV_INIT;

	strv_split(&words, text, ' ');
	if (words.count > 0)
		slurm_site_set_cluster(&site, words.item[0]);
	for (size_t i = 1; i < words.count; i++)
		strv_add(&site.controllers, words.item[i]);
	strv_finish(&words);
	return site;
}

struct candidate {
	const char *name;
	const char *slurm; /* as above */
	const char *flags; /* a live, r remembers jobs, e elsewhere */
};

static void make(const struct candidate *candidates, struct instances *ret)
{
	*ret = (struct instances){0};
	for (; candidates->name; candidates++) {
		ret->items = xrealloc(ret->items, (ret->count + 1) * sizeof(*ret->items));
		ret->items[ret->count++] = (struct instance){
			.name = xstrdup(candidates->name),
			.record = {.site = make_site(candidates->slurm)},
			.alive = strchr(candidates->flags, 'a'),
			.remembers = strchr(candidates->flags, 'r'),
			.elsewhere = strchr(candidates->flags, 'e'),
		};
	}
}

static const struct {
	const char *name, *slurm;
	const char *chosen; /* or, beginning with '!', what the error says */
	struct candidate candidates[6];
} choices[] = {
	/* nothing is there */
	{"n", "alpha h:1", "n", {{0}}},
	{"n", "", "n", {{0}}},
	{"n@alpha", "alpha h:1", "n", {{0}}},
	{"n@beta", "alpha h:1", "n@beta", {{0}}},
	{"n@beta", "", "n@beta", {{0}}},
	/* the same Slurm */
	{"n", "alpha h:1", "n", {{"n", "alpha h:1", "a"}}},
	{"n", "alpha h:1", "n@alpha", {{"n", "beta g:1", "a"}, {"n@alpha", "alpha h:1", ""}}},
	{"n", "alpha h:1", "n@alpha", {{"n", "beta g:1", ""}, {"n@alpha", "alpha h:1", ""}}},
	{"n", "alpha h:1", "n@x", {{"n", "", ""}, {"n@x", "alpha h:1", "r"}}},
	{"n", "alpha h:1", "n@alpha.2",
		{{"n", "alpha g:1", "a"}, {"n@alpha", "alpha f:1", "a"},
			{"n@alpha.2", "alpha h:1", "a"}}},
	/* only its name is known: one that lives, or has something to do */
	{"n", "alpha", "n@alpha", {{"n", "alpha g:1", ""}, {"n@alpha", "alpha h:1", "a"}}},
	{"n", "alpha", "n@alpha", {{"n", "alpha g:1", ""}, {"n@alpha", "alpha h:1", "r"}}},
	{"n", "alpha", "n", {{"n", "alpha g:1", ""}, {"n@alpha", "alpha h:1", ""}}},
	/* of none yet, whoever is there: an older version's, or one that has not started a
	 * cluster yet */
	{"n", "alpha h:1", "n", {{"n", "", "a"}}},
	{"n", "alpha h:1", "n", {{"n", "", "r"}}},
	/* nothing of another Slurm has to be kept there */
	{"n", "alpha h:1", "n", {{"n", "beta g:1", ""}}},
	/* something has */
	{"n", "alpha h:1", "n@alpha", {{"n", "beta g:1", "a"}}},
	{"n", "alpha h:1", "n@alpha", {{"n", "beta g:1", "r"}}},
	{"n", "alpha h:1", "n@alpha", {{"n", "beta g:1", "e"}}},
	{"n", "Al:ph/a h:1", "n@al_ph_a", {{"n", "beta g:1", "a"}}},
	{"n", "alpha h:1", "n@alpha", {{"n", "alpha g:1", "a"}}},
	{"n", "alpha h:1", "n@alpha.2",
		{{"n", "alpha g:1", "a"}, {"n@alpha", "alpha f:1", "r"}}},
	{"n", "alpha h:1", "n@alpha", {{"n", "alpha g:1", "a"}, {"n@alpha", "alpha f:1", ""}}},
	/* no slurm.conf: the one that lives */
	{"n", "", "n", {{"n", "alpha h:1", "a"}}},
	{"n", "", "n@beta", {{"n", "alpha h:1", "r"}, {"n@beta", "beta g:1", "a"}}},
	{"n", "", "n", {{"n", "alpha h:1", "r"}, {"n@beta", "beta g:1", "r"}}},
	{"n", "", "!(no slurm.conf): give n@alpha or n@beta as the name",
		{{"n", "alpha h:1", "a"}, {"n@beta", "beta g:1", "a"}}},
	{"n", "", "!give n or n@beta as the name",
		{{"n", "", "a"}, {"n@beta", "beta g:1", "a"}}},
	/* said in full: a directory's name, or a Slurm's */
	{"n@beta", "alpha h:1", "n@beta",
		{{"n", "alpha h:1", "a"}, {"n@beta", "beta g:1", ""}}},
	{"n@beta", "alpha h:1", "n", {{"n", "beta g:1", "a"}}},
	{"n@BETA", "alpha h:1", "n", {{"n", "beta g:1", ""}}},
	{"n@beta", "", "n", {{"n", "beta g:1", ""}}},
	{"n@beta", "beta h:1", "n@beta", {{"n", "beta g:1", "a"}}},
	{"n@alpha", "alpha h:1", "n@alpha.2",
		{{"n", "alpha g:1", "a"}, {"n@alpha.2", "alpha h:1", "a"}}},
	{"n@alpha", "", "n@alpha.2",
		{{"n", "alpha g:1", "r"}, {"n@alpha.2", "alpha h:1", "a"}}},
	{"n@alpha", "", "!give n@alpha or n@alpha.2 as the name",
		{{"n", "alpha g:1", "a"}, {"n@alpha.2", "alpha h:1", "a"},
			{"n@beta", "beta h:1", "a"}}},
	{"n@alpha.2", "", "n@alpha.2",
		{{"n", "alpha g:1", "a"}, {"n@alpha.2", "alpha h:1", "a"}}},
	{"n", "", "!give n@alpha.1 or n@alpha as the name",
		{{"n", "alpha g:1", "a"}, {"n@alpha", "alpha h:1", "a"}}},
	{"n@alpha.1", "", "n", {{"n", "alpha g:1", "a"}, {"n@alpha", "alpha h:1", "a"}}},
	{"n@alpha.1", "alpha h:1", "n",
		{{"n", "alpha g:1", "a"}, {"n@alpha", "alpha h:1", "a"}}},
	{"n@gamma", "alpha h:1", "n@gamma", {{"n", "alpha h:1", "a"}}},
};

START_TEST(choose)
{
	struct slurm_site site = make_site(choices[_i].slurm);
	struct instances instances;
	struct err err = ERR_INIT;
	char *chosen = NULL;
	int r;

	make(choices[_i].candidates, &instances);
	r = instances_choose(&instances, choices[_i].name, &site, &chosen, &err);
	if (choices[_i].chosen[0] == '!') {
		ck_assert_int_eq(r, -ENOTUNIQ);
		unit_assert_err(&err, -ENOTUNIQ, choices[_i].chosen + 1);
	} else {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(chosen, choices[_i].chosen);
	}
	free(chosen);
	instances_finish(&instances);
	slurm_site_finish(&site);
}
END_TEST

/* Two Slurms that start one after the other, never meet: whatever is there, who starts may use
 * the choice, and keeps it. */
START_TEST(never_two_in_one)
{
	static const char *const slurms[] = {"alpha h:1", "alpha g:1", "beta h:1", "gamma f:1"};
	struct candidate candidates[LENGTH(slurms) + 1] = {{0}};
	char *names[LENGTH(slurms)] = {NULL};

	for (size_t i = 0; i < LENGTH(slurms); i++) {
		struct slurm_site site = make_site(slurms[i]);
		struct instances instances;

		make(candidates, &instances);
		ck_assert_int_eq(instances_choose(&instances, "n", &site, &names[i], NULL), 0);
		ck_assert_ptr_null(instances_find(&instances, names[i]));
		candidates[i] = (struct candidate){names[i], slurms[i], "a"};
		instances_finish(&instances);
		slurm_site_finish(&site);
	}
	for (size_t i = 0; i < LENGTH(slurms); i++) {
		struct slurm_site site = make_site(slurms[i]);
		struct instances instances;
		char *again = NULL;

		make(candidates, &instances);
		ck_assert_int_eq(instances_choose(&instances, "n", &site, &again, NULL), 0);
		ck_assert_str_eq(again, names[i]);
		free(again);
		instances_finish(&instances);
		slurm_site_finish(&site);
	}
	for (size_t i = 0; i < LENGTH(slurms); i++)
		free(names[i]);
}
END_TEST

static char *root;

static void put(const char *name, const char *file, const char *text)
{
	char *directory = xasprintf("%s/%s", root, name);

	mkdir(directory, 0700);
	if (file)
		free(unit_file(directory, file, text, strlen(text)));
	free(directory);
}

START_TEST(read_all)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct instances instances;
	const struct instance *one;
	char *path;
	int fd;

	root = unit_directory();
	put("n", "slurm.json", "{\"cluster\": \"alpha\", \"seen\": [[\"k\"]]}");
	put("n", "lock", "");
	put("n", "state.json", "{\"clusters\": []}");
	put("n@beta", "state.json", "{\"clusters\": [\"1a2b\"]}");
	put("n@beta", "daemon.json", "{\"host\": \"another-host\", \"locks\": \"host\"}");
	put("n@beta", "lock", "");
	put("nn", NULL, NULL);
	put("other@alpha", NULL, NULL);
	put(".hidden", NULL, NULL);
	path = xasprintf("%s/n/lock", root);
	fd = open(path, O_RDWR);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);

	instances_read(root, "n", &instances);
	ck_assert_uint_eq(instances.count, 2);
	one = instances_find(&instances, "n");
	ck_assert(one->alive && !one->remembers && !one->elsewhere);
	ck_assert_ptr_null(one->host);
	ck_assert_str_eq(one->record.site.cluster, "alpha");
	one = instances_find(&instances, "n@beta");
	ck_assert(!one->alive && one->remembers && one->elsewhere);
	ck_assert_str_eq(one->host, "another-host");
	ck_assert_ptr_null(instances_find(&instances, "nn"));
	one = instances_seen(&instances, json_array_get(instances.items[0].record.seen, 0));
	ck_assert_str_eq(one->name, "n");
	ck_assert_ptr_null(instances_seen(&instances, NULL));
	instances_finish(&instances);

	instances_read(root, "n@gamma", &instances); /* the same name */
	ck_assert_uint_eq(instances.count, 2);
	instances_finish(&instances);
	instances_read(root, NULL, &instances);
	ck_assert_uint_eq(instances.count, 4);
	instances_finish(&instances);
	instances_read("/no/such/directory", "n", &instances);
	ck_assert_uint_eq(instances.count, 0);
	instances_finish(&instances);
	close(fd);
	free(path);
	free(root);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("instances");
	TCase *tcase = tcase_create("instances");

	tcase_add_loop_test(tcase, choose, 0, LENGTH(choices));
	tcase_add_test(tcase, never_two_in_one);
	tcase_add_test(tcase, read_all);
	suite_add_tcase(suite, tcase);
	return suite;
}
