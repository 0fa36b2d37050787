/* check_environment.c: tests of common/environment.c. */
#include "unit.h"

#include "common/environment.h"
#include "common/strv.h"

static const struct {
	const char *name;
	bool kept;
} variables[] = {
	/* what programs need */
	{"PATH", true},
	{"HOME", true},
	{"USER", true},
	{"LANG", true},
	{"LC_ALL", true},
	{"TMPDIR", true},
	{"VIRTUAL_ENV", true},
	{"CONDA_PREFIX", true},
	{"PYTHONPATH", true},
	{"LD_LIBRARY_PATH", true},
	{"LOADEDMODULES", true},
	{"OMP_NUM_THREADS", true},
	{"DASK_DISTRIBUTED__WORKER__DAEMON", true},
	{"BASH_FUNC_module%%", true},
	{"XDG_DATA_DIRS", true},
	{"MY_SLURM_JOB_ID", true},
	{"SLURM", true},
	{"slurm_job_id", true},
	{"PWDX", true},
	{"SSHD", true},
	{"LISTENER", true},
	{"DRACO", true},
	/* the one of Slurm that says where it is */
	{"SLURM_CONF", true},
	{"SLURM_CONFIG", false},
	{"SLURM_CONF_SERVER", false},
	/* a job around the caller */
	{"SLURM_JOB_ID", false},
	{"SLURM_", false},
	{"SLURM_MEM_PER_CPU", false},
	{"SLURM_EXPORT_ENV", false},
	{"SLURMD_NODENAME", false},
	{"SBATCH_PARTITION", true}, /* sbatch reads it */
	{"SLURM_UMASK", true},
	{"SLURM_RLIMIT_NOFILE", true},
	{"SLURM_PRIO_PROCESS", true},
	{"SLURM_UMASKED", false},
	{"SALLOC_PARTITION", false},
	{"SRUN_DEBUG", false},
	{"PMI_RANK", false},
	{"PMIX_NAMESPACE", false},
	/* its session and terminal */
	{"XDG_RUNTIME_DIR", false},
	{"XDG_SESSION_ID", false},
	{"DBUS_SESSION_BUS_ADDRESS", false},
	{"DISPLAY", false},
	{"WAYLAND_DISPLAY", false},
	{"XAUTHORITY", false},
	{"SSH_CONNECTION", false},
	{"SSH_AUTH_SOCK", false},
	{"TMUX", false},
	{"TMUX_PANE", false},
	{"STY", false},
	{"TERM", false},
	{"TERM_PROGRAM", false},
	{"COLUMNS", false},
	{"LINES", false},
	{"SHLVL", false},
	{"PWD", false},
	{"OLDPWD", false},
	{"_", false},
	/* a service */
	{"NOTIFY_SOCKET", false},
	{"WATCHDOG_USEC", false},
	{"LISTEN_FDS", false},
	{"INVOCATION_ID", false},
	{"JOURNAL_STREAM", false},
	{"MAINPID", false},
	{"CREDENTIALS_DIRECTORY", false},
	/* secrets of a notebook server */
	{"JUPYTERHUB_API_TOKEN", false},
	{"JPY_API_TOKEN", false},
	/* draco's own */
	{"DRACO_CORES", false},
	{"DRACO_DASK_SOCKET", false},
	/* no names */
	{"", false},
	{"A=B", false},
	{"=", false},
};

START_TEST(variable)
{
	const char *name = variables[_i].name;
	json_t *object = json_pack("{s:s, s:s}", name, "value", "LAST", "");
	struct strv list = STRV_INIT;

	environment_filter(object, &list);
	ck_assert_uint_eq(list.count, variables[_i].kept ? 2 : 1);
	ck_assert_str_eq(environment_get(&list, "LAST"), "");
	if (variables[_i].kept)
		ck_assert_str_eq(environment_get(&list, name), "value");
	strv_finish(&list);
	json_decref(object);
}
END_TEST

START_TEST(values)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:i, s:n, s:b, s:[s], s:{}}", "EMPTY", "",
		"LINES_OF", "a\nb=c", "UTF8", "caf\xc3\xa9", "NUMBER", 1, "NULL", "TRUE", 1,
		"LIST", "x", "OBJECT");
	struct strv list = STRV_INIT;

	strv_add(&list, "FIRST=1");
	environment_filter(object, &list);
	ck_assert_uint_eq(list.count, 4); /* added, and only the strings */
	ck_assert_str_eq(list.item[0], "FIRST=1");
	ck_assert_str_eq(environment_get(&list, "EMPTY"), "");
	ck_assert_str_eq(environment_get(&list, "LINES_OF"), "a\nb=c");
	ck_assert_str_eq(environment_get(&list, "UTF8"), "caf\xc3\xa9");
	ck_assert_ptr_null(environment_get(&list, "NUMBER"));
	strv_finish(&list);
	json_decref(object);
}
END_TEST

/* Dask's own variable, with which "dracoctl env" may have said something: only that is dropped. */
START_TEST(preload_of_clients)
{
	static const struct {
		const char *value;
		bool kept;
	} preloads[] = {
		{"[\"/home/x/state/draco/default/tls/7/tls_fix.py\"]", false},
		{"[\"/home/x/my_tls_fix.py\"]", true},
		{"mine", true},
		{"", true},
	};

	for (size_t i = 0; i < LENGTH(preloads); i++) {
		json_t *object = json_pack(
			"{s:s}", "DASK_DISTRIBUTED__CLIENT__PRELOAD", preloads[i].value);
		struct strv list = STRV_INIT;

		environment_filter(object, &list);
		ck_assert_uint_eq(list.count, preloads[i].kept);
		strv_finish(&list);
		json_decref(object);
	}
}
END_TEST

START_TEST(no_object)
{
	struct strv list = STRV_INIT;
	json_t *array = json_pack("[s]", "A");

	environment_filter(NULL, &list);
	environment_filter(array, &list);
	ck_assert_uint_eq(list.count, 0);
	json_decref(array);
}
END_TEST

START_TEST(get)
{
	struct strv list = STRV_INIT;

	ck_assert_ptr_null(environment_get(&list, "PATH"));
	strv_add(&list, "PATHS=/x");
	strv_add(&list, "PATH=/usr/bin=y");
	strv_add(&list, "PATH=/second");
	strv_add(&list, "EMPTY=");
	ck_assert_str_eq(environment_get(&list, "PATH"), "/usr/bin=y");
	ck_assert_str_eq(environment_get(&list, "PATHS"), "/x");
	ck_assert_str_eq(environment_get(&list, "EMPTY"), "");
	ck_assert_ptr_null(environment_get(&list, "PAT"));
	ck_assert_ptr_null(environment_get(&list, "path"));
	ck_assert_ptr_null(environment_get(&list, ""));
	strv_finish(&list);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("environment");
	TCase *tcase = tcase_create("environment");

	tcase_add_loop_test(tcase, variable, 0, LENGTH(variables));
	tcase_add_test(tcase, values);
	tcase_add_test(tcase, preload_of_clients);
	tcase_add_test(tcase, no_object);
	tcase_add_test(tcase, get);
	suite_add_tcase(suite, tcase);
	return suite;
}
