/* command.c: runs one of Slurm's commands, and tells from its words what became of it. */
#include "daemon/draco-slurm/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/sbatch_words.h"
#include "daemon/draco-slurm/program.h"
#include "daemon/draco-slurm/sbatch.h"

#define OUTPUT_MAX	    (48 * 1024 * 1024) /* below what dracod reads of one answer */
#define VERSION_DEADLINE_MS 5000

static char *find(const char *name)
{
	static const struct strv none = STRV_INIT;
	_cleanup_free_ char *sbatch = sbatch_find(&none);
	_cleanup_free_ char *path = NULL;

	if (!sbatch)
		return NULL;
	*strrchr(sbatch, '/') = '\0';
	path = xasprintf("%s/%s", sbatch, name);
	return access(path, X_OK) == 0 ? TAKE_PTR(path) : sbatch_find_command(name);
}

static bool is_forgiven(const char *line, const char *const *forgiven)
{
	for (; forgiven && *forgiven; forgiven++)
		if (strstr(line, *forgiven))
			return true;
	return false;
}

/* The last line that is not empty and not forgiven, without the names and words in front of it. "":
 * none. *ret_forgave: there was one that is forgiven. */
static char *last_words(const struct command *command, const char *text, bool *ret_forgave)
{
	struct strv lines = STRV_INIT;
	_cleanup_free_ char *prefix = xasprintf("%s: ", command->name);
	const char *const skipped[] = {prefix, "error: ", "fatal: "};
	const char *last = "";
	char *words;

	*ret_forgave = false;
	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++)
		if (is_forgiven(lines.item[i], command->forgiven))
			*ret_forgave = true;
		else
			last = lines.item[i];
	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
		if (strncmp(last, skipped[i], strlen(skipped[i])) == 0)
			last += strlen(skipped[i]);
	words = xstrdup(last);
	strv_finish(&lines);
	return words;
}

/* Slurm's reason comes after ": ", or at the beginning. */
static enum sbatch_reason find_reason(char *words)
{
	enum sbatch_reason found = SBATCH_REASON_ANSWER;

	for (char *at = words; at && found == SBATCH_REASON_ANSWER;) {
		struct sbatch_words only = {.text = words, .reason = at};

		found = sbatch_reason_find(&only);
		at = strstr(at, ": ");
		at = at ? at + 2 : NULL;
	}
	if (found == SBATCH_REASON_ANSWER) {
		struct sbatch_words without = {.text = words};

		found = sbatch_reason_find(&without);
	}
	return found;
}

/* The command has ended without success. */
static enum slurm_outcome failure_of(const struct command *command,
	const struct program *program, const char *words, struct err *err)
{
	char *copy;
	enum sbatch_reason reason;

	if (!program->ended) {
		err_set(err, -ETIMEDOUT, "%s: %s has not ended within %d s%s%s", command->what,
			command->name, (int)(command->deadline_ms / 1000), *words ? ": " : "",
			words);
		return OUTCOME_UNCERTAIN;
	}
	if (!*words) {
		err_set(err, -EIO, "%s: %s ended with status %d and said nothing",
			command->what, command->name,
			WIFEXITED(program->status) ? WEXITSTATUS(program->status) : -1);
		return OUTCOME_UNCERTAIN;
	}
	err_set(err, -EIO, "%s: %s", command->what, words);
	copy = xstrdup(words);
	reason = find_reason(copy);
	free(copy);
	if (reason == SBATCH_REASON_UNUSABLE && command->changes)
		return OUTCOME_UNCERTAIN;
	return sbatch_outcome(reason);
}

static enum slurm_outcome understand(
	const struct command *command, struct program *program, struct err *err)
{
	bool forgave, right = program->ended && program->status == 0;
	_cleanup_free_ char *words = last_words(command, program->words, &forgave);

	/* scancel ends with status 0 even if Slurm has refused. */
	if (right && command->changes && *words && strstr(program->words, "error: "))
		right = false;
	if (!right && !(program->ended && forgave && !*words))
		return failure_of(command, program, words, err);
	if (program->truncated) {
		err_set(err, -EFBIG, "%s: %s prints more than %d MiB", command->what,
			command->name, OUTPUT_MAX / (1024 * 1024));
		return OUTCOME_UNREACHABLE;
	}
	return OUTCOME_DONE;
}

enum slurm_outcome command_run(const struct command *command, char **ret_out, struct err *err)
{
	_cleanup_free_ char *path = find(command->name);
	struct strv environment = STRV_INIT;
	struct program program = {
		.path = path,
		.name = command->name,
		.arguments = command->arguments,
		.environment = &environment,
		.directory = "/",
		.input = "",
		.out_max = OUTPUT_MAX,
		.deadline_ms = command->deadline_ms,
	};
	enum slurm_outcome outcome;

	*ret_out = NULL;
	if (!path) {
		err_set(err, -ENOENT, "%s: no %s is in PATH (%s)", command->what, command->name,
			getenv("PATH") ? getenv("PATH") : "not set");
		return OUTCOME_UNUSABLE;
	}
	for (char **variable = environ; *variable; variable++)
		strv_add(&environment, *variable);
	strv_add(&environment, "SLURM_TIME_FORMAT=%s");
	outcome = program_run(&program, err) < 0 ? OUTCOME_UNUSABLE
						 : understand(command, &program, err);
	if (outcome == OUTCOME_DONE)
		*ret_out = TAKE_PTR(program.out);
	program_finish(&program);
	strv_finish(&environment);
	return outcome;
}

char *command_version(void)
{
	struct strv arguments = STRV_INIT;
	struct command command = {.name = "scontrol",
		.arguments = &arguments,
		.what = "cannot run Slurm's commands",
		.deadline_ms = VERSION_DEADLINE_MS};
	struct err err = ERR_INIT;
	_cleanup_free_ char *out = NULL;
	const char *number;

	strv_add(&arguments,
		"--version"); /* "slurm 22.05.8"; Debian's say "slurm-wlm 22.05.8" */
	command_run(&command, &out, &err);
	strv_finish(&arguments);
	number = out ? strrchr(out, ' ') : NULL;
	return number ? xstrndup(number + 1, strcspn(number + 1, "\n")) : NULL;
}
