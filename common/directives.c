/* directives.c: options of sbatch(1) that a user may pass on to the jobs: one table. Pure. */
#include "common/directives.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/directive_value.h"
#include "common/err.h"
#include "common/nearest.h"
#include "common/strv.h"

#define NEAR_MAX   4
#define SMALL_MAX  65533 /* Slurm's numbers of 16 bits; the last values mean "none" and "all" */
#define NICE_MAX   2147483645
#define COUNT_MAX  1000000
#define LENGTH(a)  (sizeof(a) / sizeof((a)[0]))
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define TEXT(name, letter)                                          \
	{                                                           \
		name, letter, DIRECTIVE_KIND_TEXT, 0, 0, NULL, NULL \
	}
#define OTHER(name, letter, kind)                                     \
	{                                                             \
		name, letter, DIRECTIVE_KIND_##kind, 0, 0, NULL, NULL \
	}
#define FLAG(name, letter)                                            \
	{                                                             \
		name, letter, DIRECTIVE_KIND_FLAG, 0, 1, NULL, "true" \
	}
#define NUMBER(name, letter, low, high)                                    \
	{                                                                  \
		name, letter, DIRECTIVE_KIND_NUMBER, low, high, NULL, NULL \
	}
#define CHOICE(name, kind, words, alone)                           \
	{                                                          \
		name, 0, DIRECTIVE_KIND_##kind, 0, 0, words, alone \
	}

