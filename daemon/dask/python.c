/* python.c: the Python that scheduler and workers run in. */
#include "daemon/dask/python.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/home.h"
#include "common/json.h"
#include "common/strv.h"
#include "daemon/io/capture.h"
#include "daemon/io/child.h"
#include "daemon/io/loop.h"

#define DEADLINE_MS 60000 /* shared file systems in the morning */

/* The oldest distributed that draco is tested with: Debian 12's. */
#define DISTRIBUTED_YEAR  2022
#define DISTRIBUTED_MONTH 12

static const char probe[] =
	"import sys, json, importlib.util\n"
	"version = None\n"
	"if importlib.util.find_spec('distributed'):\n"
	"    from importlib import metadata\n"
	"    version = metadata.version('distributed')\n"
	"print('\\n' + json.dumps({'path': sys.executable, 'distributed': version,\n"
	"    'version': '%d.%d.%d' % sys.version_info[:3]}))\n";

struct python_search {
	struct loop *loop;
	struct children *children;
	struct strv environment;
	struct strv candidates;
	size_t at;
	bool wanted; /* the user named it */
	char *tried; /* what was wrong with each, for the error */
	struct capture *capture;
	struct loop_timer *later; /* for an answer that is known at once */
	python_found_fn fn;
	void *arg;
};

/* Up to nine digits at *text; moves *text behind them. */
static bool take_number(const char **text, int *ret)
{
	size_t digits = strspn(*text, "0123456789");

	if (digits == 0 || digits > 9)
		return false;
	*ret = atoi(*text);
	*text += digits;
	return true;
}

int python_check_distributed(const char *version, struct err *err)
{
	const char *at = version;
	int year, month;

	if (!take_number(&at, &year) || *at++ != '.' || !take_number(&at, &month))
		return err_set(err, -EINVAL,
			"cannot read the version \"%s\" of distributed: draco needs %d.%d or later",
			version, DISTRIBUTED_YEAR, DISTRIBUTED_MONTH);
	if (year < DISTRIBUTED_YEAR || (year == DISTRIBUTED_YEAR && month < DISTRIBUTED_MONTH))
		return err_set(err, -EINVAL,
			"distributed %s is too old: draco needs %d.%d or later", version,
			DISTRIBUTED_YEAR, DISTRIBUTED_MONTH);
	return 0;
}

static struct python_search *release(struct python_search *search)
{
	strv_finish(&search->environment);
	strv_finish(&search->candidates);
	loop_timer_destroy(search->later);
	free(search->tried);
	free(search);
	return NULL;
}

static void note(struct python_search *search, const char *what)
{
	char *text = xasprintf("%s%s%s: %s", search->tried ? search->tried : "",
		search->tried ? "; " : "", search->candidates.item[search->at], what);

	free(search->tried);
	search->tried = text;
}

/* PATH may name one file twice, as /bin/python3 and /usr/bin/python3. */
static bool is_known_file(const struct strv *candidates, const char *path)
{
	struct stat a, b;

	if (stat(path, &a) < 0)
		return true;
	for (size_t i = 0; i < candidates->count; i++)
		if (stat(candidates->item[i], &b) == 0 && a.st_dev == b.st_dev &&
			a.st_ino == b.st_ino)
			return true;
	return false;
}

static void list_candidates(const char *path, const char *name, struct strv *ret)
{
	struct strv directories = STRV_INIT;

	strv_split(&directories, path ? path : "/usr/local/bin:/usr/bin:/bin", ':');
	for (size_t i = 0; i < directories.count; i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s", directories.item[i], name);

		if (file[0] == '/' && access(file, X_OK) == 0 && !is_known_file(ret, file))
			strv_add(ret, file);
	}
	strv_finish(&directories);
}

static void fail(struct python_search *search)
{
	struct err err = ERR_INIT;

	if (search->wanted)
		err_set(&err, -ENOENT, "the setting python cannot be used: %s", search->tried);
	else
		err_set(&err, -ENOENT,
			"no python3 in PATH has distributed (%s)\n"
			"  install it there (pip install distributed, or apt-get install "
			"python3-distributed), or name another Python: --python",
			search->tried ? search->tried : "there is no python3");
	search->fn(search->arg, NULL, &err);
	release(search);
}

static void try_next(void *arg);

static void judge(struct python_search *search, const json_t *answer)
{
	struct python python = {
		.path = json_get_text(answer, "path", NULL),
		.version = json_get_text(answer, "version", NULL),
		.distributed = json_get_text(answer, "distributed", NULL),
	};
	struct err err = ERR_INIT;

	if (!python.path || !python.version) {
		note(search, "is not a Python 3.8 or later");
	} else if (python.path[0] != '/') {
		note(search, "does not know its own path (sys.executable)");
	} else if (!python.distributed) {
		note(search, "has no distributed");
	} else if (python_check_distributed(python.distributed, &err) < 0) {
		note(search, err.text);
	} else {
		search->fn(search->arg, &python, NULL);
		release(search);
		return;
	}
	search->at++;
	try_next(search);
}

static void on_probed(void *arg, int status, int timed_out, const char *text)
{
	struct python_search *search = arg;
	const char *end = text + strlen(text);
	_cleanup_free_ char *last = NULL;
	_cleanup_json_ json_t *answer = NULL;
	const char *start;

	search->capture = NULL;
	while (end > text && end[-1] == '\n')
		end--;
	for (start = end; start > text && start[-1] != '\n';)
		start--;
	last = xstrndup(start, (size_t)(end - start));
	if (!timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		answer = json_loads(last, 0, NULL);
	if (answer) {
		judge(search, answer);
		return;
	}
	note(search,
		timed_out	? "gave no answer within a minute"
			: *last ? last
				: "does not run");
	search->at++;
	try_next(search);
}

static void try_next(void *arg)
{
	struct python_search *search = arg;

	for (; search->at < search->candidates.count; search->at++) {
		char *argv[] = {search->candidates.item[search->at], UNCONST("-c"),
			UNCONST(probe), NULL};
		struct err err = ERR_INIT;

		search->capture = capture_start(search->loop, search->children,
			&(struct child_spec){.argv = argv,
				.envp = search->environment.item,
				.directory = "/"},
			DEADLINE_MS, on_probed, search, &err);
		if (search->capture)
			return;
		note(search, err.text);
	}
	fail(search);
}

struct python_search *python_search_start(struct loop *loop, struct children *children,
	const char *wanted, const struct strv *environment, python_found_fn fn, void *arg)
{
	struct python_search *search = xcalloc(1, sizeof(*search));

	search->loop = loop;
	search->children = children;
	search->fn = fn;
	search->arg = arg;
	search->wanted = wanted != NULL;
	strv_copy(&search->environment, environment);
	if (!wanted || !strchr(wanted, '/'))
		list_candidates(environment_get(environment, "PATH"),
			wanted ? wanted : "python3", &search->candidates);
	if (wanted && search->candidates.count == 0)
		strv_take(&search->candidates, home_expand(wanted));
	search->later = loop_timer_create(loop, try_next, search);
	loop_timer_start(search->later, 0);
	return search;
}

struct python_search *python_search_cancel(struct python_search *search)
{
	if (!search)
		return NULL;
	capture_cancel(search->capture);
	return release(search);
}
