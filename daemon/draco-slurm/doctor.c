/* doctor.c: draco-slurm's requests for dracoctl doctor: the state of Slurm for this user.
 *
 *	munge     {}                     -> {socket, sure, error}
 *	inspect   {partitions: [name], directives: {name: [text]}, no_memory}
 *	                                 -> {cluster, version, sbatch, controllers: [{host, up}],
 *	                                     partitions: [{name, default, state, nodes, max_time_s,
 *	                                     usable, cores, memory_mib, start, refused}],
 *	                                     way: way_describe()}
 *	try       {name, partition, directives: [text], no_memory, script, output, directory,
 *	           environment, deadline} -> {job_id}
 *
 * inspect skips named partitions that do not exist. For the others it counts the nodes that could
 * run a job, tells the most cores and memory of one node, and asks slurmctld when a small job of
 * this user would start. refused is the reason of a refusal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/settings.h"
#include "common/strv.h"
#include "daemon/draco-slurm/munge.h"
#include "daemon/draco-slurm/sbatch.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

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

static json_t *describe_partition(const struct slurm_partition *p)
{
	static const char *const states[] = {
		[SLURM_PARTITION_UP] = "up",
		[SLURM_PARTITION_DOWN] = "down",
		[SLURM_PARTITION_DRAIN] = "drain",
		[SLURM_PARTITION_INACTIVE] = "inactive",
	};

	return json_pack("{s:o, s:b, s:s, s:I, s:I}", "name", json_text(p->name), "default",
		p->is_default, "state", states[p->state], "nodes", (json_int_t)p->total_nodes,
		"max_time_s", (json_int_t)p->max_time_s);
}

/* What a site may demand of each job, such as an account, from directives and no_memory. */
static void demand(
	struct slurm_submission *wish, const json_t *directives, const json_t *params)
{
	json_add_texts(directives, &wish->directives);
	if (json_get_boolean(params, "no_memory", 0))
		wish->memory_mib = MEMORY_NONE;
}

static enum slurm_outcome predict(
	json_t *object, const char *partition, const json_t *params, struct err *err)
{
	struct slurm_submission wish;
	struct sbatch_answer answer;
	enum slurm_outcome outcome;

	describe_small(partition, &wish);
	demand(&wish, json_object_get(json_object_get(params, "directives"), partition),
		params);
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

/* Count the nodes of a partition that could run a job, and add the most cores and memory of any of
 * its nodes. */
static void describe_nodes(
	const struct slurm_nodes *nodes, const struct slurm_partition *p, json_t *object)
{
	json_int_t usable = 0, cores = 0, memory = 0;

	for (size_t i = 0; i < p->nodes; i++) {
		const struct slurm_node *node;

		if (p->node[i] == SLURM_HIDDEN)
			continue;
		node = &nodes->node[p->node[i]];
		usable += node->usable;
		cores = node->cpus > cores ? node->cpus : cores;
		memory = node->memory_mib > memory ? node->memory_mib : memory;
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
	const json_t *params, json_t *ret_partitions, struct err *err)
{
	const json_t *names = json_object_get(params, "partitions");
	struct slurm_partitions all = {0};
	struct slurm_nodes nodes;
	enum slurm_outcome outcome = way()->nodes(NULL, &nodes, err);

	if (outcome == OUTCOME_DONE)
		outcome = way()->partitions(&nodes, &all, err);
	for (size_t i = 0; i < all.count && outcome == OUTCOME_DONE; i++) {
		const struct slurm_partition *p = &all.partition[i];
		json_t *object = describe_partition(p);

		json_array_append_new(ret_partitions, object);
		if (!p->name || !is_named(names, p->name))
			continue;
		describe_nodes(&nodes, p, object);
		outcome = predict(object, p->name, params, err);
	}
	slurm_partitions_finish(&all);
	slurm_nodes_finish(&nodes);
	return outcome;
}

static json_t *list_controllers(const struct slurm_conf_facts *conf)
{
	json_t *list = json_array();

	for (size_t i = 0; i < conf->hosts.count; i++)
		json_array_append_new(list,
			json_pack("{s:o, s:b}", "host", json_text(conf->hosts.item[i]), "up",
				way()->ping(conf, i)));
	return list;
}

enum slurm_outcome call_inspect(const json_t *params, json_t **ret_result, struct err *err)
{
	static const struct strv none = STRV_INIT;
	_cleanup_free_ char *sbatch = sbatch_find(&none);
	json_t *partitions = json_array();
	struct slurm_conf_facts conf;
	enum slurm_outcome outcome = way_conf(&conf, err);

	if (outcome == OUTCOME_DONE)
		outcome = inspect_partitions(params, partitions, err);
	if (outcome == OUTCOME_DONE)
		*ret_result = json_pack("{s:o, s:o, s:o, s:o, s:O, s:o}", "cluster",
			json_text(conf.cluster), "version", json_text(conf.version), "sbatch",
			json_text(sbatch), "controllers", list_controllers(&conf), "partitions",
			partitions, "way", way_describe());
	json_decref(partitions);
	slurm_conf_facts_finish(&conf);
	return outcome;
}

enum slurm_outcome call_try(const json_t *params, json_t **ret_result, struct err *err)
{
	json_int_t left_s = json_get_integer(params, "deadline", 0) - (json_int_t)time(NULL);
	struct slurm_submission wish;
	struct sbatch_answer answer;
	enum slurm_outcome outcome;

	describe_small(json_get_text(params, "partition", NULL), &wish);
	demand(&wish, json_object_get(params, "directives"), params);
	json_add_texts(json_object_get(params, "environment"), &wish.environment);
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
