/* where.c: finds the state directory, and so the dracod, that a cluster's name means in this
 * environment. */
#include "client/where.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/ctl.h"
#include "client/helper.h"
#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/instances.h"
#include "common/slurm_find.h"

#define ASK_DEADLINE_MS 5000
#define SILENT_S	2 /* after which the user is told that the home does not answer */

/* A thread waits beside a look at the home: that look may wait for a file server, for minutes if
 * need be, and ends for no signal that has a handler. */
struct look {
	const struct ctl *ctl;
	const char *directory;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t over;
	bool is_over;
};

static void *watch(void *arg)
{
	struct look *look = arg;
	struct timespec end;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += SILENT_S;
	pthread_mutex_lock(&look->mutex);
	while (!look->is_over && r == 0)
		r = pthread_cond_timedwait(&look->over, &look->mutex, &end);
	if (!look->is_over) {
		_cleanup_free_ char *text =
			xasprintf("the file system of %s does not answer; waiting for it ...",
				look->directory);

		output_warning(look->ctl, text);
	}
	pthread_mutex_unlock(&look->mutex);
	return NULL;
}

void where_read(
	const struct ctl *ctl, const char *directory, const char *name, struct instances *ret)
{
	struct look look = {
		.ctl = ctl, .directory = directory, .mutex = PTHREAD_MUTEX_INITIALIZER};
	pthread_condattr_t attributes;
	sigset_t all, before;
	bool begun;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&look.over, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	begun = pthread_create(&look.thread, NULL, watch, &look) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	instances_read(directory, name, ret);
	if (!begun)
		return;
	pthread_mutex_lock(&look.mutex);
	look.is_over = true;
	pthread_cond_signal(&look.over);
	pthread_mutex_unlock(&look.mutex);
	pthread_join(look.thread, NULL);
}

/* Ask slurmctld. With SLURM_CONF_SERVER no file identifies the Slurm. */
static void ask(struct slurm_site *ret)
{
	struct helper helper = HELPER_INIT;
	_cleanup_json_ json_t *answer = NULL;
	struct err err = ERR_INIT;

	if (helper_start(&helper, NULL, &err) == 0 &&
		helper_call(&helper, "identify", NULL, ASK_DEADLINE_MS, &answer, &err) == 0)
		slurm_site_decode(answer, ret);
	/* If it does not answer, the Slurm stays unknown, and a start will report why. */
	helper_stop(&helper);
}

/* Find this program's Slurm. If files do not identify it, use one that this same environment was
 * used with before. If that leaves a choice, ask Slurm. */
static void find_site(const struct slurm_found *found, const struct instances *instances,
	struct slurm_site *ret)
{
	const struct instance *seen;

	slurm_found_meant(found, ret);
	if (slurm_site_is_known(ret))
		return;
	seen = instances_seen(instances, found->key);
	if (seen)
		slurm_site_copy(ret, &seen->record.site);
	else if (found->server && instances->count > 0)
		ask(ret);
}

/* Why no cluster can be started from here in the chosen directory; NULL: one can. The caller
 * frees. */
static char *find_hindrance(const struct slurm_found *found, const struct instance *chosen,
	const char *name, const struct slurm_site *site)
{
	const char *cluster = strchr(name, '@');
	_cleanup_free_ char *here = NULL;
	struct err err = ERR_INIT;

	if (slurm_found_check_start(found, &err) < 0)
		return xstrdup(err.text);
	if (!slurm_site_is_known(site))
		return NULL;
	here = slurm_site_text(site);
	if (chosen && !instance_is_free_for(chosen, site)) {
		_cleanup_free_ char *there = slurm_site_text(&chosen->record.site);

		return xasprintf(
			"the cluster \"%s\" is of the Slurm cluster %s, and this program would "
			"start it in that of %s: start it on a host of the former",
			name, there, here);
	}
	if (cluster && !chosen &&
		strncmp(cluster + 1, site->cluster, strlen(site->cluster)) != 0)
		return xasprintf(
			"\"%s\" names a cluster of the Slurm \"%s\", and this program would start "
			"it in that of %s: start it on a host of the former",
			name, cluster + 1, here);
	return NULL;
}

/* Choose a directory, and compute its paths. */
static int choose(struct ctl *ctl, const struct slurm_found *found,
	const struct instances *instances, struct err *err)
{
	struct slurm_site site = SLURM_SITE_INIT;
	_cleanup_free_ char *chosen = NULL;
	int r;

	find_site(found, instances, &site);
	r = instances_choose(instances, ctl->name, &site, &chosen, err);
	if (r == 0)
		r = paths_init(&ctl->paths, chosen, err);
	if (r == 0) {
		ctl->slurm = slurm_site_encode(&site);
		ctl->hindrance =
			find_hindrance(found, instances_find(instances, chosen), chosen, &site);
	}
	slurm_site_finish(&site);
	return r;
}

int where_find(struct ctl *ctl, struct err *err)
{
	_cleanup_free_ char *root = paths_state_root();
	struct instances instances = {0};
	struct slurm_found found;
	int r;

	where_forget(ctl);
	r = paths_init(&ctl->paths, ctl->name, err); /* invalid name, or no home */
	if (r < 0)
		return r;
	paths_finish(&ctl->paths);
	r = slurm_find(NULL, NULL, slurm_find_places, &found, err);
	where_read(ctl, root, ctl->name, &instances);
	if (r == 0)
		r = choose(ctl, &found, &instances, err);
	instances_finish(&instances);
	slurm_found_finish(&found);
	return r;
}

void where_forget(struct ctl *ctl)
{
	paths_finish(&ctl->paths);
	json_decref(ctl->slurm);
	ctl->slurm = NULL;
	free(ctl->hindrance);
	ctl->hindrance = NULL;
}

int where_check_start(const struct ctl *ctl, struct err *err)
{
	return ctl->hindrance ? err_set(err, -EXDEV, "%s", ctl->hindrance) : 0;
}
