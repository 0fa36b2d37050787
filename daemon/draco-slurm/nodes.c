/* nodes.c: part of draco-slurm's request "site": addresses of some nodes and of a host name. dracod
 * can choose without them, so nothing here fails. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <slurm/slurm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/json.h"
#include "daemon/draco-slurm/slurm_calls.h"

#define PARTITIONS_MAX 4 /* each takes a short request and the resolution of a name */
#define PATIENCE_S     2 /* resolving takes many seconds if the name service is dead */

json_t *host_addresses(const char *host)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
	struct addrinfo *found = NULL;
	char text[INET_ADDRSTRLEN];
	json_t *list = json_array();

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return list;
	for (const struct addrinfo *i = found; i; i = i->ai_next) {
		const struct sockaddr_in *address = (const void *)i->ai_addr;

		if (inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text)))
			json_array_append_new(list, json_string(text));
	}
	freeaddrinfo(found);
	return list;
}

/* Add the address by which Slurm reaches the node, if there is one. */
static void add_node(json_t *nodes, char *name)
{
	node_info_msg_t *info = NULL;
	json_t *addresses;

	if (slurm_load_node_single(&info, name, SHOW_ALL) != SLURM_SUCCESS)
		return;
	if (info->record_count > 0 && info->node_array[0].node_addr) {
		addresses = host_addresses(info->node_array[0].node_addr);
		if (json_array_size(addresses) > 0)
			json_array_append(nodes, json_array_get(addresses, 0));
		json_decref(addresses);
	}
	slurm_free_node_info_msg(info);
}

/* Add the first node of the partition. Its other nodes are in the same network. */
static void add_one_of(json_t *nodes, const char *hostlist)
{
	__auto_type list =
		slurm_hostlist_create(hostlist); /* the type differs between versions */
	char *name = list ? slurm_hostlist_shift(list) : NULL;

	if (name)
		add_node(nodes, name);
	free(name);
	if (list)
		slurm_hostlist_destroy(list);
}

static const partition_info_t *find_partition(
	const partition_info_msg_t *info, const char *name)
{
	for (uint32_t i = 0; i < info->record_count; i++)
		if (info->partition_array[i].name &&
			strcmp(info->partition_array[i].name, name) == 0)
			return &info->partition_array[i];
	return NULL;
}

json_t *node_addresses(const json_t *partitions)
{
	time_t give_up = time(NULL) + PATIENCE_S;
	partition_info_msg_t *info = NULL;
	json_t *nodes = json_array();
	const json_t *wanted;
	size_t i;

	if (slurm_load_partitions(0, &info, SHOW_ALL) != SLURM_SUCCESS)
		return nodes;
	json_array_foreach (partitions, i, wanted) {
		const partition_info_t *partition = json_is_string(wanted)
			? find_partition(info, json_string_value(wanted))
			: NULL;

		if (i >= PARTITIONS_MAX || time(NULL) > give_up)
			break;
		if (partition && partition->nodes)
			add_one_of(nodes, partition->nodes);
	}
	slurm_free_partition_info_msg(info);
	return nodes;
}
