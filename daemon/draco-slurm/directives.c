/* directives.c: sbatch's options as members of the job description of libslurm. Pure. */
#include "daemon/draco-slurm/directives.h"

#include <errno.h>
#include <slurm/slurm_version.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/strv.h"

/* "gres:gpu:2" became "gres/gpu:2". Slurm 24.11 still takes both. */
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(24, 11, 0)
#define GRES_PREFIX "gres/"
#else
#define GRES_PREFIX "gres:"
#endif

struct target {
	job_desc_msg_t *job;
	struct strv *texts; /* what is made here for members of job */
};

typedef int (*set_fn)(const struct target *target, const struct directive *d, struct err *err);

static int not_in_this_slurm(const char *what, struct err *err)
{
	return err_set(err, -EOPNOTSUPP,
		"%s is not known to Slurm %ld.%02ld, which draco uses here", what,
		(long)SLURM_VERSION_NUMBER >> 16 & 0xff,
		(long)SLURM_VERSION_NUMBER >> 8 & 0xff);
}

/* Add text, which the list takes over, to a member that holds words with commas between. */
static void add_text(const struct target *target, char **member, char *text)
{
	if (*member) {
		char *both = xasprintf("%s,%s", *member, text);

		free(text);
		text = both;
	}
	strv_take(target->texts, text);
	*member = text;
}

/* "gpu:2,fs:1" with the prefix in front of each part, where it is not yet. */
static char *with_prefix(const char *prefix, const char *list)
{
	struct strv parts = STRV_INIT, named = STRV_INIT;
	char *text;

	strv_split(&parts, list, ',');
	for (size_t i = 0; i < parts.count; i++) {
		const char *part = parts.item[i];

		if (strncmp(part, "gres:", 5) == 0 || strncmp(part, "gres/", 5) == 0)
			part += 5;
		strv_addf(&named, "%s%s", prefix, part);
	}
	text = strv_join(&named, ",");
	strv_finish(&parts);
	strv_finish(&named);
	return text;
}

static int set_exclusive(
	const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	switch (d->number[0]) {
	case EXCLUSIVE_WORD_TRUE:
		target->job->shared = JOB_SHARED_NONE;
		return 0;
	case EXCLUSIVE_WORD_FALSE:
		return 0;
	case EXCLUSIVE_WORD_USER:
		target->job->shared = JOB_SHARED_USER;
		return 0;
	case EXCLUSIVE_WORD_MCS:
		target->job->shared = JOB_SHARED_MCS;
		return 0;
	default:
#ifdef JOB_SHARED_TOPO
		target->job->shared = JOB_SHARED_TOPO;
		return 0;
#else
		return not_in_this_slurm("the value topo", err);
#endif
	}
}

static int set_oversubscribe(
	const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	if (d->number[0])
		target->job->shared = JOB_SHARED_OK;
	return 0;
}

static int set_extra_node_info(
	const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	if (d->number[0] > 0)
		target->job->sockets_per_node = (uint16_t)d->number[0];
	if (d->number[1] > 0)
		target->job->cores_per_socket = (uint16_t)d->number[1];
	if (d->number[2] > 0)
		target->job->threads_per_core = (uint16_t)d->number[2];
	return 0;
}

static int set_gpu_freq(const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	add_text(target, &target->job->tres_freq, xasprintf("gpu:%s", d->text));
	return 0;
}

static int set_gpus(const struct target *target, const struct directive *d, struct err *err)
{
	char *text = with_prefix(GRES_PREFIX "gpu:", d->text);

	(void)err;
	if (d->id == DIRECTIVE_GPUS)
		add_text(target, &target->job->tres_per_job, text);
	else if (d->id == DIRECTIVE_GPUS_PER_NODE)
		add_text(target, &target->job->tres_per_node, text);
	else if (d->id == DIRECTIVE_GPUS_PER_SOCKET)
		add_text(target, &target->job->tres_per_socket, text);
	else
		add_text(target, &target->job->tres_per_task, text);
	return 0;
}

static int set_gres(const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	if (strcasecmp(d->text, "none") != 0)
		add_text(
			target, &target->job->tres_per_node, with_prefix(GRES_PREFIX, d->text));
	return 0;
}

