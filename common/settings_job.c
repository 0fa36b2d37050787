/* settings_job.c: the settings for the resources of jobs, and for what runs in them. Pure. */
#include "common/settings_job.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/expand.h"
#include "common/settings_list.h"
#include "common/strv.h"

#define SCRIPT_MAX    (64 * 1024) /* of prologue and of epilogue */
#define VARIABLE_MAX  (64 * 1024)
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Settings that are options of sbatch under another name. */
static const struct {
	enum setting_id setting;
	const char *directive;
} as_directives[] = {
	{SETTING_ACCOUNT, "account"},
	{SETTING_QOS, "qos"},
	{SETTING_CONSTRAINT, "constraint"},
	{SETTING_GRES, "gres"},
	{SETTING_GPUS, "gpus"},
	{SETTING_EXCLUSIVE, "exclusive"},
	{SETTING_LICENSES, "licenses"},
	{SETTING_NODELIST, "nodelist"},
	{SETTING_EXCLUDE, "exclude"},
	{SETTING_MAIL_TYPE, "mail-type"},
	{SETTING_MAIL_USER, "mail-user"},
	{SETTING_LEAST_WALLTIME, "time-min"},
};

/* Arguments of Dask's commands that draco itself gives, and what to use instead. */
struct taken {
	const char *option;
	const char *instead;
};

static const struct taken taken_of_worker[] = {
	{"--name", "is set by draco, to know a job's workers"},
	{"--nworkers", "is set by draco: use the setting processes"},
	{"--nprocs", "is set by draco: use the setting processes"},
	{"--nthreads", "is set by draco: use the setting threads"},
	{"--memory-limit", "is set by draco: use the settings memory and processes"},
	{"--local-directory", "is set by draco: use the setting scratch_directory"},
	{"--scheduler-file", "is not possible: draco gives the scheduler's address"},
	{"--host", "is set by draco: use the setting interface"},
	{"--interface", "is set by draco: use the setting interface"},
	{"--worker-port", "is set by draco: use the setting worker_port"},
	{"--nanny-port", "is set by draco: use the setting nanny_port"},
	{"--dashboard-address", "is set by draco: workers have no dashboard"},
	{"--help", "would start no worker"},
	{"--version", "would start no worker"},
};

static const struct taken taken_of_scheduler[] = {
	{"--host", "is set by draco: use the setting interface"},
	{"--port", "is set by draco: use the setting scheduler_port"},
	{"--interface", "is set by draco: use the setting interface"},
	{"--dashboard", "is set by draco: use the setting dashboard"},
	{"--no-dashboard", "is set by draco: use the setting dashboard"},
	{"--dashboard-address",
		"is set by draco: use the settings dashboard_address and dashboard_port"},
	{"--help", "would start no scheduler"},
	{"--version", "would start no scheduler"},
};

/* The setting's value as a directive; NULL: not set. The caller frees. */
static char *as_directive(const struct settings *settings, size_t i)
{
	const struct setting *setting = &settings_table[as_directives[i].setting];
	const char *name = as_directives[i].directive;
	const void *value = (const char *)settings + setting->offset;

	if (setting->type == SETTING_BOOLEAN)
		return *(const bool *)value ? xstrdup(name) : NULL;
	if (setting->type == SETTING_WALLTIME) { /* sbatch takes minutes */
		int64_t seconds = *(const int64_t *)value;

		return seconds ? xasprintf("%s=%" PRId64, name, (seconds + 59) / 60) : NULL;
	}
	value = *(char *const *)value;
	return value ? xasprintf("%s=%s", name, (const char *)value) : NULL;
}

void settings_directives(const struct settings *settings, struct strv *ret)
{
	for (size_t i = 0; i < LENGTH(as_directives); i++) {
		char *text = as_directive(settings, i);

		if (text)
			strv_take(ret, text);
	}
	for (size_t i = 0; i < settings->directives.count; i++)
		strv_add(ret, settings->directives.item[i]);
}

bool setting_is_directive(enum setting_id id)
{
	for (size_t i = 0; i < LENGTH(as_directives); i++)
		if (as_directives[i].setting == id && id != SETTING_LEAST_WALLTIME)
			return true;
	return false;
}

void settings_directives_at(struct strv *list, const struct strv *place)
{
	directives_merge(list, place);
	for (size_t i = 0; i < place->count; i++) {
		const char *value = strchr(place->item[i], '=');

		if (value && text_is_none(value + 1))
			strv_remove(list, place->item[i]);
	}
}

