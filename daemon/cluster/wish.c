/* wish.c: describes the jobs that the cluster's settings ask for. */
#include "daemon/cluster/wish.h"

#include <string.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/number.h"
#include "common/sbatch_options.h"
#include "common/settings_job.h"
#include "common/settings_list.h"
#include "common/settings_places.h"
#include "common/slurm_msg.h"
#include "daemon/cluster/access.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/worker_start.h"
#include "daemon/dask/jobscript.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/loop.h"

#define DEATH_TIMEOUT_S 60 /* workers without a scheduler */
#define WATCH_MIN_S	20 /* for a node to reach the scheduler: less proves nothing */
#define WATCH_REST_S	10 /* before something else ends the workers */

/* What the job script needs besides the settings. */
struct facts {
	const char *cluster, *python, *scheduler, *interface;
	const char *spawn_mark; /* path of the mark; NULL: none */
	bool forkserver;
};

/* A node that does not reach the scheduler says so before its workers give up, and before
 * forkserver or the node is blamed for them. */
static int64_t watch_s(const struct settings *settings)
{
	int64_t patience_s = settings->worker_timeout_ms / 2000;
	int64_t watch_s = min_of(patience_s, DEATH_TIMEOUT_S) - WATCH_REST_S;

	return watch_s < WATCH_MIN_S ? 0 : watch_s;
}

static char *make_script(const struct settings *s, const struct facts *facts)
{
	struct jobscript_ports worker_ports, nanny_ports;
	struct strv python = STRV_INIT;
	char *script;

	settings_ports(s, SETTING_WORKER_PORT, &worker_ports.first, &worker_ports.last);
	settings_ports(s, SETTING_NANNY_PORT, &nanny_ports.first, &nanny_ports.last);
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
		.watch_s = watch_s(s),
		.scratch = s->use_scratch_dir ? s->scratch_directory : NULL,
		.prologue = s->prologue,
		.epilogue = s->epilogue,
		.worker_ports = worker_ports,
		.nanny_ports = nanny_ports,
		.options = &s->worker_options,
		.preimport = &s->preimport,
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

/* The places, the name and the log of a job differ with each start, so the preview leaves them
 * out. */
static bool is_shown(const char *option)
{
	static const char *const hidden[] = {
		"--job-name=", "--output=", "--error=", "--input=", "--chdir=", "--export="};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (strncmp(option, hidden[i], strlen(hidden[i])) == 0)
			return false;
	return true;
}

/* The options for sbatch as lines of a script. The caller frees. */
static char *options_text(const struct settings *settings)
{
	static char none[] = "";
	struct strv options = STRV_INIT, lines = STRV_INIT;
	_cleanup_free_ char *queues = NULL;
	struct strv places = STRV_INIT;
	struct slurm_submission wish;
	char *text;

	settings_places(settings, &places);
	queues = list_format(&places);
	wish_ask(settings, 1, &wish);
	wish.name = wish.output = wish.directory = none;
	sbatch_options(&wish, &options);
	for (size_t i = 0; i < options.count; i++) {
		const char *quote = strpbrk(options.item[i], " \t#") ? "\"" : "";

		if (is_shown(options.item[i]))
			strv_addf(&lines, "#SBATCH %s%s%s", quote, options.item[i], quote);
	}
	if (settings->reservation)
		strv_addf(
			&lines, "# reservation: %s, when it is active", settings->reservation);
	strv_addf(&lines, "# partition: %s", *queues ? queues : "as the site chooses");
	text = strv_join(&lines, "\n");
	wish.name = wish.output = wish.directory = NULL;
	slurm_submission_finish(&wish);
	strv_finish(&options);
	strv_finish(&lines);
	strv_finish(&places);
	return text;
}

static char *preview(const struct cluster *cluster, const struct settings *settings)
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

char *wish_preview_script(const struct cluster *cluster, const struct settings *settings)
{
	_cleanup_free_ char *script = preview(cluster, settings);
	_cleanup_free_ char *options = options_text(settings);
	int first = (int)strcspn(script, "\n");

	return xasprintf("%.*s\n%s%s", first, script, options, script + first);
}

static void make_environment(const struct cluster *cluster, struct strv *ret)
{
	const struct strv *more = &cluster->request.settings.environment;
	_cleanup_free_ char *name = NULL;

	strv_copy(ret, &cluster->request.environment);
	/* A lifetime in the user's configuration of Dask is meant for other clusters; draco
	 * replaces jobs itself. */
	environment_set(ret, "DASK_DISTRIBUTED__WORKER__LIFETIME__DURATION=None");
	cluster_access_workers(cluster, ret);
	/* A task that asks for a cluster without a name means this one. */
	name = xasprintf("DRACO_NAME=%s", cluster->name);
	environment_set(ret, name);
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
	const struct strv *options, struct slurm_submission *ret)
{
	wish_ask(&cluster->request.settings, count, ret);
	if (options)
		settings_directives_at(&ret->directives, options);
	bad_nodes_exclude(&cluster->nodes, loop_now_ms(), &ret->directives);
	ret->name = xstrdup(name);
	ret->script = make_own_script(cluster);
	ret->output = xasprintf("%s/job-%s.log", cluster->log_dir, count > 1 ? "%A_%a" : "%j");
	ret->directory = xstrdup(cluster->request.directory);
	make_environment(cluster, &ret->environment);
}