static int set_gres_flags(
	const struct target *target, const struct directive *d, struct err *err)
{
	static const uint64_t flags[GRES_WORD_COUNT] = {
		[GRES_WORD_DISABLE_BINDING] = GRES_DISABLE_BIND,
		[GRES_WORD_ENFORCE_BINDING] = GRES_ENFORCE_BIND,
#ifdef GRES_MULT_TASKS_PER_SHARING
		[GRES_WORD_MULTIPLE_TASKS] = GRES_MULT_TASKS_PER_SHARING,
#endif
#ifdef GRES_ONE_TASK_PER_SHARING
		[GRES_WORD_ONE_TASK] = GRES_ONE_TASK_PER_SHARING,
#endif
	};

	for (int i = 0; i < GRES_WORD_COUNT; i++) {
		if (!(d->number[0] & INT64_C(1) << i))
			continue;
		if (!flags[i])
			return not_in_this_slurm(directive_types[d->id].words[i], err);
		target->job->bitflags |= flags[i];
	}
	return 0;
}

/* What sbatch makes of a hint as far as it concerns the allocation. */
static int set_hint(const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	if (d->number[0] == HINT_WORD_MEMORY_BOUND)
		target->job->cores_per_socket = 1;
	if (d->number[0] == HINT_WORD_MULTITHREAD)
		target->job->ntasks_per_core = INFINITE16;
	else
		target->job->threads_per_core = 1;
	return 0;
}

static int set_invalid_dep(
	const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	target->job->bitflags |= d->number[0] ? KILL_INV_DEP : NO_KILL_INV_DEP;
	return 0;
}

static int set_mail_type(
	const struct target *target, const struct directive *d, struct err *err)
{
	static const uint16_t types[MAIL_WORD_COUNT] = {
		[MAIL_WORD_BEGIN] = MAIL_JOB_BEGIN,
		[MAIL_WORD_END] = MAIL_JOB_END,
		[MAIL_WORD_FAIL] = MAIL_JOB_FAIL,
		[MAIL_WORD_REQUEUE] = MAIL_JOB_REQUEUE,
		[MAIL_WORD_ALL] = MAIL_INVALID_DEPEND | MAIL_JOB_BEGIN | MAIL_JOB_END |
			MAIL_JOB_FAIL | MAIL_JOB_REQUEUE | MAIL_JOB_STAGE_OUT,
		[MAIL_WORD_INVALID_DEPEND] = MAIL_INVALID_DEPEND,
		[MAIL_WORD_STAGE_OUT] = MAIL_JOB_STAGE_OUT,
		[MAIL_WORD_TIME_LIMIT] = MAIL_JOB_TIME100,
		[MAIL_WORD_TIME_LIMIT_90] = MAIL_JOB_TIME90,
		[MAIL_WORD_TIME_LIMIT_80] = MAIL_JOB_TIME80,
		[MAIL_WORD_TIME_LIMIT_50] = MAIL_JOB_TIME50,
		[MAIL_WORD_ARRAY_TASKS] = MAIL_ARRAY_TASKS,
	};

	(void)err;
	target->job->mail_type = 0;
	for (int i = 0; i < MAIL_WORD_COUNT; i++)
		if (d->number[0] & INT64_C(1) << i)
			target->job->mail_type |= types[i];
	return 0;
}

static int set_nice(const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	target->job->nice = (uint32_t)((int64_t)NICE_OFFSET + d->number[0]);
	return 0;
}

static int set_no_kill(const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	if (d->number[0])
		target->job->kill_on_node_fail = 0;
	return 0;
}

static int set_priority(const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	target->job->priority = d->number[0] < 0 ? NO_VAL - 1 : (uint32_t)d->number[0];
	return 0;
}

