/* check_variables.c: tests of client/variables.c: what may get into an environment, and how. */
#include "unit.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/variables.h"
#include "common/alloc.h"

static const struct {
	const char *answer;
	const char *text; /* of the error; NULL: none */
} answers[] = {
	{"{}", NULL},
	{"{\"DASK_SCHEDULER_ADDRESS\": \"tls://10.0.0.1:8786\", \"DASK_A__B_2\": \"\"}", NULL},
	{"{\"DASK_X\": \"'\\\\ !$(id)`id` gr\\u00fcn\"}", NULL},
	{"[]", "no variables"},
	{"null", "no variables"},
	{"{\"DASK_X\": \"\", \"LD_PRELOAD\": \"/tmp/x.so\"}", "variable LD_PRELOAD,"},
	{"{\"PYTHONPATH\": \"/tmp\"}", "variable PYTHONPATH,"},
	{"{\"DASK_\": \"\"}", "variable DASK_,"},
	{"{\"DASK\": \"\"}", "variable DASK,"},
	{"{\"\": \"\"}", "variable ,"},
	{"{\"dask_x\": \"\"}", "variable dask_x,"},
	{"{\"DASK_x\": \"\"}", "variable DASK_x,"},
	{"{\"XDASK_X\": \"\"}", "variable XDASK_X,"},
	{"{\"DASK_X=1; id #\": \"\"}", "variable DASK_X=1; id #,"},
	{"{\"DASK_X\\nid\": \"\"}", "variable DASK_X\\x0aid,"},
	{"{\"DASK_\\u001b[2J\": \"\"}", "variable DASK_\\x1b[2J,"},
	{"{\"DASK_X\": 7}", "DASK_X to what"},
	{"{\"DASK_X\": null}", "DASK_X to what"},
	{"{\"DASK_X\": \"a\\nb\"}", "DASK_X to what"},
	{"{\"DASK_X\": \"\\u001b\"}", "DASK_X to what"},
	{"{\"DASK_X\": \"\\u009b\"}", "DASK_X to what"},
};

START_TEST(check)
{
	json_t *answer = json_loads(answers[_i].answer, JSON_DECODE_ANY, NULL);
	struct err err = ERR_INIT;

	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(variables_check(answer, &err), answers[_i].text ? -EPERM : 0);
	if (answers[_i].text)
		unit_assert_err(&err, -EPERM, answers[_i].text);
	json_decref(answer);
}
END_TEST

#define PRELOAD	  "DASK_DISTRIBUTED__CLIENT__PRELOAD"
#define FROM_HERE "[\"/home/x/tls/1/tls_fix.py\"]"

static const struct {
	const char *here, *answer, *expected; /* NULL: none */
} preloads[] = {
	{NULL, NULL, NULL},
	{NULL, FROM_HERE, FROM_HERE},
	{"", FROM_HERE, FROM_HERE},
	{"[\"/home/x/tls/0/tls_fix.py\"]", FROM_HERE, FROM_HERE},
	{"[\"/home/x/tls/0/tls_fix.py\"]", NULL, "[]"},
	{"['mine']", FROM_HERE, NULL},
	{"['mine']", NULL, NULL},
};

START_TEST(keep_preloads)
{
	json_t *answer = preloads[_i].answer ? json_pack("{s:s}", PRELOAD, preloads[_i].answer)
					     : json_object();
	const char *got;

	if (preloads[_i].here)
		setenv(PRELOAD, preloads[_i].here, 1);
	else
		unsetenv(PRELOAD);
	variables_keep_preloads(answer);
	got = json_string_value(json_object_get(answer, PRELOAD));
	if (preloads[_i].expected)
		ck_assert_str_eq(got, preloads[_i].expected);
	else
		ck_assert_ptr_null(got);
	json_decref(answer);
	unsetenv(PRELOAD);
}
END_TEST

static const struct {
	const char *text, *sh, *csh, *fish;
} words[] = {
	{"", "''", "''", "''"},
	{"a b", "'a b'", "'a b'", "'a b'"},
	{"it's", "'it'\\''s'", "'it'\\''s'", "'it\\'s'"},
	{"''", "''\\'''\\'''", "''\\'''\\'''", "'\\'\\''"},
	{"a!b", "'a!b'", "'a'\\!'b'", "'a!b'"},
	{"\\", "'\\'", "'\\'", "'\\\\'"},
	{"\\'", "'\\'\\'''", "'\\'\\'''", "'\\\\\\''"},
	{"$(id) `id` $x ~ * {a,b} \"", "'$(id) `id` $x ~ * {a,b} \"'",
		"'$(id) `id` $x ~ * {a,b} \"'", "'$(id) `id` $x ~ * {a,b} \"'"},
};

START_TEST(quote)
{
	char *sh = variables_quote_sh(words[_i].text),
	     *csh = variables_quote_csh(words[_i].text);
	char *fish = variables_quote_fish(words[_i].text);

	ck_assert_str_eq(sh, words[_i].sh);
	ck_assert_str_eq(csh, words[_i].csh);
	ck_assert_str_eq(fish, words[_i].fish);
	free(sh);
	free(csh);
	free(fish);
}
END_TEST

/* What the shell itself takes the word for; NULL where that shell is not here. */
static char *ask_shell(const char *shell, const char *word)
{
	char *command = xasprintf(
		"command -v %s >/dev/null || exit 77; exec %s -c \"$1\"", shell, shell);
	char *script = xasprintf("printf %%s %s", word);
	char text[256] = "";
	int output[2], status;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	ck_assert_int_eq(pipe(output), 0);
	pid = fork();
	if (pid == 0) {
		dup2(output[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, "sh", script, NULL);
		_exit(127);
	}
	close(output[1]);
	while ((n = read(output[0], text + used, sizeof(text) - 1 - used)) > 0)
		used += (size_t)n;
	close(output[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	free(command);
	free(script);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("%s is not here: not tested\n", shell);
		return NULL;
	}
	ck_assert_msg(status == 0, "%s: %d", shell, status);
	return xstrdup(text);
}

START_TEST(shells_agree)
{
	static const struct {
		const char *name;
		char *(*quote)(const char *text);
	} shells[] = {
		{"sh", variables_quote_sh},
		{"bash", variables_quote_sh},
		{"zsh", variables_quote_sh},
		{"csh", variables_quote_csh},
		{"tcsh", variables_quote_csh},
		{"fish", variables_quote_fish},
	};

	for (size_t i = 0; i < LENGTH(shells); i++) {
		char *word = shells[i].quote(words[_i].text);
		char *text = ask_shell(shells[i].name, word);

		if (text)
			ck_assert_str_eq(text, words[_i].text);
		free(word);
		free(text);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("variables");
	TCase *all = tcase_create("all");

	tcase_add_loop_test(all, check, 0, LENGTH(answers));
	tcase_add_loop_test(all, keep_preloads, 0, LENGTH(preloads));
	tcase_add_loop_test(all, quote, 0, LENGTH(words));
	tcase_add_loop_test(all, shells_agree, 0, LENGTH(words));
	suite_add_tcase(suite, all);
	return suite;
}
