/* daemon.c: dracod as a whole: makes all parts and connects their events. No other file does.
 *
 *	control socket -> methods -> cluster
 *	TLS port       -> the same
 *	dask.sock      -> cluster
 *	signals	       -> ending: stops the cluster, then leaves the loop
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/batch_job.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/log.h"
#include "common/part.h"
#include "common/paths.h"
#include "daemon/cluster/access.h"
#include "daemon/cluster/adopt.h"
#include "daemon/cluster/cluster.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/record.h"
#include "daemon/cluster/scheduler.h"
#include "daemon/control/control.h"
#include "daemon/control/methods.h"
#include "daemon/control/outside.h"
#include "daemon/control/ownership.h"
#include "daemon/dask/dask_link.h"
#include "daemon/ending.h"
#include "daemon/io/batch.h"
#include "daemon/io/child.h"
#include "daemon/io/former.h"
#include "daemon/io/history.h"
#include "daemon/io/instance.h"
#include "daemon/io/loop.h"
#include "daemon/io/sockets.h"
#include "daemon/io/statefile.h"
#include "daemon/io/tls.h"
#include "daemon/io/writer.h"
#include "daemon/runlog.h"
#include "daemon/session.h"
#include "daemon/slurm/binding.h"
#include "daemon/slurm/helper.h"
#include "daemon/slurm/leftover.h"
#include "systemd/journal.h"
#include "systemd/notify.h"

struct daemon {
	struct paths paths;
	struct binding *binding;
	struct tenure *tenure;
	struct sockets *sockets;
	struct ownership *ownership;
	struct loop *loop;
	struct loop_signal *signals[3];
	struct children *children;
	struct slurm *slurm;
	struct leftover *leftover;
	struct runlog *runlog;
	struct cluster *cluster;
	struct dask_link *dask_link;
	struct methods *methods;
	struct control *control;
	struct outside *outside;
	struct ending *ending;
	struct batch *batch;
	struct session *session;
	enum cluster_state told_state;
	bool left;
};

static void begin_shutdown(void *arg)
{
	struct daemon *daemon = arg;

	ending_begin(daemon->ending, "dracod ends");
}

static bool on_leave(void *arg)
{
	struct daemon *daemon = arg;

	daemon->left = true;
	methods_leave(daemon->methods);
	loop_exit(daemon->loop);
	return environment_is_supervised();
}

/* This dracod still looks after its jobs and its scheduler. Everything else belongs to its
 * successor. */
static void on_lost(void *arg, const char *why)
{
	struct daemon *daemon = arg;

	statefile_hand_over();
	history_hand_over();
	history_note(EVENT_FAILURE, "dracod", NULL,
		"process %d no longer serves \"%s\" and exits: %s", (int)getpid(),
		daemon->paths.name, why);
	ending_begin_soon(daemon->ending, "another dracod may serve the name");
}

static void on_job_ended(void *arg)
{
	struct daemon *daemon = arg;

	history_note(EVENT_DECISION, "dracod", NULL,
		"ends, because Slurm job %s has ended, in which it was started",
		batch_job_id());
	ending_begin_soon(daemon->ending, "the Slurm job around dracod has ended");
}

static bool are_sockets_there(void *arg)
{
	struct daemon *daemon = arg;

	return control_is_there(daemon->control) && dask_link_is_there(daemon->dask_link);
}

static int listen_again(void *arg, struct err *err)
{
	struct daemon *daemon = arg;
	int r = control_move(daemon->control, daemon->paths.control_socket, err);

	return r < 0 ? r : dask_link_move(daemon->dask_link, daemon->paths.dask_socket, err);
}

static void on_sockets_well(void *arg, bool again)
{
	struct daemon *daemon = arg;
	struct err err = ERR_INIT;

	if (again && instance_publish(daemon->tenure, &err) < 0)
		log_error("%s", err.text);
	cluster_access_mend(daemon->cluster);
}