static int set_profile(const struct target *target, const struct directive *d, struct err *err)
{
	static const uint32_t profiles[PROFILE_WORD_COUNT] = {
		[PROFILE_WORD_NONE] = ACCT_GATHER_PROFILE_NONE,
		[PROFILE_WORD_ALL] = ACCT_GATHER_PROFILE_ALL,
		[PROFILE_WORD_ENERGY] = ACCT_GATHER_PROFILE_ENERGY,
		[PROFILE_WORD_TASK] = ACCT_GATHER_PROFILE_TASK,
		[PROFILE_WORD_LUSTRE] = ACCT_GATHER_PROFILE_LUSTRE,
		[PROFILE_WORD_NETWORK] = ACCT_GATHER_PROFILE_NETWORK,
	};

	(void)err;
	target->job->profile = 0;
	for (int i = 0; i < PROFILE_WORD_COUNT; i++)
		if (d->number[0] & INT64_C(1) << i)
			target->job->profile |= profiles[i];
	return 0;
}

static int set_signal(const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	target->job->warn_signal = (uint16_t)d->number[0];
	target->job->warn_time = (uint16_t)d->number[1];
	target->job->warn_flags =
		(uint16_t)((d->number[2] & SIGNAL_TO_BATCH ? KILL_JOB_BATCH : 0) |
			(d->number[2] & SIGNAL_TO_RESERVATION ? KILL_JOB_RESV : 0));
	return 0;
}

static int set_switches(const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	target->job->req_switch = (uint32_t)d->number[0];
	if (d->number[1] >= 0)
		target->job->wait4switch = (uint32_t)d->number[1];
	return 0;
}

static int set_thread_spec(
	const struct target *target, const struct directive *d, struct err *err)
{
	(void)err;
	target->job->core_spec = (uint16_t)(d->number[0] | CORE_SPEC_THREAD);
	return 0;
}

/* The members that take a value as it is, and the functions for the others. An entry without any of
 * them is an option that this libslurm does not have. */
enum member_type { MEMBER_NONE, MEMBER_TEXT, MEMBER_U16, MEMBER_U32, MEMBER_TIME };

#define TEXT(member)                                                \
	{                                                           \
		MEMBER_TEXT, offsetof(job_desc_msg_t, member), NULL \
	}
#define NUMBER(member, type)                                          \
	{                                                             \
		MEMBER_##type, offsetof(job_desc_msg_t, member), NULL \
	}
#define CALL(function)                   \
	{                                \
		MEMBER_NONE, 0, function \
	}