const struct directive_type directive_types[DIRECTIVE_COUNT] = {
	[DIRECTIVE_ACCOUNT] = TEXT("account", 'A'),
	[DIRECTIVE_ACCTG_FREQ] = TEXT("acctg-freq", 0),
	[DIRECTIVE_BATCH] = TEXT("batch", 0),
	[DIRECTIVE_BB] = TEXT("bb", 0),
	[DIRECTIVE_BEGIN] = OTHER("begin", 'b', WHEN),
	[DIRECTIVE_CLUSTER_CONSTRAINT] = TEXT("cluster-constraint", 0),
	[DIRECTIVE_COMMENT] = TEXT("comment", 0),
	[DIRECTIVE_CONSTRAINT] = TEXT("constraint", 'C'),
	[DIRECTIVE_CONTAINER] = TEXT("container", 0),
	[DIRECTIVE_CONTIGUOUS] = FLAG("contiguous", 0),
	[DIRECTIVE_CORE_SPEC] = NUMBER("core-spec", 'S', 0, 0x7fff),
	[DIRECTIVE_CORES_PER_SOCKET] = NUMBER("cores-per-socket", 0, 1, SMALL_MAX),
	[DIRECTIVE_DEADLINE] = OTHER("deadline", 0, WHEN),
	[DIRECTIVE_DELAY_BOOT] = OTHER("delay-boot", 0, SPAN),
	[DIRECTIVE_DEPENDENCY] = TEXT("dependency", 'd'),
	[DIRECTIVE_EXCLUDE] = TEXT("exclude", 'x'),
	[DIRECTIVE_EXCLUSIVE] = CHOICE(
		"exclusive", WORD, WORDS("true", "false", "user", "mcs", "topo"), "true"),
	[DIRECTIVE_EXTRA] = TEXT("extra", 0),
	[DIRECTIVE_EXTRA_NODE_INFO] = OTHER("extra-node-info", 'B', SOCKETS),
	[DIRECTIVE_GPU_FREQ] = TEXT("gpu-freq", 0),
	[DIRECTIVE_GPUS] = OTHER("gpus", 'G', GPUS),
	[DIRECTIVE_GPUS_PER_NODE] = OTHER("gpus-per-node", 0, GPUS),
	[DIRECTIVE_GPUS_PER_SOCKET] = OTHER("gpus-per-socket", 0, GPUS),
	[DIRECTIVE_GPUS_PER_TASK] = OTHER("gpus-per-task", 0, GPUS),
	[DIRECTIVE_GRES] = TEXT("gres", 0),
	[DIRECTIVE_GRES_FLAGS] = CHOICE("gres-flags", WORDS,
		WORDS("disable-binding", "enforce-binding", "multiple-tasks-per-sharing",
			"one-task-per-sharing"),
		NULL),
	[DIRECTIVE_HINT] = CHOICE("hint", WORD,
		WORDS("compute_bound", "memory_bound", "multithread", "nomultithread"), NULL),
	[DIRECTIVE_KILL_ON_INVALID_DEP] =
		CHOICE("kill-on-invalid-dep", WORD, WORDS("no", "yes"), NULL),
	[DIRECTIVE_LICENSES] = TEXT("licenses", 'L'),
	[DIRECTIVE_MAIL_TYPE] = CHOICE("mail-type", WORDS,
		WORDS("NONE", "BEGIN", "END", "FAIL", "REQUEUE", "ALL", "INVALID_DEPEND",
			"STAGE_OUT", "TIME_LIMIT", "TIME_LIMIT_90", "TIME_LIMIT_80",
			"TIME_LIMIT_50", "ARRAY_TASKS"),
		NULL),
	[DIRECTIVE_MAIL_USER] = TEXT("mail-user", 0),
	[DIRECTIVE_MCS_LABEL] = TEXT("mcs-label", 0),
	[DIRECTIVE_MINCPUS] = NUMBER("mincpus", 0, 1, SMALL_MAX),
	[DIRECTIVE_NETWORK] = TEXT("network", 0),
	[DIRECTIVE_NICE] = {"nice", 0, DIRECTIVE_KIND_NUMBER, -NICE_MAX, NICE_MAX, NULL, "100"},
	[DIRECTIVE_NO_KILL] = FLAG("no-kill", 'k'),
	[DIRECTIVE_NODELIST] = TEXT("nodelist", 'w'),
	[DIRECTIVE_OOM_KILL_STEP] = {"oom-kill-step", 0, DIRECTIVE_KIND_NUMBER, 0, 1, NULL,
		"1"},
	[DIRECTIVE_OVERSUBSCRIBE] = FLAG("oversubscribe", 's'),
	[DIRECTIVE_PREFER] = TEXT("prefer", 0),
	[DIRECTIVE_PRIORITY] = {"priority", 0, DIRECTIVE_KIND_PRIORITY, 1, 0xfffffff0, NULL,
		NULL},
	[DIRECTIVE_PROFILE] = CHOICE("profile", WORDS,
		WORDS("None", "All", "Energy", "Task", "Lustre", "Network"), NULL),
	[DIRECTIVE_QOS] = TEXT("qos", 'q'),
	[DIRECTIVE_REBOOT] = FLAG("reboot", 0),
	[DIRECTIVE_SIGNAL] = OTHER("signal", 0, SIGNAL),
	[DIRECTIVE_SOCKETS_PER_NODE] = NUMBER("sockets-per-node", 0, 1, SMALL_MAX),
	[DIRECTIVE_SWITCHES] = {"switches", 0, DIRECTIVE_KIND_SWITCHES, 1, COUNT_MAX, NULL,
		NULL},
	[DIRECTIVE_THREAD_SPEC] = NUMBER("thread-spec", 0, 0, 0x7fff),
	[DIRECTIVE_THREADS_PER_CORE] = NUMBER("threads-per-core", 0, 1, SMALL_MAX),
	[DIRECTIVE_TMP] = OTHER("tmp", 0, SIZE),
	[DIRECTIVE_WCKEY] = TEXT("wckey", 0),
};

/* Options of sbatch that are draco's business, and what to use instead. */
#define SETTING(name)  "is set by draco: use the setting " name
#define NO_TASKS       "is about tasks of srun, and draco's jobs have none"
#define NOT_OF_THE_JOB "is about the command sbatch, not about the job"

