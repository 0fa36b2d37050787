/* nodes.c: part of draco-slurm's request "site": addresses of some nodes, and of a host name. Without
 * them dracod can still choose, so nothing here fails. */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <slurm/slurm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/json.h"
#include "daemon/slurm/slurm_calls.h"

#define NODES_MAX	  6 /* each costs a name look-up and a short request */
#define PER_PARTITION_MAX 2

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

/* Add where Slurm reaches the node. */
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

static void add_some_of(json_t *nodes, const char *hostlist)
{
	__auto_type list =
		slurm_hostlist_create(hostlist); /* its type differs between versions */
	char *name;

	if (!list)
		return;
	for (int i = 0; i < PER_PARTITION_MAX && json_array_size(nodes) < NODES_MAX; i++) {
		name = slurm_hostlist_shift(list);
		if (!name)
			break;
		add_node(nodes, name);
		free(name);
	}
	slurm_hostlist_destroy(list);
}

json_t *node_addresses(const json_t *partitions)
{
	partition_info_msg_t *info = NULL;
	json_t *nodes = json_array();
	const json_t *wanted;
	size_t i;

	if (slurm_load_partitions(0, &info, SHOW_ALL) != SLURM_SUCCESS)
		return nodes;
	json_array_foreach (partitions, i, wanted)
		for (uint32_t j = 0; json_is_string(wanted) && j < info->record_count; j++) {
			const partition_info_t *partition = &info->partition_array[j];

			if (partition->name && partition->nodes &&
				strcmp(partition->name, json_string_value(wanted)) == 0)
				add_some_of(nodes, partition->nodes);
		}
	slurm_free_partition_info_msg(info);
	return nodes;
}