/* A signal ends dracod: with its cluster, unless the next dracod comes at once. */
static void on_end(void *arg, bool restarts)
{
	struct daemon *daemon = arg;
	struct err err = ERR_INIT;

	if (!restarts) {
		ending_signalled(daemon->ending);
		return;
	}
	if (record_hand_over(daemon->cluster, &err) < 0)
		log_error("%s: the next dracod goes on with an older record", err.text);
	on_leave(daemon);
}

static void on_end_signal(void *arg)
{
	struct daemon *daemon = arg;

	session_ask_restart(daemon->session, on_end, daemon);
}

static void on_hangup(void *arg)
{
	struct err err = ERR_INIT;

	(void)arg;
	if (log_reopen(&err) < 0)
		log_error("%s", err.text);
	else
		log_info("reopened the log");
}

static void on_cluster_changed(void *arg)
{
	struct daemon *daemon = arg;
	enum cluster_state state = daemon->cluster->state;

	record_touch(daemon->cluster);
	if (!daemon->session) /* the parts are not all made yet */
		return;
	methods_cluster_changed(daemon->methods);
	outside_update(daemon->outside, daemon->cluster);
	session_cluster_changed(daemon->session);
	if (state == daemon->told_state)
		return;
	daemon->told_state = state;
	record_save(daemon->cluster);
	if (cluster_is_down(daemon->cluster))
		leftover_clean(daemon->leftover);
	ending_cluster_changed(daemon->ending);
}

static void on_log_directory(void *arg, const char *directory, int64_t retention_ms)
{
	struct daemon *daemon = arg;

	runlog_begin(daemon->runlog, directory, retention_ms);
}

static void on_may_have_jobs(void *arg, const char *cluster_id)
{
	struct daemon *daemon = arg;

	leftover_remember(daemon->leftover, cluster_id);
}

static void on_has_no_jobs(void *arg, const char *cluster_id)
{
	struct daemon *daemon = arg;

	leftover_forget(daemon->leftover, cluster_id);
}

static int on_scheduler_hello(void *arg, const json_t *hello, struct err *err)
{
	struct daemon *daemon = arg;

	return cluster_scheduler_hello(daemon->cluster, hello, err);
}

static void on_worker_added(void *arg, const char *name, const char *address, int64_t threads)
{
	struct daemon *daemon = arg;

	cluster_worker_added(daemon->cluster, name, address, threads);
}

static void on_worker_removed(void *arg, const char *address, bool asked, const json_t *death)
{
	struct daemon *daemon = arg;

	cluster_worker_removed(daemon->cluster, address, asked, death);
}

static void on_load(void *arg, const json_t *load)
{
	struct daemon *daemon = arg;

	cluster_set_load(daemon->cluster, load);
}

static void on_workers(void *arg, const json_t *workers)
{
	struct daemon *daemon = arg;

	cluster_workers_load(daemon->cluster, workers);
}

static int on_terminate(void *arg, struct err *err)
{
	struct daemon *daemon = arg;

	return methods_terminate(daemon->methods, err);
}

static void on_slurm_meant(void *arg, const struct binding_start *start)
{
	struct daemon *daemon = arg;

	binding_begin(daemon->binding, start);
	slurm_use(daemon->slurm, &start->variables,
		binding_expected(daemon->binding, leftover_has_any(daemon->leftover)));
}

static void on_slurm_told(void *arg, const json_t *slurm)
{
	struct daemon *daemon = arg;

	binding_told(daemon->binding, slurm);
}

static int ask_scheduler(void *arg, const char *method, json_t *params, int64_t deadline_ms,
	scheduler_answer *done, void *done_arg)
{
	struct daemon *daemon = arg;

	return dask_link_request(
		daemon->dask_link, method, params, deadline_ms, done, done_arg);
}

static void on_scheduler_lost(void *arg, const char *why)
{
	struct daemon *daemon = arg;

	history_note(EVENT_NOTE, "scheduler", NULL,
		"lost the connection to draco's plugin in the scheduler: %s", why);
	cluster_scheduler_lost(daemon->cluster);
}

static void on_request(void *arg, struct client *client, const struct rpc_message *message)
{
	struct daemon *daemon = arg;

	methods_request(daemon->methods, client, message);
}

