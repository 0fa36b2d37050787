/* check_slurm_site.c: tests of common/slurm_site.c. */
#include "unit.h"

#include "common/slurm_site.h"

/* "CLUSTER HOST:PORT ..."; "" is not known. */
static struct slurm_site make(const char *text)
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

static const struct {
	const char *a, *b;
	bool same;
} pairs[] = {
	{"alpha head:6817", "alpha head:6817", true},
	{"alpha", "alpha head:6817", true},
	{"alpha", "alpha", true},
	{"alpha head:6817", "beta head:6817", false},
	{"", "alpha head:6817", false},
	{"", "", false},
	/* the same name elsewhere */
	{"cluster head:6817", "cluster head:6818", false},
	{"cluster head:6817", "cluster tail:6817", false},
	{"cluster head:6817", "cluster headless:6817", false},
	/* one that both know */
	{"alpha one:6817 two:6817", "alpha three:6817 two:6817", true},
	{"alpha one:6817 two:6817", "alpha three:6817 four:6817", false},
	/* with and without the domain */
	{"alpha head:6817", "alpha head.example.org:6817", true},
	{"alpha HEAD:6817", "alpha head.example.org:6817", true},
	{"alpha head.example.com:6817", "alpha head.example.org:6817", false},
	{"alpha 10.0.0:6817", "alpha 10.0.0.1:6817", false},
	{"alpha 10.0.0.1:6817", "alpha 10.0.0.1:6817", true},
	{"alpha 10.0.0.1:6817", "alpha 10.0.0.12:6817", false},
	{"alpha :6817", "alpha head:6817", false},
	{"alpha head", "alpha head", false},
};

START_TEST(same)
{
	struct slurm_site a = make(pairs[_i].a), b = make(pairs[_i].b);

	ck_assert_int_eq(slurm_site_same(&a, &b), pairs[_i].same);
	ck_assert_int_eq(slurm_site_same(&b, &a), pairs[_i].same);
	slurm_site_finish(&a);
	slurm_site_finish(&b);
}
END_TEST

START_TEST(names)
{
	struct slurm_site site = SLURM_SITE_INIT;
	char longer[SLURM_SITE_CLUSTER_MAX + 2];

	slurm_site_set_cluster(&site, "Alpha_1");
	ck_assert_str_eq(site.cluster, "alpha_1");
	/* What cannot be a name changes nothing. */
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	slurm_site_set_cluster(&site, longer);
	slurm_site_set_cluster(&site, "a\033[31mb");
	slurm_site_set_cluster(&site, "a b");
	slurm_site_set_cluster(&site, "");
	slurm_site_set_cluster(&site, NULL);
	ck_assert_str_eq(site.cluster, "alpha_1");
	slurm_site_finish(&site);
}
END_TEST

START_TEST(controllers)
{
	struct slurm_site site = SLURM_SITE_INIT;

	slurm_site_add(&site, "head", 6817);
	slurm_site_add(&site, "head", 6817);
	slurm_site_add(&site, "127.0.0.1", 6817);
	slurm_site_add(&site, "::1", 6817);
	slurm_site_add(&site, "", 6817);
	slurm_site_add(&site, NULL, 6817);
	slurm_site_add(&site, "a b", 6817);
	slurm_site_add(&site, "localhost", 6817);
	ck_assert_uint_eq(site.controllers.count, 2);
	ck_assert_str_eq(site.controllers.item[0], "head:6817");
	ck_assert_str_eq(site.controllers.item[1], "localhost:6817");
	for (int i = 0; i < 2 * SLURM_SITE_CONTROLLERS_MAX; i++)
		slurm_site_add(&site, "many", i);
	ck_assert_uint_eq(site.controllers.count, SLURM_SITE_CONTROLLERS_MAX);
	slurm_site_finish(&site);
}
END_TEST

START_TEST(json)
{
	struct slurm_site site = make("alpha one:1 two:2"), back;
	json_t *object = slurm_site_encode(&site);

	slurm_site_decode(object, &back);
	ck_assert_str_eq(back.cluster, "alpha");
	ck_assert_uint_eq(back.controllers.count, 2);
	ck_assert_str_eq(back.controllers.item[1], "two:2");
	json_decref(object);
	slurm_site_finish(&site);
	slurm_site_finish(&back);

	object = slurm_site_encode(&site); /* not known now */
	ck_assert(json_is_null(object));
	json_decref(object);
}
END_TEST

static const char *const wrong[] = {
	"null",
	"[]",
	"7",
	"{}",
	"{\"cluster\": 7, \"controllers\": [\"a:1\"]}",
	"{\"cluster\": \"\", \"controllers\": [\"a:1\"]}",
	"{\"cluster\": \"a\\nb\"}",
	"{\"controllers\": [\"a:1\"]}",
};

START_TEST(wrong_json)
{
	json_t *object = json_loads(wrong[_i], JSON_DECODE_ANY, NULL);
	struct slurm_site site;

	slurm_site_decode(object, &site);
	ck_assert(!slurm_site_is_known(&site));
	ck_assert_uint_eq(site.controllers.count, 0);
	slurm_site_decode(NULL, &site);
	ck_assert(!slurm_site_is_known(&site));
	json_decref(object);
}
END_TEST

START_TEST(half_wrong_json)
{
	json_t *object = json_pack(
		"{s:s, s:[s, i, n, s]}", "cluster", "alpha", "controllers", "a:1", 7, "b\nc:1");
	struct slurm_site site;

	slurm_site_decode(object, &site);
	ck_assert_str_eq(site.cluster, "alpha");
	ck_assert_uint_eq(site.controllers.count, 1);
	slurm_site_finish(&site);
	json_decref(object);
}
END_TEST

START_TEST(text)
{
	struct slurm_site site = make("alpha one:1 two:2");
	char *words = slurm_site_text(&site);

	ck_assert_str_eq(words, "\"alpha\" (slurmctld at one:1)");
	free(words);
	strv_finish(&site.controllers);
	words = slurm_site_text(&site);
	ck_assert_str_eq(words, "\"alpha\"");
	free(words);
	slurm_site_finish(&site);
	words = slurm_site_text(&site);
	ck_assert_str_eq(words, "an unknown Slurm");
	free(words);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slurm_site");
	TCase *tcase = tcase_create("slurm_site");

	tcase_add_loop_test(tcase, same, 0, LENGTH(pairs));
	tcase_add_test(tcase, names);
	tcase_add_test(tcase, controllers);
	tcase_add_test(tcase, json);
	tcase_add_loop_test(tcase, wrong_json, 0, LENGTH(wrong));
	tcase_add_test(tcase, half_wrong_json);
	tcase_add_test(tcase, text);
	suite_add_tcase(suite, tcase);
	return suite;
}
