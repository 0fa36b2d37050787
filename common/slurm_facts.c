/* slurm_facts.c: what Slurm tells of itself, as plain values. */
#include "common/slurm_facts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define FIRST_SIZE    16

void slurm_conf_facts_finish(struct slurm_conf_facts *conf)
{
	free(conf->cluster);
	free(conf->version);
	free(conf->scheduler_parameters);
	strv_finish(&conf->hosts);
	strv_finish(&conf->addresses);
	strv_finish(&conf->up);
	*conf = (struct slurm_conf_facts){0};
}

void slurm_nodes_finish(struct slurm_nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++) {
		free(nodes->node[i].name);
		free(nodes->node[i].address);
	}
	free(nodes->node);
	*nodes = (struct slurm_nodes){0};
}

void slurm_partitions_finish(struct slurm_partitions *partitions)
{
	for (size_t i = 0; i < partitions->count; i++) {
		free(partitions->partition[i].name);
		free(partitions->partition[i].allow_groups);
		free(partitions->partition[i].node_list);
		free(partitions->partition[i].node);
	}
	free(partitions->partition);
	*partitions = (struct slurm_partitions){0};
}

void slurm_reservations_finish(struct slurm_reservations *reservations)
{
	for (size_t i = 0; i < reservations->count; i++) {
		struct slurm_reservation *one = &reservations->reservation[i];

		free(one->name);
		free(one->users);
		free(one->groups);
		free(one->accounts);
		free(one->partition);
		free(one->nodes);
	}
	free(reservations->reservation);
	*reservations = (struct slurm_reservations){0};
}

/* Make room for one more item: the size is doubled at each power of two. Returns the list. */
static void *grow(void *list, size_t count, size_t size)
{
	if (count == 0)
		return xcalloc(FIRST_SIZE, size);
	return count >= FIRST_SIZE && (count & (count - 1)) == 0
		? xrealloc(list, 2 * count * size)
		: list;
}

struct slurm_node *slurm_nodes_add(struct slurm_nodes *nodes)
{
	struct slurm_node *one;

	nodes->node = grow(nodes->node, nodes->count, sizeof(*one));
	one = &nodes->node[nodes->count++];
	*one = (struct slurm_node){0};
	return one;
}

struct slurm_partition *slurm_partitions_add(struct slurm_partitions *partitions)
{
	struct slurm_partition *one;

	partitions->partition = grow(partitions->partition, partitions->count, sizeof(*one));
	one = &partitions->partition[partitions->count++];
	*one = (struct slurm_partition){0};
	return one;
}

struct slurm_reservation *slurm_reservations_add(struct slurm_reservations *reservations)
{
	struct slurm_reservation *one;

	reservations->reservation =
		grow(reservations->reservation, reservations->count, sizeof(*one));
	one = &reservations->reservation[reservations->count++];
	*one = (struct slurm_reservation){0};
	return one;
}

void slurm_partition_add_node(struct slurm_partition *partition, size_t node)
{
	partition->node = grow(partition->node, partition->nodes, sizeof(node));
	partition->node[partition->nodes++] = node;
}

size_t slurm_nodes_find(const struct slurm_nodes *nodes, const char *name, size_t near)
{
	for (size_t i = 0; i < nodes->count; i++) {
		size_t at = (near + i) % nodes->count;

		if (nodes->node[at].name && strcmp(nodes->node[at].name, name) == 0)
			return at;
	}
	return SLURM_HIDDEN;
}

bool slurm_reason_is_never(const char *reason)
{
	static const char *const reasons[] = {"AccountNotAllowed", "BadConstraints",
		"DependencyNeverSatisfied", "InvalidAccount", "InvalidQOS",
		"PartitionTimeLimit", "QOSNotAllowed"};
	/* Slurm sets these texts some moments before the reason. */
	static const char *const texts[] = {"Job's account not ", "Job's QOS not "};

	for (size_t i = 0; i < LENGTH(texts); i++)
		if (strncmp(reason, texts[i], strlen(texts[i])) == 0)
			return true;
	for (size_t i = 0; i < LENGTH(reasons); i++)
		if (strcmp(reason, reasons[i]) == 0)
			return true;
	return false;
}

bool slurm_major_release(const char *version, char ret[16])
{
	size_t length;

	for (const char *at = version; *at; at++) {
		if (!isdigit((unsigned char)*at))
			continue;
		length = strspn(at, "0123456789");
		if (at[length] != '.')
			return false;
		length += 1 + strspn(at + length + 1, "0123456789");
		if (length >= 16 || at[length - 1] == '.')
			return false;
		memcpy(ret, at, length);
		ret[length] = '\0';
		return true;
	}
	return false;
}
