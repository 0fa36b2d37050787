/* check_slurm_record.c: tests of common/slurm_record.c. */
#include "unit.h"

#include "common/slurm_record.h"

static const struct slurm_record empty = SLURM_RECORD_INIT;

static void make(struct slurm_site *site, const char *cluster, const char *host)
{
	*site = (struct slurm_site)SLURM_SITE_INIT;
	slurm_site_set_cluster(site, cluster);
	if (host)
		slurm_site_add(site, host, 6817);
}

static bool fits(const struct slurm_record *record, const char *cluster, const char *host)
{
	struct slurm_site site;
	bool result;

	make(&site, cluster, host);
	result = slurm_record_fits(record, &site);
	slurm_site_finish(&site);
	return result;
}

static bool fits_told(const struct slurm_record *record, const char *cluster, const char *host)
{
	struct slurm_site site;
	bool result;

	make(&site, cluster, host);
	result = slurm_record_fits_told(record, &site);
	slurm_site_finish(&site);
	return result;
}

/* By slurm.conf, by slurmctld, or both; NULL: not. */
static bool add(struct slurm_record *record, const char *by_file, const char *by_slurm)
{
	struct slurm_site file, told;
	bool result;

	make(&file, "alpha", by_file);
	make(&told, "alpha", by_slurm);
	result =
		slurm_record_add(record, by_file ? &file : NULL, by_slurm ? &told : NULL, NULL);
	slurm_site_finish(&file);
	slurm_site_finish(&told);
	return result;
}

START_TEST(grows)
{
	struct slurm_record record = empty;

	ck_assert(!fits(&record, "alpha", "head"));
	ck_assert(add(&record, "head", NULL));
	ck_assert(!add(&record, "head", NULL));
	ck_assert(fits(&record, "alpha", "head"));
	ck_assert(!fits(&record, "alpha", "other"));
	ck_assert(fits(&record, "alpha", NULL));
	ck_assert(!fits(&record, "beta", "head"));
	/* another host's slurm.conf may have the name that slurmctld gives itself */
	ck_assert(add(&record, NULL, "other"));
	ck_assert(fits(&record, "alpha", "other"));
	slurm_record_finish(&record);
}
END_TEST

START_TEST(told)
{
	struct slurm_record record = empty;

	ck_assert(add(&record, "vip", NULL));
	ck_assert(fits_told(&record, "alpha", "head")); /* it has said nothing so far */
	ck_assert(!fits_told(&record, "beta", "vip"));
	ck_assert(add(&record, NULL, "head"));
	ck_assert(fits_told(&record, "alpha", "head"));
	ck_assert(!fits_told(&record, "alpha", "vip"));
	slurm_record_finish(&record);
}
END_TEST

START_TEST(seen)
{
	json_t *here = json_pack("[s, s, s, s]", "host", "/conf", "", "");
	json_t *there = json_pack("[s, s, s, s]", "other", "/conf", "", "");
	struct slurm_record record = empty;
	struct slurm_site site;

	make(&site, "alpha", "head");
	ck_assert(!slurm_record_add(&record, NULL, NULL, here)); /* of no Slurm */
	ck_assert(slurm_record_add(&record, &site, NULL, here));
	ck_assert(!slurm_record_add(&record, &site, NULL, here));
	ck_assert(slurm_record_has_seen(&record, here));
	ck_assert(!slurm_record_has_seen(&record, there));
	ck_assert(!slurm_record_has_seen(&record, NULL));
	ck_assert(!slurm_record_has_seen(&empty, here));
	for (int i = 0; i < 100; i++) { /* the oldest ones go */
		json_t *key = json_pack("[i]", i);

		slurm_record_add(&record, &site, NULL, key);
		ck_assert(slurm_record_has_seen(&record, key));
		json_decref(key);
	}
	ck_assert(!slurm_record_has_seen(&record, here));
	ck_assert_uint_le(json_array_size(record.seen), 16);
	slurm_site_finish(&site);
	slurm_record_finish(&record);
	json_decref(here);
	json_decref(there);
}
END_TEST

START_TEST(file)
{
	char *directory = unit_directory(), *text, *path;
	json_t *key = json_pack("[s]", "host"), *object;
	struct slurm_record record = empty, back;
	struct slurm_site site;

	make(&site, "alpha", "head");
	add(&record, "vip", "head");
	slurm_record_add(&record, &site, NULL, key);
	object = slurm_record_encode(&record);
	text = json_dumps(object, 0);
	path = unit_file(directory, "slurm.json", text, strlen(text));
	slurm_record_load(path, &back);
	ck_assert_str_eq(back.site.cluster, "alpha");
	ck_assert(fits(&back, "alpha", "vip") && fits(&back, "alpha", "head"));
	ck_assert(fits_told(&back, "alpha", "head") && !fits_told(&back, "alpha", "vip"));
	ck_assert(slurm_record_has_seen(&back, key));
	slurm_record_finish(&back);
	slurm_record_finish(&record);
	slurm_site_finish(&site);
	json_decref(object);
	json_decref(key);
	free(text);
	free(path);
	free(directory);
}
END_TEST

static const char *const wrong[] = {
	"",
	"no JSON",
	"null",
	"[]",
	"{}",
	"{\"cluster\": null, \"told\": 7, \"seen\": {}}",
	"{\"cluster\": \"a b\", \"controllers\": 7}",
};

START_TEST(wrong_file)
{
	char *directory = unit_directory();
	char *path = unit_file(directory, "slurm.json", wrong[_i], strlen(wrong[_i]));
	struct slurm_record record;

	slurm_record_load(path, &record);
	ck_assert(!slurm_site_is_known(&record.site));
	ck_assert_uint_eq(record.told.count, 0);
	ck_assert_ptr_null(record.seen);
	slurm_record_finish(&record);
	free(path);
	free(directory);
}
END_TEST

START_TEST(no_file)
{
	struct slurm_record record;

	slurm_record_load("/no/such/slurm.json", &record);
	ck_assert(!slurm_site_is_known(&record.site));
	slurm_record_finish(&record);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slurm_record");
	TCase *tcase = tcase_create("slurm_record");

	tcase_add_test(tcase, grows);
	tcase_add_test(tcase, told);
	tcase_add_test(tcase, seen);
	tcase_add_test(tcase, file);
	tcase_add_loop_test(tcase, wrong_file, 0, LENGTH(wrong));
	tcase_add_test(tcase, no_file);
	suite_add_tcase(suite, tcase);
	return suite;
}
