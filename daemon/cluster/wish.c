/* wish.c: the jobs that the cluster's settings describe. */
#include "daemon/cluster/wish.h"

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/settings_job.h"
#include "common/slurm_msg.h"
#include "daemon/cluster/access.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/worker_start.h"
#include "daemon/dask/jobscript.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/loop.h"

#define DEATH_TIMEOUT_S 60 /* workers without a scheduler */

/* What the script needs besides the settings. */
struct facts {
	const char *cluster, *python, *scheduler, *interface;
	const char *spawn_mark; /* NULL: none */
	bool forkserver;
};

static char *make_script(const struct settings *s, const struct facts *facts)
{
	struct strv python = STRV_INIT;
	char *script;

	if (argv_read(facts->python, &python, NULL) < 0)
		strv_add(&python, facts->python);
	script = jobscript_make(&(struct jobscript){
		.cluster = facts->cluster,
		.python = &python,
		.scheduler = facts->scheduler,
		.interface = facts->interface,
		.processes = s->processes,
		.threads = settings_threads_per_worker(s),
		.bytes = settings_bytes_per_worker(s),
		.whole_node = s->memory_mib == MEMORY_NODE,
		.death_timeout_s = DEATH_TIMEOUT_S,
		.scratch = s->use_scratch_dir ? s->scratch_directory : NULL,
		.prologue = s->prologue,
		.epilogue = s->epilogue,
		.options = &s->worker_options,
		.forkserver = facts->forkserver,
		.spawn_mark = facts->spawn_mark,
	});
	strv_finish(&python);
	return script;
}

static char *make_own_script(const struct cluster *cluster)
{
	_cleanup_free_ char *mark = cluster_spawn_mark(cluster);

	return make_script(&cluster->request.settings,
		&(struct facts){
			.cluster = cluster->name,
			.python = cluster->python ? cluster->python : "python3",
			.scheduler = scheduler_address(cluster->scheduler),
			.interface = cluster_access_worker_interface(cluster),
			.spawn_mark = mark,
			.forkserver = !cluster->spawn,
		});
}

char *wish_preview_script(const struct cluster *cluster, const struct settings *settings)
{
	const char *address = scheduler_address(cluster->scheduler);
	const char *unknown =
		settings->security == SECURITY_NONE ? "tcp://HOST:PORT" : "tls://HOST:PORT";
	bool known = *address && cluster->python;

	return make_script(settings,
		&(struct facts){
			.cluster = cluster->name,
			.python = known		   ? cluster->python
				: settings->python ? settings->python
						   : "PYTHON",
			.scheduler = known ? address : unknown,
			.interface = known ? cluster_access_worker_interface(cluster) : NULL,
			.forkserver = settings->worker_start == WORKER_START_FORKSERVER,
		});
}

static void make_environment(const struct cluster *cluster, struct strv *ret)
{
	const struct strv *more = &cluster->request.settings.environment;
	strv_copy(ret, &cluster->request.environment);
	cluster_access_workers(cluster, ret);
	for (size_t i = 0; i < more->count; i++)
		environment_set(ret, more->item[i]);
}

void wish_ask(const struct settings *settings, int64_t count, struct slurm_submission *ret)
{
	*ret = (struct slurm_submission){
		.count = count,
		.cores = settings->cores,
		.memory_mib = settings->memory_mib,
		.walltime_s = settings->walltime_s,
	};
	settings_directives(settings, &ret->directives);
}

void cluster_make_wish(const struct cluster *cluster, const char *name, int64_t count,
	struct slurm_submission *ret)
{
	wish_ask(&cluster->request.settings, count, ret);
	bad_nodes_exclude(&cluster->nodes, loop_now_ms(), &ret->directives);
	ret->name = xstrdup(name);
	ret->script = make_own_script(cluster);
	ret->output = xasprintf("%s/job-%s.log", cluster->log_dir, count > 1 ? "%A_%a" : "%j");
	ret->directory = xstrdup(cluster->request.directory);
	make_environment(cluster, &ret->environment);
}
