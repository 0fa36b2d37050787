/* survey.c: draco-slurm's request "survey": the facts about partitions and reservations that
 * placing a job of a given shape needs. Takes three RPCs, whatever the size of the cluster. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/strv.h"
#include "common/survey.h"
#include "daemon/draco-slurm/slurm_calls.h"

#define GROUPS_MAX 1024

/* The job to find a place for. */
struct shape {
	int64_t cores, memory_mib;
	const struct strv *excluded; /* nodes */
};

/* The user who asks. */
struct person {
	const char *user;
	struct strv groups;
	bool root;
};

static void person_init(struct person *person)
{
	const struct passwd *user = getpwuid(getuid());
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;

	*person = (struct person){.user = user ? user->pw_name : "", .root = getuid() == 0};
	if (!user || getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
		return;
	for (int i = 0; i < count; i++) {
		const struct group *group = getgrgid(groups[i]);

		if (group)
			strv_add(&person->groups, group->gr_name);
	}
}

static bool lists(const char *list, const char *name)
{
	struct strv items = STRV_INIT;
	bool found;

	strv_split(&items, list, ',');
	found = strv_has(&items, name);
	strv_finish(&items);
	return found;
}

static bool lists_any(const char *list, const struct strv *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (lists(list, names->item[i]))
			return true;
	return false;
}

static bool is_set(const char *list)
{
	return list && *list && strcmp(list, "ALL") != 0;
}

static char *deny_partition(const partition_info_t *p, const struct person *person)
{
	if ((p->flags & PART_FLAG_ROOT_ONLY) && !person->root)
		return xstrdup("only root may submit to the partition");
	if ((p->flags & PART_FLAG_NO_ROOT) && person->root)
		return xstrdup("root may not run jobs in the partition");
	if (is_set(p->allow_groups) && !person->root &&
		!lists_any(p->allow_groups, &person->groups))
		return xasprintf(
			"the partition is for the groups %s, and user %s is in none of "
			"them",
			p->allow_groups, person->user);
	/* The user's accounts, and the account of the job, are known to Slurm only. */
	return NULL;
}

/* Slurm writes "-name" for an excluded user. */
static bool is_excluded(const char *list, const char *name)
{
	_cleanup_free_ char *negative = xasprintf("-%s", name);

	return list && lists(list, negative);
}

static char *deny_reservation(const reserve_info_t *r, const struct person *person)
{
	bool open = !r->users && !r->accounts && !r->groups;

	if (is_excluded(r->users, person->user))
		return xasprintf("the reservation is closed to user %s", person->user);
	if (open || (r->users && (lists(r->users, person->user) || r->users[0] == '-')) ||
		(r->groups && lists_any(r->groups, &person->groups)))
		return NULL;
	if (r->accounts) /* only slurmctld knows the accounts */
		return NULL;
	return xasprintf("the reservation is for %s%s, not for user %s",
		r->users ? "users " : "groups ", r->users ? r->users : r->groups, person->user);
}

static bool is_usable(const node_info_t *node)
{
	uint32_t base = node->node_state & NODE_STATE_BASE;

	return base != NODE_STATE_DOWN && base != NODE_STATE_ERROR &&
		base != NODE_STATE_FUTURE &&
		!(node->node_state & (NODE_STATE_DRAIN | NODE_STATE_FAIL));
}

static void count_node(const node_info_t *node, const partition_info_t *info,
	const struct shape *shape, struct survey_partition *p)
{
	int64_t cpus = node->cpus;
	int64_t memory = (int64_t)(node->real_memory - node->mem_spec_limit);
	bool managed = node->real_memory > NO_REAL_MEMORY_MIB;

	if (!node->name) {
		p->nodes_hidden++;
		return;
	}
	if (info->max_cpus_per_node != INFINITE && info->max_cpus_per_node != NO_VAL &&
		cpus > info->max_cpus_per_node)
		cpus = info->max_cpus_per_node;
	p->nodes++;
	if (cpus > p->largest_cpus)
		p->largest_cpus = cpus;
	if (memory > p->largest_memory_mib)
		p->largest_memory_mib = memory;
	if (cpus < shape->cores || (managed && memory < shape->memory_mib))
		return;
	p->nodes_fit++;
	if (strv_has(shape->excluded, node->name))
		p->nodes_excluded++;
	else
		p->nodes_usable += is_usable(node);
}

/* Add the single names of a list such as "n[1-3],n7". */
static void read_nodes(const char *hostlist, struct strv *names)
{
	__auto_type list =
		slurm_hostlist_create(hostlist); /* the type differs between versions */
	char *name;

	while (list && (name = slurm_hostlist_shift(list)) != NULL) {
		strv_add(names, name);
		free(name);
	}
	if (list)
		slurm_hostlist_destroy(list);
}

static struct survey_partition read_partition(const partition_info_t *info,
	const node_info_msg_t *nodes, const struct shape *shape, const struct person *person)
{
	bool limited = info->max_time != INFINITE && info->max_time != NO_VAL;
	struct survey_partition p = {
		.name = xstrdup(info->name),
		.submits = info->state_up & PARTITION_SUBMIT,
		.schedules = info->state_up & PARTITION_SCHED,
		.max_time_s = limited ? (int64_t)info->max_time * 60 : 0,
		.denied = deny_partition(info, person),
	};

	for (const int32_t *range = info->node_inx; range && range[0] >= 0; range += 2)
		for (int32_t i = range[0]; i <= range[1] && i < (int32_t)nodes->record_count;
			i++)
			count_node(&nodes->node_array[i], info, shape, &p);
	return p;
}

static struct survey_reservation read_reservation(
	const reserve_info_t *info, const struct person *person)
{
	return (struct survey_reservation){
		.name = xstrdup(info->name),
		.start = info->start_time,
		.end = info->end_time,
		.denied = deny_reservation(info, person),
		.partition = info->partition ? xstrdup(info->partition) : NULL,
		.nodes = xstrdup(info->node_list ? info->node_list : ""),
		.flexible = info->flags & RESERVE_FLAG_FLEX,
	};
}

enum slurm_outcome call_survey(const json_t *params, json_t **ret_result, struct err *err)
{
	partition_info_msg_t *partitions = NULL;
	reserve_info_msg_t *reservations = NULL;
	node_info_msg_t *nodes = NULL;
	enum slurm_outcome outcome = OUTCOME_DONE;
	struct survey survey = {0};
	struct strv excluded = STRV_INIT;
	struct shape shape = {json_get_integer(params, "cores", 1),
		json_get_integer(params, "memory_mib", 1), &excluded};
	struct person person;

	if (slurm_load_node(0, &nodes, SHOW_ALL) != SLURM_SUCCESS ||
		slurm_load_partitions(0, &partitions, SHOW_ALL) != SLURM_SUCCESS ||
		slurm_load_reservations(0, &reservations) != SLURM_SUCCESS) {
		outcome = call_failure("cannot read the partitions", false, err);
		goto end;
	}
	read_nodes(json_get_text(params, "exclude", ""), &excluded);
	person_init(&person);
	survey.partition = xcalloc(partitions->record_count, sizeof(*survey.partition));
	for (uint32_t i = 0; i < partitions->record_count; i++)
		survey.partition[survey.partitions++] =
			read_partition(&partitions->partition_array[i], nodes, &shape, &person);
	survey.reservation = xcalloc(reservations->record_count, sizeof(*survey.reservation));
	for (uint32_t i = 0; i < reservations->record_count; i++)
		survey.reservation[survey.reservations++] =
			read_reservation(&reservations->reservation_array[i], &person);
	*ret_result = survey_encode(&survey);
	survey_finish(&survey);
	strv_finish(&person.groups);
	strv_finish(&excluded);
end:
	if (nodes)
		slurm_free_node_info_msg(nodes);
	if (partitions)
		slurm_free_partition_info_msg(partitions);
	if (reservations)
		slurm_free_reservation_info_msg(reservations);
	return outcome;
}