static const struct reserved {
	const char *name;
	char letter;
	const char *why;
} reserved[] = {
	{"array", 'a', "is set by draco: minimum and maximum give the number of jobs"},
	{"bbf", 0, "is not possible: give its text by bb"},
	{"chdir", 'D', "is set by draco: the workers run where dracoctl start was called"},
	{"clusters", 'M', "is not possible: draco uses the cluster that SLURM_CONF names"},
	{"cpu-bind", 0, NO_TASKS},
	{"cpu-freq", 0, NO_TASKS},
	{"cpus-per-gpu", 0, SETTING("cores")},
	{"cpus-per-task", 'c', SETTING("cores")},
	{"distribution", 'm', NO_TASKS},
	{"error", 'e', SETTING("log_directory")},
	{"export", 0, SETTING("environment")},
	{"export-file", 0, SETTING("environment")},
	{"get-user-env", 0, SETTING("prologue")},
	{"gid", 0, "is not possible: the jobs run as you"},
	{"gpu-bind", 0, NO_TASKS},
	{"help", 'h', NOT_OF_THE_JOB},
	{"hold", 'H', "is not possible: a job that is held never starts"},
	{"ignore-pbs", 0, NOT_OF_THE_JOB},
	{"input", 'i', "is not possible: workers have no input"},
	{"job-name", 'J',
		"is set by draco, to find its jobs: dracoctl --name names the cluster"},
	{"mem", 0, SETTING("memory")},
	{"mem-bind", 0, NO_TASKS},
	{"mem-per-cpu", 0, SETTING("memory")},
	{"mem-per-gpu", 0, SETTING("memory")},
	{"no-requeue", 0, "is set by draco, which replaces lost jobs itself"},
	{"nodefile", 'F', "is not possible: use nodelist"},
	{"nodes", 'N',
		"is set by draco: a job has one node, and minimum and maximum give the jobs"},
	{"ntasks", 'n', SETTING("processes")},
	{"ntasks-per-core", 0, SETTING("processes")},
	{"ntasks-per-gpu", 0, SETTING("processes")},
	{"ntasks-per-node", 0, SETTING("processes")},
	{"ntasks-per-socket", 0, SETTING("processes")},
	{"open-mode", 0, SETTING("log_directory")},
	{"output", 'o', SETTING("log_directory")},
	{"overcommit", 'O', NO_TASKS},
	{"parsable", 0, NOT_OF_THE_JOB},
	{"partition", 'p', SETTING("queues_to_try")},
	{"propagate", 0, "is not possible: use ulimit in the setting prologue"},
	{"quiet", 'Q', NOT_OF_THE_JOB},
	{"requeue", 0, "is set by draco, which replaces lost jobs itself"},
	{"reservation", 0, SETTING("reservation")},
	{"spread-job", 0, "is not possible: a job of draco has one node"},
	{"test-only", 0, NOT_OF_THE_JOB},
	{"time", 't', SETTING("walltime")},
	{"time-min", 0, SETTING("walltime")},
	{"tres-per-task", 0, "is not possible: use cores, and gres or gpus"},
	{"uid", 0, "is not possible: the jobs run as you"},
	{"usage", 0, NOT_OF_THE_JOB},
	{"use-min-nodes", 0, "is not possible: a job of draco has one node"},
	{"verbose", 'v', NOT_OF_THE_JOB},
	{"version", 'V', NOT_OF_THE_JOB},
	{"wait", 'W', NOT_OF_THE_JOB},
	{"wait-all-nodes", 0, "is not possible: a job of draco has one node"},
	{"wrap", 0, SETTING("prologue")},
	{"x11", 0, "is not possible: workers have no display"},
};

/* The option's name in text (ret_name, its length ret_length) and the value, NULL when there is
 * none. A letter stands for itself. */
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
	if (*ret_value && !**ret_value && text[-1] != '=') /* only blanks */
		*ret_value = NULL;
}

/* '_' counts as '-'. */
static bool same_name(const char *known, const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!known[i] || (known[i] != name[i] && !(known[i] == '-' && name[i] == '_')))
			return false;
	return !known[length];
}

