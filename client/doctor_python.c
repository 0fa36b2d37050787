/* doctor_python.c: check of dracoctl doctor: the Python for the scheduler and the workers. */
#include <errno.h>
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
#define OLDEST 202212 /* 2022.12 */

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

static void tell(
	struct report *report, const char *python, const json_t *answer, double seconds)
{
	const char *distributed = json_get_text(answer, "distributed", "?");
	const char *bokeh = json_get_text(answer, "bokeh", NULL);
	int year = 0, month = 0;

	report_fact(report, "python", json_text(python));
	report_fact(report, "python_version", json_text(json_get_text(answer, "python", NULL)));
	report_fact(report, "distributed", json_text(distributed));
	sscanf(distributed, "%d.%d", &year, &month);
	report_finding(report,
		year * 100 + month < OLDEST ? FINDING_FAILED
			: seconds > SLOW_S  ? FINDING_WARNING
					    : FINDING_OK,
		"python",
		year * 100 + month < OLDEST
			? "draco needs distributed 2022.12 or later: " INSTALL
			: "a Python on a faster file system makes each start faster",
		"%s: %s with distributed %s, dask %s%s%s%s, imported in %.1f s", python,
		json_get_text(answer, "python", "?"), distributed,
		json_get_text(answer, "dask", "?"), bokeh ? ", bokeh " : "", bokeh ? bokeh : "",
		bokeh ? "" : ", no bokeh (the dashboard needs it)", seconds);
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
		if (answer && !json_get_text(answer, "error", NULL)) {
			const char *path = json_get_text(answer, "path", NULL);

			tell(report,
				doctor->settings.python || !path ? candidates.item[i] : path,
				answer,
				(double)(end.tv_sec - begin.tv_sec) +
					(double)(end.tv_nsec - begin.tv_nsec) / 1e9);
			return;
		}
		strv_addf(&wrong, "%s: %s", candidates.item[i],
			answer ? json_get_text(answer, "error", "?") : error);
	}
	all = strv_join(&wrong, "; ");
	report_finding(report, FINDING_FAILED, "python", INSTALL, "%s",
		*all ? all : "there is no python3 in PATH");
}
