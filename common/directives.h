/* directives.h: options of sbatch(1) that a user may pass on to the jobs: one table. Pure.
 *
 * A directive is an option as sbatch has it, "--mail-type=END", without the dashes just as
 * well, "mail-type=END", "contiguous", or with its letter, "-L matlab". dracod and dracoctl
 * check by this table before anything is submitted; draco-slurm
 * (daemon/draco-slurm/directives.c) gives each directive to libslurm. */
#ifndef DRACO_COMMON_DIRECTIVES_H
#define DRACO_COMMON_DIRECTIVES_H

#include <stdint.h>
#include <time.h>

struct err;
struct strv;

enum directive_id {
	DIRECTIVE_ACCOUNT,
	DIRECTIVE_ACCTG_FREQ,
	DIRECTIVE_BATCH,
	DIRECTIVE_BB,
	DIRECTIVE_BEGIN,
	DIRECTIVE_CLUSTER_CONSTRAINT,
	DIRECTIVE_COMMENT,
	DIRECTIVE_CONSTRAINT,
	DIRECTIVE_CONTAINER,
	DIRECTIVE_CONTIGUOUS,
	DIRECTIVE_CORE_SPEC,
	DIRECTIVE_CORES_PER_SOCKET,
	DIRECTIVE_DEADLINE,
	DIRECTIVE_DELAY_BOOT,
	DIRECTIVE_DEPENDENCY,
	DIRECTIVE_EXCLUDE,
	DIRECTIVE_EXCLUSIVE,
	DIRECTIVE_EXTRA,
	DIRECTIVE_EXTRA_NODE_INFO,
	DIRECTIVE_GPU_FREQ,
	DIRECTIVE_GPUS,
	DIRECTIVE_GPUS_PER_NODE,
	DIRECTIVE_GPUS_PER_SOCKET,
	DIRECTIVE_GPUS_PER_TASK,
	DIRECTIVE_GRES,
	DIRECTIVE_GRES_FLAGS,
	DIRECTIVE_HINT,
	DIRECTIVE_KILL_ON_INVALID_DEP,
	DIRECTIVE_LICENSES,
	DIRECTIVE_MAIL_TYPE,
	DIRECTIVE_MAIL_USER,
	DIRECTIVE_MCS_LABEL,
	DIRECTIVE_MINCPUS,
	DIRECTIVE_NETWORK,
	DIRECTIVE_NICE,
	DIRECTIVE_NO_KILL,
	DIRECTIVE_NODELIST,
	DIRECTIVE_OOM_KILL_STEP,
	DIRECTIVE_OVERSUBSCRIBE,
	DIRECTIVE_PREFER,
	DIRECTIVE_PRIORITY,
	DIRECTIVE_PROFILE,
	DIRECTIVE_QOS,
	DIRECTIVE_REBOOT,
	DIRECTIVE_SIGNAL,
	DIRECTIVE_SOCKETS_PER_NODE,
	DIRECTIVE_SWITCHES,
	DIRECTIVE_THREAD_SPEC,
	DIRECTIVE_THREADS_PER_CORE,
	DIRECTIVE_TMP,
	DIRECTIVE_WCKEY,
	DIRECTIVE_COUNT,
};

/* What a value is, and what directive.number holds for it. */
enum directive_kind {
	DIRECTIVE_KIND_TEXT,	 /* a word, a list, a text of one line: only text */
	DIRECTIVE_KIND_FLAG,	 /* none, or true and false: 1 or 0 */
	DIRECTIVE_KIND_NUMBER,	 /* from minimum to maximum */
	DIRECTIVE_KIND_PRIORITY, /* as a number; "top" is -1 */
	DIRECTIVE_KIND_SIZE,	 /* MiB; a bare number is MiB already */
	DIRECTIVE_KIND_SPAN,	 /* in the forms of --time: seconds */
	DIRECTIVE_KIND_WHEN,	 /* in the forms of --begin: seconds since the epoch */
	DIRECTIVE_KIND_WORD,	 /* which of words */
	DIRECTIVE_KIND_WORDS,	 /* some of words with commas between: 1 << which */
	DIRECTIVE_KIND_GPUS,	 /* "2", "a100:2", "a100:1,v100:1": only text */
	DIRECTIVE_KIND_SIGNAL,	 /* "[R|B:]SIGNAL[@SECONDS]": signal, seconds, SIGNAL_TO_* */
	DIRECTIVE_KIND_SWITCHES, /* "COUNT[@TIME]": count, seconds or -1 */
	DIRECTIVE_KIND_SOCKETS,	 /* "SOCKETS[:CORES[:THREADS]]": the three; -1: not given */
};

