/* nodes.c: part of draco-slurm's request "site": addresses of some nodes and of a host name. dracod
 * can choose without them, so nothing here fails. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/hostlist.h"
#include "common/json.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

#define PARTITIONS_MAX 4    /* each takes a short request and the resolution of a name */
#define PATIENCE_MS    2000 /* resolving takes many seconds if the name service is dead */

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
static void add_node(json_t *nodes, const char *name)
{
	struct err err = ERR_INIT;
	struct slurm_nodes found;
	json_t *addresses;

	if (way()->nodes(name, &found, &err) == OUTCOME_DONE && found.count > 0 &&
		found.node[0].address) {
		addresses = host_addresses(found.node[0].address);
		if (json_array_size(addresses) > 0)
			json_array_append(nodes, json_array_get(addresses, 0));
		json_decref(addresses);
	}
	slurm_nodes_finish(&found);
}

/* Add the first node of the partition. Its other nodes are in the same network. */
static void add_one_of(json_t *nodes, const char *hostlist)
{
	struct strv names = STRV_INIT;
	int r = hostlist_expand(hostlist, 1, &names);

	if ((r == 0 || r == -E2BIG) && names.count > 0)
		add_node(nodes, names.item[0]);
	strv_finish(&names);
}

static const struct slurm_partition *find_partition(
	const struct slurm_partitions *all, const char *name)
{
	for (size_t i = 0; name && i < all->count; i++)
		if (all->partition[i].name && strcmp(all->partition[i].name, name) == 0)
			return &all->partition[i];
	return NULL;
}

json_t *node_addresses(const json_t *partitions)
{
	int64_t give_up_ms = clock_now_ms() + PATIENCE_MS;
	struct slurm_partitions all = {0};
	struct err err = ERR_INIT;
	json_t *nodes = json_array();
	const json_t *wanted;
	size_t i;

	if (json_array_size(partitions) > 0)
		way()->partitions(NULL, &all, &err);
	json_array_foreach (partitions, i, wanted) {
		const struct slurm_partition *partition =
			find_partition(&all, json_string_value(wanted));

		if (i >= PARTITIONS_MAX || clock_now_ms() > give_up_ms)
			break;
		if (partition && partition->node_list)
			add_one_of(nodes, partition->node_list);
	}
	slurm_partitions_finish(&all);
	return nodes;
}
