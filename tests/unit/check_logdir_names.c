/* check_logdir_names.c: tests of common/logdir.c: which names are draco's own. */
#include "unit.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/logdir.h"

static const struct {
	const char *name;
	bool is;
} stamps[] = {
	{"2026-11-25T09-30-00", true}, /* without ':', which scp(1) takes for a host */
	{"2026-11-25T09-30-00-2", true},
	{"2026-11-25T09-30-0", false},
	{"2026-11-25T09-30-00-x", false},
	{"2026-11-25T09_30_00", false},
	{"2026-11-25T09:30:00", true}, /* of older versions */
	{"2026-11-25T09:30:00-2", true},
	{"2026-11-25T09:30:00-99", true},
	{"2024-02-29T23:59:60", true},
	{"2026-11-25T09:30:00-", false},
	{"2026-11-25T09:30:00-0", false},
	{"2026-11-25T09:30:00-02", false},
	{"2026-11-25T09:30:00-100", false},
	{"2026-11-25T09:30:00-2x", false},
	{"2026-11-25T09:30:00.old", false},
	{"2026-11-25T09:30:00 ", false},
	{"2026-11-25T09:30:0", false},
	{"2026-11-25", false},
	{"2026-11-25t09:30:00", false},
	{"2026-00-25T09:30:00", false},
	{"2026-13-25T09:30:00", false},
	{"2026-11-00T09:30:00", false},
	{"2026-11-32T09:30:00", false},
	{"2026-11-25T24:30:00", false},
	{"2026-11-25T09:60:00", false},
	{"2026-11-25T09:30:61", false},
	{"x026-11-25T09:30:00", false},
	{" 2026-11-25T09:30:00", false},
	{"", false},
	{".", false},
	{"..", false},
	{"notes", false},
};

START_TEST(stamp)
{
	char *name = unit_tight(stamps[_i].name, strlen(stamps[_i].name) + 1);

	ck_assert_msg(logdir_is_stamp(name) == stamps[_i].is, "\"%s\"", name);
	free(name);
}
END_TEST

static const struct {
	const char *name;
	bool is;
} logs[] = {
	{"daemon.log", true},
	{"daemon.log.1", true},
	{"scheduler.log", true},
	{"job-42.log", true},
	{"job-42_7.log", true},
	{"lock", true},
	{"spawn", true},
	{"spawn.1", false},
	{"lock.1", false},
	{"locks", false},
	{".log", false},
	{".hidden.log", false},
	{".log.1", false},
	{"daemon.log.2", false},
	{"daemon.log.1.1", false},
	{"daemon.LOG", false},
	{"thesis.tex", false},
	{"log", false},
	{".1", false},
	{"", false},
};

START_TEST(own)
{
	char *name = unit_tight(logs[_i].name, strlen(logs[_i].name) + 1);

	ck_assert_msg(logdir_is_own(name) == logs[_i].is, "\"%s\"", name);
	free(name);
}
END_TEST

START_TEST(what_is_made_is_known)
{
	char *base = unit_directory();
	struct err err = ERR_INIT;

	for (int i = 0; i < 3; i++) {
		char *path;

		ck_assert_int_eq(logdir_make(base, &path, &err), 0);
		ck_assert(logdir_is_stamp(strrchr(path, '/') + 1));
		free(path);
	}
	free(base);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("logdir names");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, stamp, 0, LENGTH(stamps));
	tcase_add_loop_test(all, own, 0, LENGTH(logs));
	tcase_add_test(all, what_is_made_is_known);
	suite_add_tcase(suite, all);
	return suite;
}