enum {			     /* in number[2] of a SIGNAL */
	SIGNAL_TO_BATCH = 1, /* the batch script only */
	SIGNAL_TO_RESERVATION =
		2, /* also when jobs of a higher priority need the reservation */
};

enum directive_exclusive { /* the words of exclusive */
	EXCLUSIVE_WORD_TRUE,
	EXCLUSIVE_WORD_FALSE,
	EXCLUSIVE_WORD_USER,
	EXCLUSIVE_WORD_MCS,
	EXCLUSIVE_WORD_TOPO,
};

enum directive_gres_flag { /* the words of gres-flags */
	GRES_WORD_DISABLE_BINDING,
	GRES_WORD_ENFORCE_BINDING,
	GRES_WORD_MULTIPLE_TASKS,
	GRES_WORD_ONE_TASK,
	GRES_WORD_COUNT,
};

enum directive_hint { /* the words of hint */
	HINT_WORD_COMPUTE_BOUND,
	HINT_WORD_MEMORY_BOUND,
	HINT_WORD_MULTITHREAD,
	HINT_WORD_NOMULTITHREAD,
};

enum directive_mail { /* the words of mail-type */
	MAIL_WORD_NONE,
	MAIL_WORD_BEGIN,
	MAIL_WORD_END,
	MAIL_WORD_FAIL,
	MAIL_WORD_REQUEUE,
	MAIL_WORD_ALL,
	MAIL_WORD_INVALID_DEPEND,
	MAIL_WORD_STAGE_OUT,
	MAIL_WORD_TIME_LIMIT,
	MAIL_WORD_TIME_LIMIT_90,
	MAIL_WORD_TIME_LIMIT_80,
	MAIL_WORD_TIME_LIMIT_50,
	MAIL_WORD_ARRAY_TASKS,
	MAIL_WORD_COUNT,
};

enum directive_profile { /* the words of profile */
	PROFILE_WORD_NONE,
	PROFILE_WORD_ALL,
	PROFILE_WORD_ENERGY,
	PROFILE_WORD_TASK,
	PROFILE_WORD_LUSTRE,
	PROFILE_WORD_NETWORK,
	PROFILE_WORD_COUNT,
};

struct directive_type {
	const char *name; /* as sbatch's long option */
	char letter;	  /* as its short one; 0: none */
	enum directive_kind kind;
	int64_t minimum, maximum;
	const char *const *words; /* ended by NULL */
	const char *alone; /* the value that the name alone stands for; NULL: one is needed */
};

extern const struct directive_type directive_types[DIRECTIVE_COUNT];

struct directive {
	enum directive_id id;
	const char *text; /* the value, a part of what was parsed; "" for a name alone */
	int64_t number[3];
};

/* The option that a directive names, by its long name, and the value as it is given (NULL:
 * none), a part of text. -ENOENT and -EPERM as below; -EINVAL: it names nothing. */
int directive_split(const char *text, const char **ret_name, const char **ret_value,
	struct err *err) __attribute__((warn_unused_result));

/* Understand one directive. now is for times such as "now+1hour". -ENOENT: not an option that
 * draco knows, with near ones in err; -EPERM: one that draco itself sets, with the setting to
 * use instead; -EINVAL or -ERANGE: its value is wrong. */
int directive_parse(const char *text, time_t now, struct directive *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Understand all of a list; each may be given once. */
int directives_check(const struct strv *list, time_t now, struct err *err)
	__attribute__((warn_unused_result));

#endif