static void on_client_gone(void *arg, struct client *client)
{
	struct daemon *daemon = arg;

	methods_client_gone(daemon->methods, client);
	ending_client_gone(daemon->ending);
}

static int make_parts(struct daemon *daemon, int64_t stay_ms, struct err *err)
{
	static const struct cluster_ops cluster_ops = {on_cluster_changed, on_log_directory,
		on_may_have_jobs, on_has_no_jobs, on_slurm_meant, on_slurm_told, ask_scheduler};
	static const struct dask_link_ops link_ops = {on_scheduler_hello, on_worker_added,
		on_worker_removed, on_load, on_workers, on_terminate, on_scheduler_lost};
	static const struct methods_ops methods_ops = {begin_shutdown, on_leave};
	static const struct control_ops control_ops = {on_request, on_client_gone};
	_cleanup_free_ char *helper = part_find("draco-slurm", PKGLIBEXECDIR);
	_cleanup_free_ char *preload = part_find("draco_scheduler.py", PKGDATADIR);
	struct paths *paths = &daemon->paths;

	daemon->signals[0] = loop_signal_create(daemon->loop, SIGTERM, on_end_signal, daemon);
	daemon->signals[1] = loop_signal_create(daemon->loop, SIGINT, on_end_signal, daemon);
	daemon->signals[2] = loop_signal_create(daemon->loop, SIGHUP, on_hangup, daemon);
	daemon->children = children_create(daemon->loop);
	daemon->slurm = slurm_create(daemon->loop, daemon->children, helper);
	daemon->leftover =
		leftover_create(daemon->loop, daemon->slurm, paths->name, paths->state_file);
	slurm_use(daemon->slurm, NULL,
		binding_expected(daemon->binding, leftover_has_any(daemon->leftover)));
	daemon->runlog = runlog_create(daemon->loop, daemon->children, paths);
	daemon->cluster = cluster_create(daemon->loop, daemon->children, daemon->slurm, paths,
		preload, &cluster_ops, daemon);
	daemon->dask_link =
		dask_link_create(daemon->loop, paths->dask_socket, &link_ops, daemon, err);
	if (!daemon->dask_link)
		return err->code;
	daemon->methods = methods_create(
		daemon->loop, daemon->cluster, paths, daemon->binding, &methods_ops, daemon);
	daemon->control =
		control_create(daemon->loop, paths->control_socket, &control_ops, daemon, err);
	if (!daemon->control)
		return err->code;
	daemon->ending = ending_create(
		&(struct ending_parts){daemon->loop, daemon->slurm, daemon->leftover,
			daemon->cluster, daemon->methods, daemon->control},
		stay_ms);
	daemon->batch = batch_create(daemon->loop, on_job_ended, daemon);
	daemon->outside = outside_create(daemon->loop, paths, daemon->control);
	daemon->ownership = ownership_create(
		daemon->loop, daemon->tenure, paths, OWNERSHIP_PATIENCE_MS, on_lost, daemon);
	daemon->session = session_create(daemon->loop, paths, daemon->cluster, daemon->control,
		daemon->slurm, daemon->ending);
	sockets_watch(daemon->sockets);
	return 0;
}

/* Take the name, and publish the process and its sockets. */
static int take_place(struct daemon *daemon, struct err *err)
{
	static const struct sockets_ops sockets_ops = {
		are_sockets_there, listen_again, on_sockets_well};

	daemon->loop = loop_create(err);
	if (!daemon->loop)
		return err->code;
	daemon->sockets = sockets_create(daemon->loop, &daemon->paths,
		former_socket(instance_former(daemon->tenure)), &sockets_ops, daemon, err);
	return daemon->sockets ? instance_publish(daemon->tenure, err) : err->code;
}

/* Go on with the cluster of the former dracod, if that is possible. Nothing of it may be removed
 * before. err: why there is no record, although there was one. */
