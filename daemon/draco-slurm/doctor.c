/* doctor.c: draco-slurm's requests for dracoctl doctor: the state of Slurm for this user.
 *
 *	munge     {}                     -> {socket, sure, error}
 *	inspect   {partitions: [name]}   -> {cluster, version, sbatch, controllers: [{host, up}],
 *	                                     partitions: [{name, default, state, nodes, max_time_s,
 *	                                     usable, cores, memory_mib, start, refused}]}
 *	try       {name, partition, script, output, directory, environment, deadline} -> {job_id}
 *
 * inspect skips named partitions that do not exist. For the others it counts the nodes that could
 * run a job, tells the most cores and memory of one node, and asks slurmctld when a small job of
 * this user would start. refused is the reason of a refusal. */
#include <errno.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/strv.h"
#include "daemon/draco-slurm/compat.h"
#include "daemon/draco-slurm/munge.h"
#include "daemon/draco-slurm/sbatch.h"
#include "daemon/draco-slurm/slurm_calls.h"

#define SMALL_MEMORY_MIB    200
#define SMALL_S		    300
#define PREDICT_DEADLINE_MS 10000

enum slurm_outcome call_munge(const json_t *params, json_t **ret_result, struct err *err)
{
	struct err why = ERR_INIT;
	bool sure;
	char *socket = munge_socket(&sure);

	(void)params;
	(void)err;
	munge_check(&why);
	*ret_result = json_pack("{s:o, s:b, s:o}", "socket", json_text(socket), "sure", sure,
		"error", json_text(why.code ? why.text : NULL));
	free(socket);
	return OUTCOME_DONE;
}

static void describe_small(const char *partition, struct slurm_submission *ret)
{
	*ret = (struct slurm_submission){
		.name = xstrdup("draco-doctor"),
		.count = 1,
		.script = xstrdup("#!/bin/sh\n"),
		.partition = partition ? xstrdup(partition) : NULL,
		.output = xstrdup("/dev/null"),
		.directory = xstrdup("/"),
		.cores = 1,
		.memory_mib = SMALL_MEMORY_MIB,
		.walltime_s = SMALL_S,
	};
}

static const char *state_name(uint16_t state)
{
	switch (state) {
	case PARTITION_UP:
		return "up";
	case PARTITION_DOWN:
		return "down";
	case PARTITION_DRAIN:
		return "drain";
	default:
		return "inactive";
	}
}

/* In seconds; -1: unlimited. */
static json_int_t seconds_of(uint32_t minutes)
{
	return minutes == INFINITE || minutes == NO_VAL ? -1 : (json_int_t)minutes * 60;
}

static json_t *describe_partition(const partition_info_t *p)
{
	return json_pack("{s:o, s:b, s:s, s:I, s:I}", "name", json_text(p->name), "default",
		(p->flags & PART_FLAG_DEFAULT) != 0, "state", state_name(p->state_up), "nodes",
		(json_int_t)p->total_nodes, "max_time_s", seconds_of(p->max_time));
}

static enum slurm_outcome predict(json_t *object, const char *partition, struct err *err)
{
	struct slurm_submission wish;
	struct sbatch_answer answer;
	enum slurm_outcome outcome;

	describe_small(partition, &wish);
	outcome = sbatch_predict(&wish, PREDICT_DEADLINE_MS, &answer, err);
	slurm_submission_finish(&wish);
	if (outcome == OUTCOME_DONE) {
		json_object_set_new(object, "start", json_integer((json_int_t)answer.start));
		free(answer.said);
	} else if (outcome == OUTCOME_REFUSED || outcome == OUTCOME_BUSY) {
		json_object_set_new(object, "refused", json_text(err->text));
		outcome = OUTCOME_DONE;
	}
	return outcome;
}

static bool is_usable(const node_info_t *node)
{
	uint32_t base = node->node_state & NODE_STATE_BASE;

	return base != NODE_STATE_DOWN && base != NODE_STATE_ERROR &&
		base != NODE_STATE_FUTURE && base != NODE_STATE_UNKNOWN &&
		!(node->node_state & (NODE_STATE_DRAIN | NODE_STATE_FAIL));
}

/* Count the nodes of a partition that could run a job, and add the most cores and memory of any of
 * its nodes. */
