/* check_settings_job.c: tests of common/settings_job.c: what the jobs ask for, and refusals. Values
 * that are refused for their form alone are in check_settings_set.c. */
#include "unit.h"

#include "common/alloc.h"
#include "common/settings_job.h"
#include "common/strv.h"

static struct settings settings;

static void setup(void)
{
	settings_init(&settings);
}

static void teardown(void)
{
	settings_finish(&settings);
}

static void set(enum setting_id id, const char *text)
{
	struct err err = ERR_INIT;

	ck_assert_msg(settings_set(&settings, id, text, "test", &err) == 0, "%s", err.text);
}

static void check_directives(const char *expected)
{
	struct strv list = STRV_INIT;
	char *text;

	settings_directives(&settings, &list);
	text = strv_join(&list, "|");
	ck_assert_str_eq(text, expected);
	free(text);
	strv_finish(&list);
}

START_TEST(directives)
{
	check_directives("");
	set(SETTING_ACCOUNT, "a");
	set(SETTING_QOS, "q");
	set(SETTING_CONSTRAINT, "f&g");
	set(SETTING_GRES, "gpu:1");
	set(SETTING_GPUS, "a100:2");
	set(SETTING_EXCLUSIVE, "yes");
	set(SETTING_LICENSES, "l:2");
	set(SETTING_NODELIST, "n1");
	set(SETTING_EXCLUDE, "n[2-3]");
	set(SETTING_MAIL_TYPE, "END");
	set(SETTING_MAIL_USER, "me@here");
	set(SETTING_DIRECTIVES, "comment=x,contiguous");
	check_directives("account=a|qos=q|constraint=f&g|gres=gpu:1|gpus=a100:2|exclusive|"
			 "licenses=l:2|nodelist=n1|exclude=n[2-3]|mail-type=END|"
			 "mail-user=me@here|comment=x|contiguous");
	set(SETTING_EXCLUSIVE, "no");
	set(SETTING_ACCOUNT, "none");
	set(SETTING_DIRECTIVES, "none");
	check_directives("qos=q|constraint=f&g|gres=gpu:1|gpus=a100:2|licenses=l:2|nodelist=n1|"
			 "exclude=n[2-3]|mail-type=END|mail-user=me@here");
}
END_TEST

/* The same option by a setting and a directive; what the texts say. */
static const struct {
	enum setting_id before;
	const char *before_value;
	enum setting_id id;
	const char *value;
	const char *text; /* NULL: right */
} rows[] = {
	{SETTING_QOS, "q", SETTING_DIRECTIVES, "comment=a", NULL},
	{SETTING_QOS, "none", SETTING_DIRECTIVES, "qos=a", NULL},
	{SETTING_QOS, "q", SETTING_DIRECTIVES, "qos=a",
		"directives: qos=a: the setting qos gives it, too: leave out one of them"},
	{SETTING_EXCLUSIVE, "yes", SETTING_DIRECTIVES, "exclusive=user",
		"the setting exclusive gives it, too"},
	{SETTING_EXCLUSIVE, "no", SETTING_DIRECTIVES, "exclusive=user", NULL},
	{SETTING_QOS, "q", SETTING_JOB_ENVIRONMENT, "SLURM_CONF=/x",
		"environment: SLURM_CONF is for Slurm alone to set"},
	{SETTING_QOS, "q", SETTING_JOB_ENVIRONMENT, "SLURMX=1", NULL},
	{SETTING_QOS, "q", SETTING_JOB_ENVIRONMENT, "A=", NULL},
	{SETTING_QOS, "q", SETTING_WORKER_OPTIONS, "--nworkers=3",
		"worker_options: --nworkers is set by draco: use the setting processes"},
	{SETTING_QOS, "q", SETTING_WORKER_OPTIONS, "--preload x.py",
		"write --preload=x.py, or make it two items"},
	{SETTING_QOS, "q", SETTING_WORKER_OPTIONS, "--preload=x y.py", NULL},
	{SETTING_QOS, "q", SETTING_WORKER_OPTIONS, "--names", NULL},
	{SETTING_QOS, "q", SETTING_WORKER_OPTIONS, "--port=1", NULL},
	{SETTING_QOS, "q", SETTING_SCHEDULER_OPTIONS, "--port=1",
		"scheduler_options: --port is set by draco"},
	{SETTING_QOS, "q", SETTING_SCHEDULER_OPTIONS, "--nthreads=1", NULL},
	{SETTING_QOS, "q", SETTING_PREIMPORT, "torch, dask.dataframe, _a1.b_2", NULL},
	{SETTING_QOS, "q", SETTING_PREIMPORT, "a-b",
		"preimport: \"a-b\" is not the name of a module, such as dask.dataframe"},
	{SETTING_QOS, "q", SETTING_PREIMPORT, "a b", "\"a b\" is not the name of a module"},
	{SETTING_QOS, "q", SETTING_PREIMPORT, ".a", "\".a\" is not"},
	{SETTING_QOS, "q", SETTING_PREIMPORT, "a.", "\"a.\" is not"},
	{SETTING_QOS, "q", SETTING_PREIMPORT, "a..b", "\"a..b\" is not"},
	{SETTING_QOS, "q", SETTING_PREIMPORT, "a.1", "\"a.1\" is not"},
	{SETTING_QOS, "q", SETTING_SCRATCH_DIRECTORY, "/a/$USER.$USER/b", NULL},
	{SETTING_QOS, "q", SETTING_SCRATCH_DIRECTORY, "/a/$USER/${SLURM_JOB_ID}", NULL},
	{SETTING_QOS, "q", SETTING_SCRATCH_DIRECTORY, "/a/$(id)",
		"a \"$\" must begin a variable, as in $USER or ${USER}"},
	{SETTING_QOS, "q", SETTING_SCRATCH_DIRECTORY, "tmp", "must begin with \"/\""},
};

START_TEST(check)
{
	struct err err = ERR_INIT;
	int r;

	set(rows[_i].before, rows[_i].before_value);
	r = settings_set(&settings, rows[_i].id, rows[_i].value, "test", &err);
	if (!rows[_i].text) {
		ck_assert_msg(r == 0, "%s", err.text);
		return;
	}
	unit_assert_err(&err, -EINVAL, rows[_i].text);
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_int_eq(
		settings_set(&settings, rows[_i].id, rows[_i].value, "test", NULL), -EINVAL);
}
END_TEST

/* 64 KiB are a script, one more byte is not. */
START_TEST(script_length)
{
	enum setting_id id = _i ? SETTING_EPILOGUE : SETTING_PROLOGUE;
	char *text = xcalloc(64 * 1024 + 2, 1);
	struct err err = ERR_INIT;

	memset(text, 'x', 64 * 1024);
	set(id, text);
	text[64 * 1024] = 'x';
	ck_assert_int_eq(settings_set(&settings, id, text, "test", &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "65537 bytes, and at most 65536");
	free(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings: job");
	TCase *tcase = tcase_create("job");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, directives);
	tcase_add_loop_test(tcase, check, 0, LENGTH(rows));
	tcase_add_loop_test(tcase, script_length, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
