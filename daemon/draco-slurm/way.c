/* way.c: chooses the way to talk to Slurm: libslurm, or Slurm's commands.
 *
 * libslurm is right if it can be loaded, is no part of a conda environment, and is of the same
 * major release as the commands here and as slurmctld, whose structures and messages it shares. One
 * that does not start where the commands work is left alone: it may end the process. */
#include "daemon/draco-slurm/way.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/part.h"
#include "common/slurm_variables.h"
#include "common/strv.h"
#include "daemon/draco-slurm/command.h"
#include "daemon/draco-slurm/program.h"

#define TRIAL_MS 6000

enum wanted { WANTED_AUTO, WANTED_LIBSLURM, WANTED_COMMANDS };

static struct {
	enum wanted wanted;
	const struct way_module *module; /* NULL: not loaded, or not usable */
	const struct way *way;
	char *why;	/* this way was chosen */
	char *commands; /* the version of the commands; NULL: not asked, or there are none */
	bool changed;
	bool broken; /* the libslurm that fits does not start */
} chosen = {.way = &way_commands};

static enum wanted read_wanted(void)
{
	const char *text = getenv(SLURM_VARIABLE_INTERFACE);

	if (text && strcmp(text, "libslurm") == 0)
		return WANTED_LIBSLURM;
	return text && strcmp(text, "commands") == 0 ? WANTED_COMMANDS : WANTED_AUTO;
}

/* Is the file below the directory that CONDA_PREFIX names? */
static bool is_of_conda(const char *path)
{
	const char *conda = getenv("CONDA_PREFIX");
	_cleanup_free_ char *real = realpath(path, NULL);
	_cleanup_free_ char *prefix = conda && *conda ? realpath(conda, NULL) : NULL;
	size_t length = prefix ? strlen(prefix) : 0;

	return real && length > 1 && strncmp(real, prefix, length) == 0 && real[length] == '/';
}

/* Load the module. NULL with *ret_why: it cannot be used. */
static const struct way_module *load(char **ret_why)
{
	_cleanup_free_ char *path = part_find(WAY_MODULE, PKGLIBEXECDIR);
	const struct way_module *module;
	void *handle;

	if (access(path, R_OK) < 0) {
		*ret_why = xstrdup("this draco was built without libslurm");
		return NULL;
	}
	/* Slurm's plugins expect the symbols of libslurm to be global. */
	handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
	module = handle ? dlsym(handle, WAY_MODULE_SYMBOL) : NULL;
	if (!module)
		*ret_why = xasprintf("libslurm cannot be loaded: %s", dlerror());
	else if (strcmp(module->draco, PACKAGE_VERSION) != 0)
		*ret_why = xasprintf("%s is of draco %s", path, module->draco);
	else if (is_of_conda(module->path()))
		*ret_why = xasprintf(
			"the libslurm that was found is that of a conda environment: %s",
			module->path());
	else
		return module;
	return NULL; /* the module stays: libslurm may have begun threads */
}

/* Are both of the same major release? Also if that is not known of one. */
static bool is_same_release(const char *a, const char *b)
{
	char release_a[16], release_b[16];

	return !a || !b || !slurm_major_release(a, release_a) ||
		!slurm_major_release(b, release_b) || strcmp(release_a, release_b) == 0;
}

static void take(const struct way *which, char *why)
{
	chosen.changed |= chosen.way != which;
	chosen.way = which;
	free(chosen.why);
	chosen.why = why;
}

void way_try(void)
{
	_cleanup_free_ char *why = NULL;
	const struct way_module *module = load(&why);

	if (module)
		module->begin();
	_exit(module ? 0 : 1);
}

/* What a program has written last. */
static const char *last_line(char *words)
{
	char *end = words + strlen(words);

	while (end > words && end[-1] == '\n')
		*--end = '\0';
	end = strrchr(words, '\n');
	return end ? end + 1 : words;
}

/* Does libslurm start? A process of its own tries, because libslurm may exit, crash or hang. NULL:
 * it does; otherwise why not. The caller frees. */
