/* libslurm.c: the way to Slurm by libslurm: the configuration, nodes, partitions and reservations.
 *
 * This and the other files libslurm_*.c are the module that way.c loads. Nothing else of draco is
 * linked to libslurm. */
#include "daemon/draco-slurm/libslurm.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <slurm/slurm_version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "daemon/draco-slurm/compat.h"

static char *copy(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static enum slurm_outcome read_conf(struct slurm_conf_facts *ret, struct err *err)
{
	slurm_conf_t *conf = NULL;

	*ret = (struct slurm_conf_facts){0};
	if (slurm_load_ctl_conf(0, &conf) != SLURM_SUCCESS)
		return libslurm_failure("cannot reach slurmctld", false, err);
	ret->cluster = copy(conf->cluster_name);
	ret->version = copy(conf->version);
	ret->scheduler_parameters = copy(conf->sched_params);
	ret->port = (int)conf->slurmctld_port;
	ret->array_max = (int)conf->max_array_sz;
	for (uint32_t i = 0; i < conf->control_cnt; i++) {
		strv_add(&ret->hosts, conf->control_machine[i]);
		strv_add(&ret->addresses, conf->control_addr[i]);
	}
	compat_free_conf(conf);
	return OUTCOME_DONE;
}

static bool ping(const struct slurm_conf_facts *conf, size_t controller)
{
	(void)conf;
	return slurm_ping((int)controller) == SLURM_SUCCESS;
}

static bool is_usable(const node_info_t *node)
{
	uint32_t base = node->node_state & NODE_STATE_BASE;

	return base != NODE_STATE_DOWN && base != NODE_STATE_ERROR &&
		base != NODE_STATE_FUTURE &&
		!(node->node_state & (NODE_STATE_DRAIN | NODE_STATE_FAIL));
}

static enum slurm_outcome read_nodes(const char *name, struct slurm_nodes *ret, struct err *err)
{
	node_info_msg_t *info = NULL;
	int r = name ? slurm_load_node_single(&info, UNCONST(name), SHOW_ALL)
		     : slurm_load_node(0, &info, SHOW_ALL);

	*ret = (struct slurm_nodes){0};
	if (r != SLURM_SUCCESS)
		return libslurm_failure("cannot read the nodes", false, err);
	for (uint32_t i = 0; i < info->record_count; i++) {
		const node_info_t *node = &info->node_array[i];

		*slurm_nodes_add(ret) = (struct slurm_node){
			.name = copy(node->name),
			.address = copy(node->node_addr),
			.cpus = node->cpus,
			.memory_mib = (int64_t)(node->real_memory - node->mem_spec_limit),
			.usable = is_usable(node),
		};
	}
	slurm_free_node_info_msg(info);
	return OUTCOME_DONE;
}

static enum slurm_partition_state state_of(uint16_t state)
{
	switch (state) {
	case PARTITION_UP:
		return SLURM_PARTITION_UP;
	case PARTITION_DOWN:
		return SLURM_PARTITION_DOWN;
	case PARTITION_DRAIN:
		return SLURM_PARTITION_DRAIN;
	default:
		return SLURM_PARTITION_INACTIVE;
	}
}

static int64_t limit_of(uint32_t number, int64_t unit)
{
	return number == INFINITE || number == NO_VAL ? SLURM_UNLIMITED : number * unit;
}

/* node_inx holds pairs of first and last index, ended by -1. */
static void take_nodes(const partition_info_t *info, const struct slurm_nodes *nodes,
	struct slurm_partition *ret)
{
	for (const int32_t *pair = info->node_inx; pair && pair[0] >= 0; pair += 2)
		for (int32_t i = pair[0]; i <= pair[1] && (size_t)i < nodes->count; i++)
			slurm_partition_add_node(
				ret, nodes->node[i].name ? (size_t)i : SLURM_HIDDEN);
}

static enum slurm_outcome read_partitions(
	const struct slurm_nodes *nodes, struct slurm_partitions *ret, struct err *err)
{
	partition_info_msg_t *all = NULL;

	*ret = (struct slurm_partitions){0};
	if (slurm_load_partitions(0, &all, SHOW_ALL) != SLURM_SUCCESS)
		return libslurm_failure("cannot read the partitions", false, err);
	for (uint32_t i = 0; i < all->record_count; i++) {
		const partition_info_t *info = &all->partition_array[i];
		struct slurm_partition *partition = slurm_partitions_add(ret);

		*partition = (struct slurm_partition){
			.name = copy(info->name),
			.state = state_of(info->state_up),
			.is_default = info->flags & PART_FLAG_DEFAULT,
			.root_only = info->flags & PART_FLAG_ROOT_ONLY,
			.no_root = info->flags & PART_FLAG_NO_ROOT,
			.allow_groups = copy(info->allow_groups),
			.max_time_s = limit_of(info->max_time, 60),
			.max_cpus = limit_of(info->max_cpus_per_node, 1),
			.total_nodes = info->total_nodes,
			.node_list = copy(info->nodes),
		};
		if (nodes)
			take_nodes(info, nodes, partition);
	}
	slurm_free_partition_info_msg(all);
	return OUTCOME_DONE;
}

static enum slurm_outcome read_reservations(struct slurm_reservations *ret, struct err *err)
{
	reserve_info_msg_t *all = NULL;

	*ret = (struct slurm_reservations){0};
	if (slurm_load_reservations(0, &all) != SLURM_SUCCESS)
		return libslurm_failure("cannot read the reservations", false, err);
	for (uint32_t i = 0; i < all->record_count; i++) {
		const reserve_info_t *info = &all->reservation_array[i];

		*slurm_reservations_add(ret) = (struct slurm_reservation){
			.name = copy(info->name),
			.start = info->start_time,
			.end = info->end_time,
			.users = copy(info->users),
			.groups = copy(info->groups),
			.accounts = copy(info->accounts),
			.partition = copy(info->partition),
			.nodes = copy(info->node_list),
			.flexible = info->flags & RESERVE_FLAG_FLEX,
		};
	}
	slurm_free_reservation_info_msg(all);
	return OUTCOME_DONE;
}

static const char *library_path(void)
{
	static char path[PATH_MAX];
	Dl_info info;

	if (!*path && dladdr((void *)(uintptr_t)&slurm_load_jobs, &info) && info.dli_fname &&
		!realpath(info.dli_fname, path))
		snprintf(path, sizeof(path), "%s", info.dli_fname);
	return path;
}

static void begin(void)
{
	slurm_init(NULL);
}

static char built[32];

__attribute__((constructor)) static void format_built(void)
{
	long version = SLURM_VERSION_NUMBER;

	snprintf(built, sizeof(built), "%ld.%02ld.%ld", version >> 16 & 0xff,
		version >> 8 & 0xff, version & 0xff);
}

extern const struct way_module draco_way_libslurm;

__attribute__((visibility("default"))) const struct way_module draco_way_libslurm = {
	.draco = PACKAGE_VERSION,
	.built = built,
	.path = library_path,
	.begin = begin,
	.way =
		{
			.conf = read_conf,
			.ping = ping,
			.jobs = libslurm_jobs,
			.nodes = read_nodes,
			.partitions = read_partitions,
			.reservations = read_reservations,
			.cancel = libslurm_cancel,
			.update = libslurm_update,
		},
};
