/* site.c: draco-slurm's request "site": the address of slurmctld, this host's address towards it,
 * and the facts for choosing a network. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "daemon/draco-slurm/identity.h"
#include "daemon/draco-slurm/sbatch.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

/* This host's source address for packets to host:port. No packet is sent. */
static int address_towards(
	const char *host, int port, char ret[INET6_ADDRSTRLEN], struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_family = AF_INET};
	struct addrinfo *found = NULL;
	_cleanup_close_ int fd = -1;
	struct sockaddr_in own;
	socklen_t length = sizeof(own);
	char service[16];
	int r;

	snprintf(service, sizeof(service), "%d", port);
	r = getaddrinfo(host, service, &hints, &found);
	if (r != 0)
		return err_set(err, -ENOENT, "cannot resolve the host %s of slurmctld: %s",
			host, gai_strerror(r));
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = fd < 0 ? -errno : connect(fd, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (r < 0 || getsockname(fd, (struct sockaddr *)&own, &length) < 0)
		return err_set(err, -errno, "no route to the host %s of slurmctld: %s", host,
			strerror(errno));
	inet_ntop(AF_INET, &own.sin_addr, ret, INET6_ADDRSTRLEN);
	return 0;
}

/* The most jobs of one array: MaxArraySize, or a lower limit in SchedulerParameters. At least 1. */
static int array_max(const struct slurm_conf_facts *conf)
{
	static const char name[] = "max_array_tasks=";
	const char *parameters = conf->scheduler_parameters ? conf->scheduler_parameters : "";
	const char *limit = strcasestr(parameters, name);
	int max = conf->array_max;

	if (limit && atoi(limit + strlen(name)) < max)
		max = atoi(limit + strlen(name));
	return max > 1 ? max : 1;
}

/* Find the sbatch that will submit the jobs. */
static enum slurm_outcome check_sbatch(const json_t *params, struct err *err)
{
	const char *of_start = json_get_text(params, "path", NULL), *own = getenv("PATH");
	struct strv environment = STRV_INIT;
	_cleanup_free_ char *path = NULL;

	if (of_start)
		strv_addf(&environment, "PATH=%s", of_start);
	path = sbatch_find(&environment);
	strv_finish(&environment);
	if (path)
		return OUTCOME_DONE;
	err_set(err, -ENOENT, "there is no sbatch in PATH, which is \"%s\"",
		of_start      ? of_start
			: own ? own
			      : "");
	return OUTCOME_UNUSABLE;
}

enum slurm_outcome call_site(const json_t *params, json_t **ret_result, struct err *err)
{
	const char *host = json_get_text(params, "host", NULL);
	struct slurm_conf_facts conf = {0};
	char address[INET6_ADDRSTRLEN];
	enum slurm_outcome outcome = check_sbatch(params, err);

	if (outcome == OUTCOME_DONE)
		outcome = way_conf(&conf, err);
	if (outcome == OUTCOME_DONE && conf.hosts.count < 1) {
		err_set(err, -EIO, "slurmctld names no host of its own");
		outcome = OUTCOME_UNUSABLE;
	}
	if (outcome == OUTCOME_DONE &&
		address_towards(conf.addresses.item[0], conf.port, address, err) < 0)
		outcome = OUTCOME_UNUSABLE;
	if (outcome == OUTCOME_DONE)
		*ret_result = json_pack("{s:o, s:s, s:o, s:i, s:o, s:o, s:o}", "controller",
			json_text(conf.hosts.item[0]), "address", address, "version",
			json_text(conf.version), "array_max", array_max(&conf), "nodes",
			node_addresses(json_object_get(params, "partitions")), "host",
			host ? host_addresses(host) : json_array(), "slurm",
			identity_of(&conf));
	slurm_conf_facts_finish(&conf);
	return outcome;
}