/* Slurm itself checks the rest. */
static int check_directives(const struct settings *settings, struct err *err)
{
	for (size_t k = 0; k < LENGTH(as_directives); k++) {
		char **item =
			directives_find(&settings->directives, as_directives[k].directive);
		_cleanup_free_ char *same = as_directive(settings, k);

		if (item && same)
			return err_set(err, -EINVAL,
				"%s: the setting %s gives it, too: leave out one of them",
				*item, settings_table[as_directives[k].setting].name);
	}
	return 0;
}

static int check_script(const char *text, struct err *err)
{
	if (text && strlen(text) > SCRIPT_MAX)
		return err_set(err, -EINVAL,
			"the text has %zu bytes, and at most %d are possible: call a script of "
			"your own instead",
			strlen(text), SCRIPT_MAX);
	return 0;
}

static int check_environment(const struct strv *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->item[i];
		size_t length = strcspn(text, "=");
		bool right =
			text[length] == '=' && length > 0 && !isdigit((unsigned char)text[0]);

		for (size_t k = 0; k < length; k++)
			right &= isalnum((unsigned char)text[k]) || text[k] == '_';
		if (!right)
			return err_set(err, -EINVAL,
				"\"%s\" is not of the form NAME=VALUE, NAME of letters, digits and "
				"\"_\"",
				text);
		if (strlen(text) > VARIABLE_MAX)
			return err_set(err, -EINVAL,
				"the value of %.*s is longer than %d characters", (int)length,
				text, VARIABLE_MAX);
		if (strncmp(text, "SLURM_", 6) == 0 || strncmp(text, "SBATCH_", 7) == 0)
			return err_set(err, -EINVAL,
				"%.*s is for Slurm alone to set: for an option of sbatch use "
				"directives",
				(int)length, text);
	}
	return 0;
}

static int check_options(
	const struct strv *list, const struct taken *taken, size_t count, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->item[i];
		size_t length = strcspn(text, "= ");

		if (text[0] == '-' && text[length] == ' ')
			return err_set(err, -EINVAL,
				"\"%s\" is one argument: write %.*s=%s, or make it two items",
				text, (int)length, text, text + length + 1);
		for (size_t k = 0; k < count; k++)
			if (strlen(taken[k].option) == length &&
				strncmp(taken[k].option, text, length) == 0)
				return err_set(err, -EINVAL, "%s %s", taken[k].option,
					taken[k].instead);
	}
	return 0;
}

static int check_modules(const struct strv *list, struct err *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *text = list->item[i];
		char before = '.';
		bool right = true;

		for (const char *c = text; right && *c; before = *c++)
			right = isalpha((unsigned char)*c) || *c == '_' ||
				(before != '.' && (isdigit((unsigned char)*c) || *c == '.'));
		if (!right || before == '.')
			return err_set(err, -EINVAL,
				"\"%s\" is not the name of a module, such as dask.dataframe",
				text);
	}
	return 0;
}

static int check_directory(const char *text, struct err *err)
{
	if (!text || (text[0] != '/' && text[0] != '$'))
		return err_set(err, -EINVAL,
			"\"%s\" must begin with \"/\", or with a variable, such as $TMPDIR: it "
			"is a directory of the nodes",
			text ? text : "none");
	return expand_check(text, err);
}

int settings_check_job(const struct settings *settings, enum setting_id id, struct err *err)
{
	switch (id) {
	case SETTING_DIRECTIVES:
		return check_directives(settings, err);
	case SETTING_PROLOGUE:
		return check_script(settings->prologue, err);
	case SETTING_EPILOGUE:
		return check_script(settings->epilogue, err);
	case SETTING_JOB_ENVIRONMENT:
		return check_environment(&settings->environment, err);
	case SETTING_WORKER_OPTIONS:
		return check_options(&settings->worker_options, taken_of_worker,
			LENGTH(taken_of_worker), err);
	case SETTING_SCHEDULER_OPTIONS:
		return check_options(&settings->scheduler_options, taken_of_scheduler,
			LENGTH(taken_of_scheduler), err);
	case SETTING_PREIMPORT:
		return check_modules(&settings->preimport, err);
	case SETTING_SCRATCH_DIRECTORY:
		return check_directory(settings->scratch_directory, err);
	default:
		return 0;
	}
}
