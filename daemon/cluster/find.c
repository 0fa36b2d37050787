/* find.c: the facts that a start needs first: the path of Python, and this host's address. */
#include "daemon/cluster/find.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "common/settings_places.h"
#include "daemon/cluster/model.h"
#include "daemon/dask/python.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/netif.h"
#include "daemon/slurm/helper.h"

#define SITE_DEADLINE_MS 20000
#define SITE_PATIENCE_MS 15000 /* how long a start waits while nothing listens for Slurm */
#define SITE_PAUSE_MS	 1000

static void on_python(void *arg, const struct python *found, const struct err *err)
{
	struct cluster *cluster = arg;

	cluster->python_search = NULL;
	if (!found) {
		cluster_fail(cluster, err, NULL);
		return;
	}
	history_note(EVENT_NOTE, "cluster", cluster->name, "Python %s with distributed %s: %s",
		found->version, found->distributed, found->command);
	cluster->python = xstrdup(found->command);
	cluster->python_version = xstrdup(found->version);
	cluster_wake(cluster, 0);
}

/* May the setting be a host name? Only a text that is no interface has to be resolved. */
static bool may_be_host(const char *interface)
{
	return interface && strcasecmp(interface, "auto") != 0 &&
		if_nametoindex(interface) == 0;
}

/* The query about the site. The caller owns it. */
static json_t *ask_site(const struct cluster *cluster)
{
	const struct settings *settings = &cluster->request.settings;
	const char *interface = settings->interface;
	struct strv names = STRV_INIT;
	json_t *partitions;

	settings_partitions(settings, &names);
	partitions = json_texts(&names);
	strv_finish(&names);
	return json_pack("{s:o, s:o, s:o}", "partitions", partitions, "host",
		json_text(may_be_host(interface) ? interface : NULL), "path",
		json_text(environment_get(&cluster->request.environment, "PATH")));
}

/* Read the addresses of a JSON array of texts; returns their number. The caller frees *ret. */
static size_t read_addresses(const json_t *list, struct in_addr **ret)
{
	struct in_addr *addresses = xcalloc(json_array_size(list) + 1, sizeof(*addresses));
	size_t count = 0, i;
	const json_t *item;

	json_array_foreach (list, i, item)
		if (json_is_string(item) &&
			inet_pton(AF_INET, json_string_value(item), &addresses[count]) == 1)
			count++;
	*ret = addresses;
	return count;
}

static int make_wish(const struct cluster *cluster, const json_t *site, struct netif_wish *ret,
	struct err *err)
{
	_cleanup_free_ struct in_addr *nodes = NULL;
	int r;

	*ret = (struct netif_wish){.interface = cluster->request.settings.interface};
	r = netif_collect(&ret->list, err);
	if (r < 0)
		return r;
	if (inet_pton(AF_INET, json_get_text(site, "address", ""), &ret->fallback) != 1)
		ret->fallback.s_addr = htonl(INADDR_LOOPBACK);
	ret->host_count = read_addresses(json_object_get(site, "host"), &ret->host);
	ret->node_count = read_addresses(json_object_get(site, "nodes"), &nodes);
	ret->node = xcalloc(ret->node_count + 1, sizeof(*ret->node));
	for (size_t i = 0; i < ret->node_count; i++)
		ret->node[i] = (struct netif_target){nodes[i], netif_source(nodes[i])};
	return 0;
}

/* Choose this host's address by the answer about the site. */
static int choose_address(struct cluster *cluster, const json_t *site, struct err *err)
{
	const char *interface = cluster->request.settings.interface;
	struct netif_choice choice = {0};
	struct netif_wish wish;
	char address[INET_ADDRSTRLEN];
	int r = make_wish(cluster, site, &wish, err);

	if (r == 0)
		r = netif_choose(&wish, &choice, err);
	if (r == 0) {
		inet_ntop(AF_INET, &choice.address, address, sizeof(address));
		xreplace(&cluster->address, address);
		xreplace(&cluster->access.interface, *choice.name ? choice.name : NULL);
		cluster->access.interface_named = choice.named;
		for (size_t i = 0; i < choice.passed.count; i++)
			log_info(
				"network: %s, so it is not used (interface: NAME uses it anyway)",
				choice.passed.item[i]);
		log_info("network: interface %s means %s, address %s",
			interface ? interface : "none", *choice.name ? choice.name : "unknown",
			address);
	}
	netif_choice_finish(&choice);
	netif_wish_finish(&wish);
	return r;
}

/* How long a start waits for Slurm's first answer, in ms. If nothing listens, Slurm is down or the
 * configuration names a wrong host, and the wait is short. A slow or busy Slurm is worth a long
 * one. */
static int64_t patience_ms(const struct cluster *cluster, enum slurm_outcome outcome)
{
	int64_t wait_ms = cluster->request.settings.wait_timeout_ms;

	return outcome == OUTCOME_UNREACHABLE ? min_of(SITE_PATIENCE_MS, wait_ms) : wait_ms;
}

static void on_site(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct cluster *cluster = arg;
	struct err told = ERR_INIT;

	cluster->site_asked = false;
	if (!cluster->wanted || cluster->state != CLUSTER_STARTING) {
		cluster_wake(cluster, 0);
		return;
	}
	if (outcome == OUTCOME_DONE) {
		cluster->array_max = max_of(json_get_integer(result, "array_max", 1), 1);
		cluster->ops->slurm_told(cluster->arg, json_object_get(result, "slurm"));
		log_info("slurm: slurmctld on %s, reached from %s",
			json_get_text(result, "controller", "?"),
			json_get_text(result, "address", "?"));
		if (choose_address(cluster, result, &told) < 0)
			cluster_fail(cluster, &told, NULL);
		cluster_wake(cluster, 0);
	} else if (outcome == OUTCOME_UNUSABLE || outcome == OUTCOME_FOREIGN ||
		outcome == OUTCOME_REFUSED) {
		err_set(&told, -EIO, "Slurm cannot be used: %s (does sinfo work on this host?)",
			err->text);
		cluster_fail(cluster, &told, NULL);
	} else if (loop_now_ms() - cluster->started_ms > patience_ms(cluster, outcome)) {
		err_set(&told, -EIO,
			"Slurm does not answer: %s (does sinfo work on this host?)", err->text);
		cluster_fail(cluster, &told, NULL);
	} else {
		cluster_wake(cluster, SITE_PAUSE_MS);
	}
}

bool cluster_find_out(struct cluster *cluster)
{
	if (!cluster->python && !cluster->python_search)
		cluster->python_search = python_search_start(cluster->loop, cluster->children,
			cluster->request.settings.python, &cluster->request.environment,
			on_python, cluster);
	if (!cluster->address && !cluster->site_asked &&
		slurm_request(cluster->slurm, "site", ask_site(cluster), SITE_DEADLINE_MS,
			on_site, cluster) == 0)
		cluster->site_asked = true;
	return cluster->python && cluster->address;
}