static void describe_nodes(
	const node_info_msg_t *nodes, const partition_info_t *p, json_t *object)
{
	json_int_t usable = 0, cores = 0, memory = 0;

	/* node_inx holds pairs of first and last index, ended by -1. */
	for (const int32_t *pair = p->node_inx; pair && pair[0] >= 0; pair += 2)
		for (int32_t i = pair[0]; i <= pair[1] && i < (int32_t)nodes->record_count;
			i++) {
			const node_info_t *node = &nodes->node_array[i];
			json_int_t has = (json_int_t)(node->real_memory - node->mem_spec_limit);

			if (!node->name)
				continue;
			usable += is_usable(node);
			cores = node->cpus > cores ? node->cpus : cores;
			memory = has > memory ? has : memory;
		}
	json_object_set_new(object, "usable", json_integer(usable));
	json_object_set_new(object, "cores", json_integer(cores));
	json_object_set_new(object, "memory_mib", json_integer(memory));
}

static bool is_named(const json_t *names, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (names, i, item)
		if (json_is_string(item) && strcmp(json_string_value(item), name) == 0)
			return true;
	return false;
}

static enum slurm_outcome inspect_partitions(
	const json_t *names, json_t *ret_partitions, struct err *err)
{
	partition_info_msg_t *all = NULL;
	node_info_msg_t *nodes = NULL;
	enum slurm_outcome outcome = OUTCOME_DONE;

	if (slurm_load_partitions(0, &all, SHOW_ALL) != SLURM_SUCCESS)
		return call_failure("cannot read the partitions", false, err);
	if (slurm_load_node(0, &nodes, SHOW_ALL) != SLURM_SUCCESS) {
		slurm_free_partition_info_msg(all);
		return call_failure("cannot read the nodes", false, err);
	}
	for (uint32_t i = 0; i < all->record_count && outcome == OUTCOME_DONE; i++) {
		const partition_info_t *p = &all->partition_array[i];
		json_t *object = describe_partition(p);

		json_array_append_new(ret_partitions, object);
		if (!is_named(names, p->name))
			continue;
		describe_nodes(nodes, p, object);
		outcome = predict(object, p->name, err);
	}
	slurm_free_partition_info_msg(all);
	slurm_free_node_info_msg(nodes);
	return outcome;
}

static json_t *list_controllers(const slurm_conf_t *conf)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < conf->control_cnt; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:b}", "host", json_text(conf->control_machine[i]),
				"up", slurm_ping((int)i) == SLURM_SUCCESS));
	return list;
}

enum slurm_outcome call_inspect(const json_t *params, json_t **ret_result, struct err *err)
{
	static const struct strv none = STRV_INIT;
	_cleanup_free_ char *sbatch = sbatch_find(&none);
	json_t *partitions = json_array();
	slurm_conf_t *conf = NULL;
	enum slurm_outcome outcome;

	if (slurm_load_ctl_conf(0, &conf) != SLURM_SUCCESS)
		outcome = call_failure("cannot reach slurmctld", false, err);
	else
		outcome = inspect_partitions(
			json_object_get(params, "partitions"), partitions, err);
	if (outcome == OUTCOME_DONE)
		*ret_result = json_pack("{s:o, s:o, s:o, s:o, s:O}", "cluster",
			json_text(conf->cluster_name), "version", json_text(conf->version),
			"sbatch", json_text(sbatch), "controllers", list_controllers(conf),
			"partitions", partitions);
	json_decref(partitions);
	if (conf)
		compat_free_conf(conf);
	return outcome;
}

enum slurm_outcome call_try(const json_t *params, json_t **ret_result, struct err *err)
{
	json_int_t left_s = json_get_integer(params, "deadline", 0) - (json_int_t)time(NULL);
	struct slurm_submission wish;
	struct sbatch_answer answer;
	enum slurm_outcome outcome;
	const json_t *item;
	size_t i;

	describe_small(json_get_text(params, "partition", NULL), &wish);
	json_array_foreach (json_object_get(params, "environment"), i, item)
		strv_add(&wish.environment, json_string_value(item));
	xreplace(&wish.name, json_get_text(params, "name", "draco-doctor"));
	xreplace(&wish.script, json_get_text(params, "script", "#!/bin/sh\n"));
	xreplace(&wish.output, json_get_text(params, "output", "/dev/null"));
	xreplace(&wish.directory, json_get_text(params, "directory", "/"));
	/* If the job cannot end in time, Slurm itself removes it, even if dracoctl is gone. */
	if (left_s > 0)
		strv_addf(&wish.directives, "deadline=now+%" JSON_INTEGER_FORMAT, left_s);
	outcome = sbatch_submit(&wish, &answer, err);
	slurm_submission_finish(&wish);
	if (outcome != OUTCOME_DONE)
		return outcome;
	*ret_result = json_pack("{s:I}", "job_id", (json_int_t)answer.job_id);
	free(answer.said);
	return outcome;
}
