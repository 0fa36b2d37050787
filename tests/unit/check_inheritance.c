/* check_inheritance.c: tests of common/inheritance.c: each in a process of its own. */
#include "unit.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "common/environment.h"
#include "common/inheritance.h"
#include "common/slurm_variables.h"
#include "common/strv.h"

static void add(void *arg, const char *name, const char *value)
{
	strv_addf(arg, "%s=%s", name, value);
}

START_TEST(collect)
{
	struct rlimit limit;
	struct strv list = STRV_INIT;
	char expected[32];

	umask(027);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 77;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_int_eq(setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + 1), 0);
	inheritance_collect(add, &list);
	ck_assert_str_eq(environment_get(&list, "SLURM_UMASK"), "0027");
	ck_assert_str_eq(environment_get(&list, "SLURM_RLIMIT_NOFILE"), "77");
	snprintf(expected, sizeof(expected), "%d", getpriority(PRIO_PROCESS, 0));
	ck_assert_str_eq(environment_get(&list, "SLURM_PRIO_PROCESS"), expected);
	ck_assert_int_eq(umask(0), 027);
	for (size_t i = 0; i < list.count; i++)
		ck_assert(slurm_variable_is_inherited(list.item[i]));
	strv_finish(&list);
}
END_TEST

START_TEST(apply)
{
	struct strv list = STRV_INIT;
	int before = getpriority(PRIO_PROCESS, 0);
	struct rlimit limit;

	strv_add(&list, "SLURM_UMASK=0077");
	strv_add(&list, "SLURM_RLIMIT_NOFILE=88");
	strv_add(&list, "SLURM_RLIMIT_CORE=18446744073709551615"); /* no more than may be */
	strv_addf(&list, "SLURM_PRIO_PROCESS=%d", before + 2);
	inheritance_apply(&list);
	ck_assert_int_eq(umask(022), 077);
	ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), before + 2);
	getrlimit(RLIMIT_NOFILE, &limit);
	ck_assert_uint_eq(limit.rlim_cur, 88);
	getrlimit(RLIMIT_CORE, &limit);
	ck_assert_uint_eq(limit.rlim_cur, limit.rlim_max);
	strv_finish(&list);
}
END_TEST

START_TEST(nonsense_changes_nothing)
{
	struct strv list = STRV_INIT;
	int before = getpriority(PRIO_PROCESS, 0);
	struct rlimit limit, after;

	getrlimit(RLIMIT_NOFILE, &limit);
	umask(022);
	strv_add(&list, "SLURM_UMASK=1777");
	strv_add(&list, "SLURM_RLIMIT_NOFILE=-1");
	strv_add(&list, "SLURM_PRIO_PROCESS=99");
	inheritance_apply(&list);
	ck_assert_int_eq(umask(022), 022);
	ck_assert_int_eq(getpriority(PRIO_PROCESS, 0), before);
	getrlimit(RLIMIT_NOFILE, &after);
	ck_assert_uint_eq(limit.rlim_cur, after.rlim_cur);
	strv_finish(&list);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("inheritance");
	TCase *tcase = tcase_create("inheritance");

	tcase_add_test(tcase, collect);
	tcase_add_test(tcase, apply);
	tcase_add_test(tcase, nonsense_changes_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}