static char *try_libslurm(void)
{
	_cleanup_free_ char *path = part_find("draco-slurm", PKGLIBEXECDIR);
	struct strv arguments = STRV_INIT, environment = STRV_INIT;
	struct program trial = {
		.path = path,
		.name = "draco-slurm",
		.arguments = &arguments,
		.environment = &environment,
		.directory = "/",
		.input = "",
		.deadline_ms = TRIAL_MS,
	};
	struct err err = ERR_INIT;
	char *why = NULL;

	strv_add(&arguments, WAY_TRIAL);
	for (char **variable = environ; *variable; variable++)
		strv_add(&environment, *variable);
	if (program_run(&trial, &err) < 0)
		why = xstrdup(err.text);
	else if (!trial.ended)
		why = xasprintf("it has not started within %d s", TRIAL_MS / 1000);
	else if (WIFSIGNALED(trial.status))
		why = xstrdup(strsignal(WTERMSIG(trial.status)));
	else if (trial.status != 0 && *trial.words)
		why = xstrdup(last_line(trial.words));
	else if (trial.status != 0)
		why = xasprintf("it ended with status %d", WEXITSTATUS(trial.status));
	program_finish(&trial);
	strv_finish(&arguments);
	strv_finish(&environment);
	return why;
}

/* Do the commands reach slurmctld? */
static bool commands_work(void)
{
	struct slurm_conf_facts conf = {0};
	struct err err = ERR_INIT;
	bool work = chosen.commands && way_commands.conf(&conf, &err) == OUTCOME_DONE;

	slurm_conf_facts_finish(&conf);
	return work;
}

/* Take the libslurm that fits, unless only the commands work. */
static void take_libslurm(void)
{
	_cleanup_free_ char *why_not = try_libslurm();

	chosen.broken = why_not && commands_work();
	if (chosen.broken)
		take(&way_commands, xasprintf("libslurm does not start: %s", why_not));
	else
		take(&chosen.module->way, xstrdup("it is of the same release as Slurm here"));
}

int way_choose(struct err *err)
{
	_cleanup_free_ char *why_not = NULL;

	chosen.wanted = read_wanted();
	chosen.broken = false;
	free(TAKE_PTR(chosen.commands));
	chosen.module = chosen.wanted == WANTED_COMMANDS ? NULL : load(&why_not);
	if (chosen.wanted == WANTED_LIBSLURM && !chosen.module)
		return err_set(err, -ENOTSUP, "slurm_interface is libslurm, and %s", why_not);
	if (chosen.wanted != WANTED_LIBSLURM)
		chosen.commands = command_version();
	if (chosen.wanted == WANTED_COMMANDS)
		take(&way_commands, xstrdup("slurm_interface says so"));
	else if (!chosen.module)
		take(&way_commands, TAKE_PTR(why_not));
	else if (chosen.wanted == WANTED_LIBSLURM)
		take(&chosen.module->way, xstrdup("slurm_interface says so"));
	else if (!is_same_release(chosen.module->built, chosen.commands))
		take(&way_commands,
			xasprintf("libslurm is of Slurm %s, and the commands here are of %s",
				chosen.module->built, chosen.commands));
	else
		take_libslurm();
	chosen.changed = false;
	if (chosen.way != &way_commands)
		chosen.module->begin();
	return 0;
}

const struct way *way(void)
{
	return chosen.way;
}

json_t *way_describe(void)
{
	bool commands = chosen.way == &way_commands;

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:b}", "interface",
		commands ? "commands" : "libslurm", "why", json_text(chosen.why), "version",
		json_text(commands ? chosen.commands : chosen.module->built), "built",
		json_text(chosen.module ? chosen.module->built : NULL), "libslurm",
		json_text(chosen.module ? chosen.module->path() : NULL), "broken",
		chosen.broken);
}

/* Go on by the commands, if they may and can be used. */
static bool leave_libslurm(char *why)
{
	if (chosen.wanted != WANTED_AUTO || chosen.way == &way_commands || !chosen.commands) {
		free(why);
		return false;
	}
	take(&way_commands, why);
	return true;
}

enum slurm_outcome way_conf(struct slurm_conf_facts *ret, struct err *err)
{
	enum slurm_outcome outcome = chosen.way->conf(ret, err);

	if (outcome == OUTCOME_DONE && chosen.module &&
		!is_same_release(chosen.module->built, ret->version))
		leave_libslurm(xasprintf("libslurm is of Slurm %s, and slurmctld is of %s",
			chosen.module->built, ret->version));
	return outcome;
}

bool way_takes_over(const struct err *err)
{
	return err->code == -EPROTONOSUPPORT &&
		leave_libslurm(xasprintf("slurmctld does not understand libslurm of Slurm %s",
			chosen.module->built));
}

bool way_has_changed(void)
{
	bool changed = chosen.changed;

	chosen.changed = false;
	return changed;
}
