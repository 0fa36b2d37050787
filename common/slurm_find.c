/* slurm_find.c: finds the Slurm that a program with a given environment would use.
 *
 * libslurm takes the file that SLURM_CONF names, otherwise the file that it was built for,
 * otherwise a file from slurmd or sackd in /run. Without any of them it asks SLURM_CONF_SERVER
 * (src/common/read_config.c). */
#include "common/slurm_find.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/json.h"
#include "common/slurm_conf.h"

const char *const slurm_find_places[] = {
	SLURM_CONF_DEFAULT,
	"/run/slurm/conf/slurm.conf",
	"/etc/slurm/slurm.conf",
	"/etc/slurm-llnl/slurm.conf",
	"/opt/slurm/etc/slurm.conf",
	"/usr/local/etc/slurm.conf",
	"/var/spool/slurmd/conf-cache/slurm.conf",
	NULL,
};

/* The value of a variable; NULL: not set, or empty. */
static const char *variable(const json_t *environment, const char *name)
{
	const char *value = environment ? json_get_text(environment, name, NULL) : getenv(name);

	return value && *value ? value : NULL;
}

/* An absolute path, relative to directory. The caller frees. */
static char *absolute(const char *path, const char *directory)
{
	_cleanup_free_ char *here = NULL;

	if (*path == '/')
		return xstrdup(path);
	if (!directory)
		directory = here = getcwd(NULL, 0);
	return xasprintf("%s/%s", directory ? directory : "", path);
}

static char *find_conf(const json_t *environment, const char *directory,
	const char *const *places, const char *server)
{
	const char *named = variable(environment, SLURM_VARIABLE_CONF);

	if (named)
		return absolute(named, directory);
	for (int i = 0; places[i]; i++) {
		if (i >= 2 && server) /* libslurm asks the server before it looks here */
			return NULL;
		if (access(places[i], F_OK) == 0)
			return xstrdup(places[i]);
	}
	return NULL;
}

/* The key: this host and the variables that decide. NULL: SLURM_CONF is relative, so another
 * program with the same variables may mean another file. */
static json_t *make_key(const json_t *environment)
{
	static const char *const names[] = {SLURM_VARIABLE_CONF, SLURM_VARIABLE_SERVER,
		SLURM_VARIABLE_CLUSTERS, SLURM_VARIABLE_SBATCH_CLUSTERS};
	const char *conf = variable(environment, SLURM_VARIABLE_CONF);
	struct host here;
	json_t *key;

	if (conf && *conf != '/')
		return NULL;
	host_get(&here);
	key = json_array();
	json_array_append_new(key, json_text(here.name));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = variable(environment, names[i]);

		json_array_append_new(key, json_text(value ? value : ""));
	}
	return key;
}

/* Find the cluster that SLURM_CLUSTERS or SBATCH_CLUSTERS names, as -M of Slurm's commands does. */
static int read_clusters(const json_t *environment, struct slurm_found *found, struct err *err)
{
	static const char *const names[] = {
		SLURM_VARIABLE_CLUSTERS, SLURM_VARIABLE_SBATCH_CLUSTERS};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = variable(environment, names[i]);

		if (!value)
			continue;
		if (strchr(value, ',') || strcasecmp(value, "all") == 0)
			return err_set(err, -ENOTUNIQ,
				"%s=%s names several Slurm clusters, and draco uses one: name one "
				"of them, or unset it",
				names[i], value);
		if (found->site.cluster && strcasecmp(value, found->site.cluster) == 0)
			continue;
		xreplace(&found->other, value);
		found->asked_by = names[i];
	}
	return 0;
}

int slurm_find(const json_t *environment, const char *directory, const char *const *places,
	struct slurm_found *ret, struct err *err)
{
	const char *server = variable(environment, SLURM_VARIABLE_SERVER);

	*ret = (struct slurm_found)SLURM_FOUND_INIT;
	ret->key = make_key(environment);
	ret->conf = find_conf(environment, directory, places, server);
	if (ret->conf)
		slurm_conf_load(ret->conf, &ret->site);
	else if (server)
		ret->server = xstrdup(server);
	return read_clusters(environment, ret, err);
}

void slurm_found_finish(struct slurm_found *found)
{
	slurm_site_finish(&found->site);
	free(found->conf);
	free(found->server);
	free(found->other);
	json_decref(found->key);
	*found = (struct slurm_found)SLURM_FOUND_INIT;
}

void slurm_found_meant(const struct slurm_found *found, struct slurm_site *ret)
{
	*ret = (struct slurm_site)SLURM_SITE_INIT;
	if (found->other)
		slurm_site_set_cluster(ret, found->other);
	else
		slurm_site_copy(ret, &found->site);
}

int slurm_found_check_start(const struct slurm_found *found, struct err *err)
{
	if (!found->other || !slurm_site_is_known(&found->site))
		return 0; /* whoever asks slurmctld compares the names */
	return err_set(err, -ENOTSUP,
		"%s=%s asks for another Slurm cluster than %s, which is that of this host: draco "
		"cannot start a cluster there from here; unset the variable, or log in to a "
		"host of %s",
		found->asked_by, found->other, found->site.cluster, found->other);
}