static int refuse_reserved(
	const char *name, size_t length, char letter, const char *given, struct err *err)
{
	for (size_t i = 0; i < LENGTH(reserved); i++)
		if (letter ? reserved[i].letter == letter
			   : same_name(reserved[i].name, name, length))
			return err_set(err, -EPERM, "%s: --%s %s", given, reserved[i].name,
				reserved[i].why);
	return 0;
}

static int refuse_unknown(const char *name, const char *given, struct err *err)
{
	const char *known[DIRECTIVE_COUNT + LENGTH(reserved)], *near[NEAR_MAX];
	_cleanup_free_ char *list = NULL;
	struct strv words = STRV_INIT;
	size_t count, total = 0;

	for (size_t i = 0; i < DIRECTIVE_COUNT; i++)
		known[total++] = directive_types[i].name;
	for (size_t i = 0; i < LENGTH(reserved); i++)
		known[total++] = reserved[i].name;
	count = nearest_some(name, known, total, sizeof(known[0]), near, NEAR_MAX);
	for (size_t i = 0; i < (count ? count : DIRECTIVE_COUNT); i++)
		strv_add(&words, count ? near[i] : directive_types[i].name);
	list = strv_join(&words, ", ");
	strv_finish(&words);
	return err_set(err, -ENOENT, "%s: draco knows no option \"%s\" of sbatch%s%s", given,
		name, count ? "; near ones: " : "; known: ", list);
}

static int find(const char *name, size_t length, char letter)
{
	for (int id = 0; id < DIRECTIVE_COUNT; id++)
		if (letter ? directive_types[id].letter == letter
			   : same_name(directive_types[id].name, name, length))
			return id;
	return -ENOENT;
}

/* The option that text names; -ENOENT, -EPERM and -EINVAL as directive_parse(). */
static int identify(const char *text, const char **ret_value, struct err *err)
{
	_cleanup_free_ char *word = NULL;
	const char *name;
	size_t length;
	char letter;
	int id, r;

	split(text, &name, &length, &letter, ret_value);
	if (length == 0)
		return err_set(err, -EINVAL,
			"\"%s\" names no option of sbatch: give NAME=VALUE, such as comment=test",
			text);
	id = find(name, length, letter);
	if (id >= 0)
		return id;
	word = xstrndup(name, length);
	r = refuse_reserved(name, length, letter, text, err);
	return r < 0 ? r : refuse_unknown(word, text, err);
}

int directive_split(
	const char *text, const char **ret_name, const char **ret_value, struct err *err)
{
	const char *value;
	int id = identify(text, &value, err);

	if (id < 0)
		return id;
	*ret_name = directive_types[id].name;
	*ret_value = value;
	return 0;
}

int directive_parse(const char *text, time_t now, struct directive *ret, struct err *err)
{
	struct directive directive = {0};
	const struct directive_type *type;
	const char *value;
	int id, r;

	id = identify(text, &value, err);
	if (id < 0)
		return id;
	type = &directive_types[id];
	directive.id = (enum directive_id)id;
	directive.text = value ? value : "";
	if (!value && !type->alone)
		return err_set(err, -EINVAL, "%s: --%s needs a value", text, type->name);
	r = directive_value_parse(
		type, value ? value : type->alone, now, directive.number, err);
	if (r < 0) {
		err_prefix(err, "--%s", type->name);
		return r;
	}
	*ret = directive;
	return 0;
}

int directives_check(const struct strv *list, time_t now, struct err *err)
{
	bool given[DIRECTIVE_COUNT] = {false};

	for (size_t i = 0; i < list->count; i++) {
		struct directive directive;
		int r = directive_parse(list->item[i], now, &directive, err);

		if (r < 0)
			return r;
		if (given[directive.id])
			return err_set(err, -EINVAL, "--%s is given twice",
				directive_types[directive.id].name);
		given[directive.id] = true;
	}
	return 0;
}