static const struct {
	enum member_type type;
	size_t offset;
	set_fn set;
} setters[DIRECTIVE_COUNT] = {
	[DIRECTIVE_ACCOUNT] = TEXT(account),
	[DIRECTIVE_ACCTG_FREQ] = TEXT(acctg_freq),
	[DIRECTIVE_BATCH] = TEXT(batch_features),
	[DIRECTIVE_BB] = TEXT(burst_buffer),
	[DIRECTIVE_BEGIN] = NUMBER(begin_time, TIME),
	[DIRECTIVE_CLUSTER_CONSTRAINT] = TEXT(cluster_features),
	[DIRECTIVE_COMMENT] = TEXT(comment),
	[DIRECTIVE_CONSTRAINT] = TEXT(features),
#ifdef HAVE_JOB_DESC_MSG_T_CONTAINER
	[DIRECTIVE_CONTAINER] = TEXT(container),
#endif
	[DIRECTIVE_CONTIGUOUS] = NUMBER(contiguous, U16),
	[DIRECTIVE_CORE_SPEC] = NUMBER(core_spec, U16),
	[DIRECTIVE_CORES_PER_SOCKET] = NUMBER(cores_per_socket, U16),
	[DIRECTIVE_DEADLINE] = NUMBER(deadline, TIME),
	[DIRECTIVE_DELAY_BOOT] = NUMBER(delay_boot, U32),
	[DIRECTIVE_DEPENDENCY] = TEXT(dependency),
	[DIRECTIVE_EXCLUDE] = TEXT(exc_nodes),
	[DIRECTIVE_EXCLUSIVE] = CALL(set_exclusive),
#if SLURM_VERSION_NUMBER >= SLURM_VERSION_NUM(23, 2, 0) /* before, the member is unused */
	[DIRECTIVE_EXTRA] = TEXT(extra),
#endif
	[DIRECTIVE_EXTRA_NODE_INFO] = CALL(set_extra_node_info),
	[DIRECTIVE_GPU_FREQ] = CALL(set_gpu_freq),
	[DIRECTIVE_GPUS] = CALL(set_gpus),
	[DIRECTIVE_GPUS_PER_NODE] = CALL(set_gpus),
	[DIRECTIVE_GPUS_PER_SOCKET] = CALL(set_gpus),
	[DIRECTIVE_GPUS_PER_TASK] = CALL(set_gpus),
	[DIRECTIVE_GRES] = CALL(set_gres),
	[DIRECTIVE_GRES_FLAGS] = CALL(set_gres_flags),
	[DIRECTIVE_HINT] = CALL(set_hint),
	[DIRECTIVE_KILL_ON_INVALID_DEP] = CALL(set_invalid_dep),
	[DIRECTIVE_LICENSES] = TEXT(licenses),
	[DIRECTIVE_MAIL_TYPE] = CALL(set_mail_type),
	[DIRECTIVE_MAIL_USER] = TEXT(mail_user),
	[DIRECTIVE_MCS_LABEL] = TEXT(mcs_label),
	[DIRECTIVE_MINCPUS] = NUMBER(pn_min_cpus, U16),
	[DIRECTIVE_NETWORK] = TEXT(network),
	[DIRECTIVE_NICE] = CALL(set_nice),
	[DIRECTIVE_NO_KILL] = CALL(set_no_kill),
	[DIRECTIVE_NODELIST] = TEXT(req_nodes),
#ifdef HAVE_JOB_DESC_MSG_T_OOM_KILL_STEP
	[DIRECTIVE_OOM_KILL_STEP] = NUMBER(oom_kill_step, U16),
#endif
	[DIRECTIVE_OVERSUBSCRIBE] = CALL(set_oversubscribe),
#ifdef HAVE_JOB_DESC_MSG_T_PREFER
	[DIRECTIVE_PREFER] = TEXT(prefer),
#endif
	[DIRECTIVE_PRIORITY] = CALL(set_priority),
	[DIRECTIVE_PROFILE] = CALL(set_profile),
	[DIRECTIVE_QOS] = TEXT(qos),
	[DIRECTIVE_REBOOT] = NUMBER(reboot, U16),
	[DIRECTIVE_SIGNAL] = CALL(set_signal),
	[DIRECTIVE_SOCKETS_PER_NODE] = NUMBER(sockets_per_node, U16),
	[DIRECTIVE_SWITCHES] = CALL(set_switches),
	[DIRECTIVE_THREAD_SPEC] = CALL(set_thread_spec),
	[DIRECTIVE_THREADS_PER_CORE] = NUMBER(threads_per_core, U16),
	[DIRECTIVE_TMP] = NUMBER(pn_min_tmp_disk, U32),
	[DIRECTIVE_WCKEY] = TEXT(wckey),
};

static int apply(const struct target *target, const struct directive *d, struct err *err)
{
	void *member = (char *)target->job + setters[d->id].offset;

	if (setters[d->id].set)
		return setters[d->id].set(target, d, err);
	switch (setters[d->id].type) {
	case MEMBER_TEXT:
		*(char **)member = UNCONST(d->text);
		return 0;
	case MEMBER_U16:
		*(uint16_t *)member = (uint16_t)d->number[0];
		return 0;
	case MEMBER_U32:
		*(uint32_t *)member = (uint32_t)d->number[0];
		return 0;
	case MEMBER_TIME:
		*(time_t *)member = (time_t)d->number[0];
		return 0;
	default:
		return not_in_this_slurm("the option", err);
	}
}

int directives_apply(
	const struct strv *list, job_desc_msg_t *job, struct strv *texts, struct err *err)
{
	struct target target = {job, texts};

	for (size_t i = 0; i < list->count; i++) {
		struct directive directive;
		int r = directive_parse(list->item[i], time(NULL), &directive, err);

		if (r == 0) {
			r = apply(&target, &directive, err);
			if (r < 0)
				err_prefix(err, "--%s", directive_types[directive.id].name);
		}
		if (r < 0)
			return r;
	}
	return 0;
}
