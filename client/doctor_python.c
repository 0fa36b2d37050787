/* doctor_python.c: check of dracoctl doctor: the Python for the scheduler and the workers. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "client/doctor.h"
#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/strv.h"

#define SLOW_S 10
#define INSTALL \
	"pip install distributed, or apt-get install python3-distributed, or --python COMMAND"

/* The oldest that draco works with. */
static const int oldest_python[2] = {3, 9};
static const int oldest_distributed[2] = {2022, 12};

/* It imports distributed, unlike dracod's search, so that a broken installation shows. */
static const char probe[] =
	"import json, sys\n"
	"answer = {'path': sys.executable, 'python': '%d.%d.%d' % sys.version_info[:3]}\n"
	"try:\n"
	"    import distributed, dask\n"
	"    answer.update(distributed=distributed.__version__, dask=dask.__version__)\n"
	"except Exception as error:\n"
	"    answer['error'] = '%s: %s' % (type(error).__name__, error)\n"
	"for name in 'bokeh', 'numpy':\n"
	"    try:\n"
	"        answer[name] = __import__(name).__version__\n"
	"    except Exception:\n"
	"        pass\n"
	"import os\n"
	"answer['dracos'] = [[p, os.path.exists(p + '/_dracoctl.py')]\n"
	"    for p in dict.fromkeys(os.path.realpath(os.path.join(d or '.', 'draco'))\n"
	"        for d in sys.path)\n"
	"    if os.path.exists(p + '/__init__.py')]\n"
	"print('\\n' + json.dumps(answer))\n";

/* The commands that the setting can mean, for argv_split(). One that argv_split() cannot read stays
 * as it is. */
static void list_candidates(const char *wanted, struct strv *ret)
{
	struct strv words = STRV_INIT, files = STRV_INIT;

	if (wanted && argv_read(wanted, &words, NULL) < 0)
		strv_add(ret, wanted);
	if (!wanted || (words.count == 1 && !strchr(words.item[0], '/')))
		program_list(getenv("PATH"), wanted ? words.item[0] : "python3", &files);
	for (size_t i = 0; i < files.count; i++) {
		struct strv file = {&files.item[i], 1};

		strv_take(ret, argv_format(&file));
	}
	if (words.count && files.count == 0)
		strv_take(ret, argv_format(&words));
	strv_finish(&words);
	strv_finish(&files);
}

/* The last line of a command's output. */
static const char *last_line(char *text)
{
	char *newline;

	while (*text && text[strlen(text) - 1] == '\n')
		text[strlen(text) - 1] = '\0';
	newline = strrchr(text, '\n');
	return newline ? newline + 1 : text;
}

/* Run the Python's probe. NULL with *ret_error: it failed. */
static json_t *ask(const char *python, char **ret_error)
{
	struct strv argv = STRV_INIT;
	_cleanup_free_ char *text = NULL;
	struct err err = ERR_INIT;
	json_t *answer = NULL;
	const char *line;
	int status = argv_split(python, &argv, &err);

	if (status == 0) {
		strv_add(&argv, "-c");
		strv_add(&argv, probe);
		status = doctor_capture(argv.item, &text);
		if (status < 0)
			err_set(&err, status, "%s", strerror(-status));
	}
	strv_finish(&argv);
	if (err.code) {
		*ret_error = xstrdup(err.text);
		return NULL;
	}
	line = last_line(text);
	if (status == 0)
		answer = json_loads(line, 0, NULL);
	if (!answer)
		*ret_error = xasprintf("%s", *line ? line : "does not run");
	return answer;
}

static bool is_older(const char *version, const int oldest[2])
{
	int major = 0, minor = 0;

	sscanf(version, "%d.%d", &major, &minor);
	return major != oldest[0] ? major < oldest[0] : minor < oldest[1];
}

/* Why dracod would not take a Python that answers; NULL: it would. */
static char *why_not(const json_t *answer)
{
	const char *error = json_get_text(answer, "error", NULL);
	const char *distributed = json_get_text(answer, "distributed", "?");

	if (is_older(json_get_text(answer, "python", ""), oldest_python))
		return xasprintf(
			"is not a Python %d.%d or later", oldest_python[0], oldest_python[1]);
	if (error)
		return xstrdup(error);
	if (is_older(distributed, oldest_distributed))
		return xasprintf("distributed %s is too old: draco needs %d.%d or later",
			distributed, oldest_distributed[0], oldest_distributed[1]);
	return NULL;
}

static void tell(
	struct report *report, const char *python, const json_t *answer, double seconds)
{
	const char *distributed = json_get_text(answer, "distributed", "?");
	const char *bokeh = json_get_text(answer, "bokeh", NULL);

	report_fact(report, "python", json_text(python));
	report_fact(report, "python_version", json_text(json_get_text(answer, "python", NULL)));
	report_fact(report, "distributed", json_text(distributed));
	report_finding(report, seconds > SLOW_S ? FINDING_WARNING : FINDING_OK, "python",
		"a Python on a faster file system makes each start faster",
		"%s: %s with distributed %s, dask %s%s%s%s, imported in %.1f s", python,
		json_get_text(answer, "python", "?"), distributed,
		json_get_text(answer, "dask", "?"), bokeh ? ", bokeh " : "", bokeh ? bokeh : "",
		bokeh ? "" : ", no bokeh (the dashboard needs it)", seconds);
}

/* Others have a package draco, too. Python imports the first one in its path. */
static void tell_package(struct report *report, const char *python, const json_t *answer)
{
	const char *first = NULL, *ours = NULL;
	const json_t *item;
	bool foreign = false;
	size_t i;

	json_array_foreach (json_object_get(answer, "dracos"), i, item) {
		const char *path = json_string_value(json_array_get(item, 0));
		bool is_ours = json_is_true(json_array_get(item, 1));

		if (i == 0) {
			first = path;
			foreign = !is_ours;
		}
		if (is_ours && !ours)
			ours = path;
	}
	if (first && foreign)
		report_finding(report, FINDING_WARNING, "package",
			"uninstall it there, or use another environment",
			"\"import draco\" in %s takes %s, which is another package%s%s", python,
			first, ours ? ", and hides " : "", ours ? ours : "");
	else if (first)
		report_finding(report, FINDING_OK, "package", NULL, "\"import draco\" takes %s",
			first);
}

void check_python(const struct doctor *doctor, struct report *report)
{
	struct strv candidates = STRV_INIT, wrong = STRV_INIT;
	_cleanup_free_ char *all = NULL;

	list_candidates(doctor->settings.python, &candidates);
	for (size_t i = 0; i < candidates.count; i++) {
		_cleanup_json_ json_t *answer = NULL;
		_cleanup_free_ char *error = NULL;
		struct timespec begin, end;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		answer = ask(candidates.item[i], &error);
		clock_gettime(CLOCK_MONOTONIC, &end);
		if (answer)
			error = why_not(answer);
		if (!error) {
			const char *path = json_get_text(answer, "path", NULL);

			tell(report,
				doctor->settings.python || !path ? candidates.item[i] : path,
				answer,
				(double)(end.tv_sec - begin.tv_sec) +
					(double)(end.tv_nsec - begin.tv_nsec) / 1e9);
			tell_package(report, candidates.item[i], answer);
			return;
		}
		strv_addf(&wrong, "%s: %s", candidates.item[i], error);
	}
	all = strv_join(&wrong, "; ");
	report_finding(report, FINDING_FAILED, "python", INSTALL, "%s",
		*all ? all : "there is no python3 in PATH");
}
