/* survey.c: draco-slurm's request "survey": the facts about partitions and reservations that
 * placing a job of a given shape needs. Takes few RPCs, whatever the size of the cluster. */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/hostlist.h"
#include "common/json.h"
#include "common/strv.h"
#include "common/survey.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

#define GROUPS_MAX   1024
#define EXCLUDED_MAX 100000

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

static char *deny_partition(const struct slurm_partition *p, const struct person *person)
{
	if (p->root_only && !person->root)
		return xstrdup("only root may submit to the partition");
	if (p->no_root && person->root)
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

static char *deny_reservation(const struct slurm_reservation *r, const struct person *person)
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

static void count_node(const struct slurm_node *node, const struct slurm_partition *info,
	const struct shape *shape, struct survey_partition *p)
{
	int64_t cpus = node->cpus, memory = node->memory_mib;
	bool managed = memory > NO_REAL_MEMORY_MIB;

	if (info->max_cpus != SLURM_UNLIMITED && cpus > info->max_cpus)
		cpus = info->max_cpus;
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
		p->nodes_usable += node->usable;
}

/* Add the single names of a list. A part that cannot be read is left out: Slurm itself decides. */
static void read_nodes(const char *hostlist, struct strv *names)
{
	int r = hostlist_expand(hostlist, EXCLUDED_MAX, names);

	(void)r;
}

static struct survey_partition read_partition(const struct slurm_partition *info,
	const struct slurm_nodes *nodes, const struct shape *shape, const struct person *person)
{
	enum slurm_partition_state state = info->state;
	struct survey_partition p = {
		.name = xstrdup(info->name),
		.submits = state == SLURM_PARTITION_UP || state == SLURM_PARTITION_DOWN,
		.schedules = state == SLURM_PARTITION_UP || state == SLURM_PARTITION_DRAIN,
		.max_time_s = info->max_time_s == SLURM_UNLIMITED ? 0 : info->max_time_s,
		.denied = deny_partition(info, person),
	};

	for (size_t i = 0; i < info->nodes; i++)
		if (info->node[i] == SLURM_HIDDEN)
			p.nodes_hidden++;
		else
			count_node(&nodes->node[info->node[i]], info, shape, &p);
	return p;
}

static struct survey_reservation read_reservation(
	const struct slurm_reservation *info, const struct person *person)
{
	return (struct survey_reservation){
		.name = xstrdup(info->name),
		.start = info->start,
		.end = info->end,
		.denied = deny_reservation(info, person),
		.partition = info->partition ? xstrdup(info->partition) : NULL,
		.nodes = xstrdup(info->nodes ? info->nodes : ""),
		.flexible = info->flexible,
	};
}

static void make_survey(const struct slurm_nodes *nodes,
	const struct slurm_partitions *partitions,
	const struct slurm_reservations *reservations, const struct shape *shape,
	struct survey *ret)
{
	struct person person;

	person_init(&person);
	*ret = (struct survey){0};
	ret->partition = xcalloc(partitions->count, sizeof(*ret->partition));
	for (size_t i = 0; i < partitions->count; i++)
		ret->partition[ret->partitions++] =
			read_partition(&partitions->partition[i], nodes, shape, &person);
	ret->reservation = xcalloc(reservations->count, sizeof(*ret->reservation));
	for (size_t i = 0; i < reservations->count; i++)
		ret->reservation[ret->reservations++] =
			read_reservation(&reservations->reservation[i], &person);
	strv_finish(&person.groups);
}

enum slurm_outcome call_survey(const json_t *params, json_t **ret_result, struct err *err)
{
	struct slurm_partitions partitions = {0};
	struct slurm_reservations reservations = {0};
	struct slurm_nodes nodes;
	enum slurm_outcome outcome = way()->nodes(NULL, &nodes, err);
	struct strv excluded = STRV_INIT;
	struct shape shape = {json_get_integer(params, "cores", 1),
		json_get_integer(params, "memory_mib", 1), &excluded};
	struct survey survey;

	if (outcome == OUTCOME_DONE)
		outcome = way()->partitions(&nodes, &partitions, err);
	if (outcome == OUTCOME_DONE)
		outcome = way()->reservations(&reservations, err);
	if (outcome == OUTCOME_DONE) {
		read_nodes(json_get_text(params, "exclude", ""), &excluded);
		make_survey(&nodes, &partitions, &reservations, &shape, &survey);
		*ret_result = survey_encode(&survey);
		survey_finish(&survey);
	}
	strv_finish(&excluded);
	slurm_nodes_finish(&nodes);
	slurm_partitions_finish(&partitions);
	slurm_reservations_finish(&reservations);
	return outcome;
}
