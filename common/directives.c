/* directives.c: the options of sbatch(1) that a user gives for the jobs. Pure. */
#include "common/directives.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/strv.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* The letters of sbatch for options that are not reserved. */
static const struct {
	char letter;
	const char *name;
} letters[] = {
	{'A', "account"},
	{'B', "extra-node-info"},
	{'C', "constraint"},
	{'F', "nodefile"},
	{'G', "gpus"},
	{'L', "licenses"},
	{'O', "overcommit"},
	{'S', "core-spec"},
	{'b', "begin"},
	{'d', "dependency"},
	{'k', "no-kill"},
	{'m', "distribution"},
	{'q', "qos"},
	{'s', "oversubscribe"},
	{'w', "nodelist"},
	{'x', "exclude"},
};

/* The options of sbatch that draco sets itself, and what to use instead. */
#define SETTING(name)  "is set by draco: use the setting " name
#define NOT_OF_THE_JOB "is about the command sbatch, not about the job"

static const struct reserved {
	const char *name;
	char letter;
	const char *why;
} reserved[] = {
	{"array", 'a', "is set by draco: minimum and maximum give the number of jobs"},
	{"chdir", 'D', "is set by draco: the workers run where dracoctl start was called"},
	{"clusters", 'M', "is not possible: draco uses the cluster that SLURM_CONF names"},
	{"cpus-per-gpu", 0, SETTING("cores")},
	{"cpus-per-task", 'c', SETTING("cores")},
	{"error", 'e', SETTING("log_directory")},
	{"export", 0, SETTING("environment")},
	{"export-file", 0, SETTING("environment")},
	{"get-user-env", 0, SETTING("prologue")},
	{"gid", 0, "is not possible: the jobs run as you"},
	{"help", 'h', NOT_OF_THE_JOB},
	{"hold", 'H', "is not possible: a job that is held never starts"},
	{"ignore-pbs", 0, NOT_OF_THE_JOB},
	{"input", 'i', "is not possible: workers have no input"},
	{"job-name", 'J',
		"is set by draco, to find its jobs: dracoctl --name names the cluster"},
	{"mem", 0, SETTING("memory")},
	{"no-requeue", 0, "is set by draco, which replaces lost jobs itself"},
	{"nodes", 'N',
		"is set by draco: a job has one node, and minimum and maximum give the jobs"},
	{"ntasks", 'n', SETTING("processes")},
	{"ntasks-per-core", 0, SETTING("processes")},
	{"ntasks-per-gpu", 0, SETTING("processes")},
	{"ntasks-per-node", 0, SETTING("processes")},
	{"ntasks-per-socket", 0, SETTING("processes")},
	{"open-mode", 0, SETTING("log_directory")},
	{"output", 'o', SETTING("log_directory")},
	{"parsable", 0, NOT_OF_THE_JOB},
	{"partition", 'p', SETTING("queues_to_try")},
	{"quiet", 'Q', NOT_OF_THE_JOB},
	{"requeue", 0, "is set by draco, which replaces lost jobs itself"},
	{"reservation", 0, SETTING("reservation")},
	{"test-only", 0, NOT_OF_THE_JOB},
	{"time", 't', SETTING("walltime")},
	{"time-min", 0, SETTING("least_walltime")},
	{"uid", 0, "is not possible: the jobs run as you"},
	{"usage", 0, NOT_OF_THE_JOB},
	{"verbose", 'v', NOT_OF_THE_JOB},
	{"version", 'V', NOT_OF_THE_JOB},
	{"wait", 'W', NOT_OF_THE_JOB},
	{"wait-all-nodes", 0, "is not possible: a job of draco has one node"},
	{"wrap", 0, SETTING("prologue")},
	{"x11", 0, "is not possible: workers have no display"},
};

/* Split text into the option's name (*ret_name, *ret_length) and its value; NULL: none. A letter
 * counts as a name of its own. */
static void split(const char *text, const char **ret_name, size_t *ret_length, char *ret_letter,
	const char **ret_value)
{
	size_t length;

	text += strspn(text, " \t");
	*ret_letter = 0;
	if (text[0] == '-' && text[1] && text[1] != '-') { /* "-C haswell", "-Chaswell" */
		*ret_letter = text[1];
		*ret_name = text;
		*ret_length = length = 2;
	} else {
		text += strspn(text, "-");
		*ret_name = text;
		*ret_length = length = strcspn(text, "= \t");
	}
	text += length;
	*ret_value = *text ? text : NULL;
	text += strspn(text, " \t");
	text += *text == '=';
	text += strspn(text, " \t");
	if (*ret_value)
		*ret_value = text;
	if (*ret_value && !**ret_value && text[-1] != '=')
		/* Only blanks follow the name. */
		*ret_value = NULL;
}

/* sbatch accepts the beginning of a name in place of the name. */
static const struct reserved *find_reserved(const char *name, char letter)
{
	for (size_t i = 0; i < LENGTH(reserved); i++)
		if (letter ? reserved[i].letter == letter
			   : strncmp(reserved[i].name, name, strlen(name)) == 0)
			return &reserved[i];
	return NULL;
}

static const char *find_letter(char letter)
{
	for (size_t i = 0; i < LENGTH(letters); i++)
		if (letters[i].letter == letter)
			return letters[i].name;
	return NULL;
}

/* sbatch's long names have '-' where others write '_'. NULL: not a long name. The caller frees. */
static char *long_name(const char *name, size_t length)
{
	char *text = xstrndup(name, length);

	for (char *c = text; *c; c++) {
		if (*c == '_')
			*c = '-';
		if (!isalnum((unsigned char)*c) && *c != '-') {
			free(text);
			return NULL;
		}
	}
	return text;
}

int directive_split(const char *text, char **ret_name, const char **ret_value, struct err *err)
{
	_cleanup_free_ char *word = NULL;
	const struct reserved *own;
	const char *name, *value;
	size_t length;
	char letter;

	split(text, &name, &length, &letter, &value);
	word = letter ? NULL : long_name(name, length);
	/* "_x": with '-' for '_' it would be read as a letter. */
	if (length == 0 || (!letter && (!word || *word == '-')))
		return err_set(err, -EINVAL,
			"\"%s\" names no option of sbatch: give NAME=VALUE, such as comment=test",
			text);
	own = find_reserved(word, letter);
	if (own)
		return err_set(err, -EPERM, "%s: --%s %s", text, own->name, own->why);
	if (letter && !find_letter(letter))
		return err_set(err, -EINVAL,
			"%s: draco does not know what -%c is short for: give the long name",
			text, letter);
	*ret_name = letter ? xstrdup(find_letter(letter)) : TAKE_PTR(word);
	*ret_value = value;
	return 0;
}

char **directives_find(const struct strv *list, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->item[i], name, length) == 0 &&
			(list->item[i][length] == '=' || !list->item[i][length]))
			return &list->item[i];
	return NULL;
}

void directives_merge(struct strv *list, const struct strv *more)
{
	for (size_t i = 0; i < more->count; i++) {
		_cleanup_free_ char *name =
			xstrndup(more->item[i], strcspn(more->item[i], "="));
		char **same = directives_find(list, name);

		if (same)
			xreplace(same, more->item[i]);
		else
			strv_add(list, more->item[i]);
	}
}

const char *directives_value(const struct strv *list, const char *name)
{
	char **item = directives_find(list, name);
	const char *rest = item ? *item + strlen(name) : NULL;

	return rest && *rest == '=' ? rest + 1 : rest;
}
