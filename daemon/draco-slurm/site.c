/* site.c: draco-slurm's request "site": the address of slurmctld, this host's address towards it,
 * and the facts for choosing a network. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "daemon/draco-slurm/compat.h"
#include "daemon/draco-slurm/identity.h"
#include "daemon/draco-slurm/sbatch.h"
#include "daemon/draco-slurm/slurm_calls.h"

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
static int array_max(const slurm_conf_t *conf)
{
	static const char name[] = "max_array_tasks=";
	const char *limit = conf->sched_params ? strcasestr(conf->sched_params, name) : NULL;
	int max = (int)conf->max_array_sz;

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
	slurm_conf_t *conf = NULL;
	char address[INET6_ADDRSTRLEN];
	int r;

	if (check_sbatch(params, err) != OUTCOME_DONE)
		return OUTCOME_UNUSABLE;
	if (slurm_load_ctl_conf(0, &conf) != SLURM_SUCCESS)
		return call_failure("cannot reach slurmctld", false, err);
	if (conf->control_cnt < 1) {
		compat_free_conf(conf);
		err_set(err, -EIO, "slurmctld names no host of its own");
		return OUTCOME_UNUSABLE;
	}
	r = address_towards(conf->control_addr[0], (int)conf->slurmctld_port, address, err);
	if (r == 0)
		*ret_result = json_pack("{s:o, s:s, s:o, s:i, s:o, s:o, s:o}", "controller",
			json_text(conf->control_machine[0]), "address", address, "version",
			json_text(conf->version), "array_max", array_max(conf), "nodes",
			node_addresses(json_object_get(params, "partitions")), "host",
			host ? host_addresses(host) : json_array(), "slurm", identity_of(conf));
	compat_free_conf(conf);
	return r == 0 ? OUTCOME_DONE : OUTCOME_UNUSABLE;
}
