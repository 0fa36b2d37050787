/* check_python.c: tests of daemon/dask/python.c: which versions of distributed will do. */
#include "unit.h"

#include "daemon/dask/python.h"

static const struct {
	const char *version;
	const char *error; /* in its words; NULL: good */
} versions[] = {
	{"2022.12.1+ds.1", NULL}, /* Debian 12 */
	{"2022.12.1", NULL},
	{"2022.12.0", NULL},
	{"2022.12", NULL},
	{"2022.12rc1", NULL},
	{"2023.1.0", NULL}, /* a later year, an earlier month */
	{"2024.12.1", NULL},
	{"2026.1.0", NULL},
	{"2100.1", NULL},
	{"99999.1", NULL},
	{"999999999.1", NULL},
	{"2022.11.1", "too old"},
	{"2022.9.2", "too old"},
	{"2021.12.0", "too old"},
	{"2021.99", "too old"},
	{"2021.12345678", "too old"},
	{"2.30.1", "too old"},
	{"1.28.1", "too old"},
	{"0.0", "too old"},
	{"0.0.0+unknown", "too old"},
	{"", "cannot read"},
	{"unknown", "cannot read"},
	{"0+unknown", "cannot read"},
	{"2022", "cannot read"},
	{"2022.", "cannot read"},
	{".12", "cannot read"},
	{"v2022.12", "cannot read"},
	{"-2022.12", "cannot read"},
	{"2022.-12", "cannot read"},
	{"2023.-1", "cannot read"},
	{"2023. 1", "cannot read"},
	{" 2023.1", "cannot read"},
	{"+2023.1", "cannot read"},
	{"2023,1", "cannot read"},
	{"99999999999999999999.1", "cannot read"},
	{"2023.99999999999999999999", "cannot read"},
};

START_TEST(version)
{
	struct err err = ERR_INIT;
	int r = python_check_distributed(versions[_i].version, &err);

	ck_assert_msg(r == (versions[_i].error ? -EINVAL : 0), "\"%s\": %d, \"%s\"",
		versions[_i].version, r, err.text);
	ck_assert_int_eq(err.code, r);
	if (r < 0) {
		unit_assert_err(&err, -EINVAL, versions[_i].version);
		unit_assert_err(&err, -EINVAL, versions[_i].error);
		unit_assert_err(&err, -EINVAL, "2022.12 or later");
	}
	ck_assert_int_eq(python_check_distributed(versions[_i].version, NULL), r);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("python");
	TCase *tcase = tcase_create("python");

	tcase_add_loop_test(tcase, version, 0, LENGTH(versions));
	suite_add_tcase(suite, tcase);
	return suite;
}