static void adopt(struct daemon *daemon, const json_t *record, struct err *err)
{
	if (record && cluster_adopt(daemon->cluster, record, err) == 0) {
		tls_clean(daemon->paths.tls_dir, daemon->cluster->id);
		return;
	}
	former_note(instance_former(daemon->tenure), err->code ? err->text : NULL);
	if (err->code)
		cluster_adopt_failed(daemon->cluster, err);
	tls_clean(daemon->paths.tls_dir, NULL);
	statefile_remove(daemon->paths.cluster_file);
	statefile_remove(daemon->paths.basis_file);
}

struct daemon *daemon_create(const struct daemon_options *options, struct err *err)
{
	struct daemon *daemon = xcalloc(1, sizeof(*daemon));
	_cleanup_json_ json_t *record = NULL;

	daemon->binding = binding_occupy(options->name, options->exact, options->slurm,
		&daemon->paths, &daemon->tenure, err);
	if (!daemon->binding ||
		log_open(options->log_file, options->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
			err) < 0)
		return daemon_destroy(daemon);
#ifdef HAVE_SYSTEMD
	journal_open(daemon->paths.name);
#endif
	signal(SIGPIPE, SIG_IGN);
	history_open(daemon->paths.events_file);
	if (record_find(&daemon->paths, &record, err) < 0 || take_place(daemon, err) < 0 ||
		make_parts(daemon, options->stay_ms, err) < 0)
		return daemon_destroy(daemon);
	history_note(EVENT_NOTE, "dracod", NULL, "%s \"%s\": process %d serves %s",
		PACKAGE_VERSION, daemon->paths.name, (int)getpid(),
		daemon->paths.control_socket);
	adopt(daemon, record, err);
	notify_ready(); /* a program that waited for this may look at the status at once */
	return daemon;
}

static void release_tenure(void *arg)
{
	instance_release(arg);
}

struct daemon *daemon_destroy(struct daemon *daemon)
{
	bool all;

	if (!daemon)
		return NULL;
	daemon->ownership = ownership_destroy(daemon->ownership);
	daemon->session = session_destroy(daemon->session);
	control_close(daemon->control);
	daemon->outside = outside_destroy(daemon->outside);
	daemon->batch = batch_destroy(daemon->batch);
	daemon->ending = ending_destroy(daemon->ending);
	dask_link_destroy(daemon->dask_link);
	/* Destroy slurm first, so that no answer reaches the other parts. */
	slurm_destroy(daemon->slurm);
	methods_destroy(daemon->methods);
	cluster_destroy(daemon->cluster);
	sockets_destroy(daemon->sockets);
	leftover_destroy(daemon->leftover);
	runlog_destroy(daemon->runlog);
	children_destroy(daemon->children);
	for (int i = 0; i < 3; i++)
		loop_signal_destroy(daemon->signals[i]);
	history_close();
	writer_run(WRITER_STATE, release_tenure, NULL, daemon->tenure);
	all = writer_end(WRITER_END_MS);
	/* Flush at the end: a client that learns of the end may start the next dracod. */
	control_flush(daemon->control);
	control_destroy(daemon->control);
	loop_destroy(daemon->loop);
	/* Nobody waits for this dracod any more. A record that is not removed would have the next
	 * one go on with a cluster that was stopped; the lock keeps that one away until then. From
	 * here on a signal kills. */
	writer_outlast(WRITER_STATE);
	binding_destroy(daemon->binding);
	if (!all) /* a thread that hangs may use its paths */
		return NULL;
	paths_finish(&daemon->paths);
	free(daemon);
	return NULL;
}

struct loop *daemon_loop(struct daemon *daemon)
{
	return daemon->loop;
}

int daemon_run(struct daemon *daemon)
{
	int r = loop_run(daemon->loop);

	history_note(EVENT_NOTE, "dracod", NULL, "%s",
		daemon->left ? "leaves its cluster to the next dracod" : "ends");
	if (daemon->left) {
		/* In this order: a client that learns of it starts the next dracod. */
		writer_end(WRITER_END_MS);
		control_flush(daemon->control);
	}
	return r;
}

bool daemon_has_left(const struct daemon *daemon)
{
	return daemon->left;
}
