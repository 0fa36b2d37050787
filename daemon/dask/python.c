/* python.c: finds the Python for the scheduler and the workers. */
#include "daemon/dask/python.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/json.h"
#include "common/strv.h"
#include "daemon/io/capture.h"
#include "daemon/io/child.h"
#include "daemon/io/loop.h"
#include "daemon/io/writer.h"

#define DEADLINE_MS 60000 /* file systems may be slow */

/* The oldest version of distributed that draco is tested with, the one of Debian 12. */
#define DISTRIBUTED_YEAR  2022
#define DISTRIBUTED_MONTH 12

static const char probe[] =
	"import sys, json, importlib.util\n"
	"version = None\n"
	"if importlib.util.find_spec('distributed'):\n"
	"    from importlib import metadata\n"
	"    version = metadata.version('distributed')\n"
	"print('\\n' + json.dumps({'path': sys.executable, 'distributed': version,\n"
	"    'version': '%d.%d.%d' % sys.version_info[:3] if sys.version_info >= (3, 9)\n"
	"    else None}))\n";

/* The programs in PATH, which a thread looks up. */
struct listing {
	char *wanted, *path;	      /* the setting python; PATH; NULL: none */
	struct strv found;	      /* commands */
	struct python_search *search; /* NULL: nobody waits for it any more */
};

struct python_search {
	struct loop *loop;
	struct listing *listing; /* NULL: it is done */
	struct children *children;
	struct strv environment;
	struct strv candidates; /* commands */
	size_t at;
	bool wanted; /* the user named it in the settings */
	char *tried; /* the reasons against each candidate, for the error */
	struct capture *capture;
	struct loop_timer *later; /* begins, in a turn of its own */
	python_found_fn fn;
	void *arg;
};

/* Read up to nine digits at *text, and move *text behind them. */
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
	if (search->listing)
		search->listing->search = NULL;
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

/* Quote a path, so that it is one word of a command. The caller frees. */
static char *one_word(const char *path)
{
	struct strv words = STRV_INIT;
	char *command;

	if (!path)
		return NULL;
	strv_add(&words, path);
	command = argv_format(&words);
	strv_finish(&words);
	return command;
}

static void judge(struct python_search *search, const json_t *answer)
{
	const char *path = json_get_text(answer, "path", NULL);
	_cleanup_free_ char *own = one_word(path);
	struct python python = {
		.command = search->wanted || !path ? search->candidates.item[search->at] : own,
		.version = json_get_text(answer, "version", NULL),
		.distributed = json_get_text(answer, "distributed", NULL),
	};
	struct err err = ERR_INIT;

	if (!path || !python.version) {
		note(search, "is not a Python 3.9 or later");
	} else if (path[0] != '/') {
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
		timed_out			     ? "gave no answer within a minute"
			: child_not_executed(status) ? strerror(child_not_executed(status))
			: *last			     ? last
						     : "does not run");
	search->at++;
	try_next(search);
}

/* Run one candidate. Returns 0, or records why it cannot run. */
static int try(struct python_search *search, const char *command)
{
	const char *path = environment_get(&search->environment, "PATH");
	struct strv words = STRV_INIT;
	struct err err = ERR_INIT;
	int r = argv_split(command, &words, &err);

	if (r == 0) {
		strv_add(&words, "-c");
		strv_add(&words, probe);
		search->capture = capture_start(search->loop, search->children,
			&(struct child_spec){.argv = words.item,
				.search = path ? path : PROGRAM_PATH,
				.envp = search->environment.item,
				.directory = "/"},
			DEADLINE_MS, on_probed, search, &err);
		r = search->capture ? 0 : err.code;
	}
	strv_finish(&words);
	if (r < 0)
		note(search, err.text);
	return r;
}

static void try_next(void *arg)
{
	struct python_search *search = arg;

	for (; search->at < search->candidates.count; search->at++)
		if (try(search, search->candidates.item[search->at]) == 0)
			return;
	fail(search);
}

/* In the thread: list the candidates for the setting python. */
static void list_candidates(void *arg)
{
	struct listing *listing = arg;
	const char *wanted = listing->wanted;
	struct strv words = STRV_INIT, files = STRV_INIT;

	if (wanted && argv_read(wanted, &words, NULL) < 0)
		strv_add(&listing->found, wanted); /* try() records what is wrong with it */
	if (!wanted || (words.count == 1 && !strchr(words.item[0], '/')))
		program_list(listing->path, wanted ? words.item[0] : "python3", &files);
	for (size_t i = 0; i < files.count; i++) {
		struct strv file = {&files.item[i], 1};

		strv_take(&listing->found, argv_format(&file));
	}
	if (words.count && files.count == 0)
		strv_take(&listing->found, argv_format(&words));
	strv_finish(&words);
	strv_finish(&files);
}

static void on_listed(void *arg)
{
	struct listing *listing = arg;
	struct python_search *search = listing->search;

	if (search) {
		search->candidates = listing->found;
		listing->found = (struct strv)STRV_INIT;
		search->listing = NULL;
		loop_timer_start(search->later, 0);
	}
	strv_finish(&listing->found);
	free(listing->wanted);
	free(listing->path);
	free(listing);
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
	search->later = loop_timer_create(loop, try_next, search);
	search->listing = xcalloc(1, sizeof(*search->listing));
	search->listing->wanted = wanted ? xstrdup(wanted) : NULL;
	xreplace(&search->listing->path, environment_get(environment, "PATH"));
	search->listing->search = search;
	writer_run(WRITER_PATH, list_candidates, on_listed, search->listing);
	return search;
}

struct python_search *python_search_cancel(struct python_search *search)
{
	if (!search)
		return NULL;
	capture_cancel(search->capture);
	return release(search);
}
