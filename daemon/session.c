/* session.c: dracod towards the user's session: the service manager and the user bus.
 *
 * Changes of the cluster come often, and are told at most once in TELL_MS; its state at once. */
#include "daemon/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/paths.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/unit.h"
#include "daemon/control/control.h"
#include "daemon/control/report.h"
#include "daemon/dask/scheduler.h"
#include "daemon/ending.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"
#include "systemd/notify.h"
#ifdef HAVE_SYSTEMD
#include "systemd/bus.h"
#include "systemd/login.h"
#include "systemd/manager.h"
#include "systemd/restart.h"
#include "systemd/scope.h"
#endif

#define TELL_MS 200

struct session {
	const struct paths *paths;
	struct cluster *cluster;
	struct control *control;
	struct slurm *slurm;
	struct ending *ending;
	struct loop_timer *tell;
	struct loop_timer *alive; /* the next message to the watchdog */
	bool late;		  /* work was late at the last one */
	char *told;		  /* the last line for the service manager */
	enum cluster_state told_state;
#ifdef HAVE_SYSTEMD
	struct bus *bus;
	struct manager *manager;
	struct login *login;
	struct scope *scope;	 /* of the scheduler; NULL: dracod is no service */
	struct restart *restart; /* the question; NULL: none was asked */
#endif
};

/* What there is to tell. */
struct summary {
	struct jobs_count count;
	int64_t pending;
	char *waits_for; /* "": for nothing */
};

static void summary_make(const struct cluster *cluster, struct summary *ret)
{
	const struct job *job;

	ret->count = jobs_count(cluster->jobs);
	ret->waits_for = report_waits_for(cluster);
	ret->pending = 0;
	TAILQ_FOREACH (job, jobs_list(cluster->jobs), link)
		ret->pending += job->phase <= PHASE_PENDING;
}

/* "running, 3 jobs (1 pending), 8 workers; job 42 is pending in short: Resources". The caller
 * frees. */
static char *describe(const struct cluster *cluster, const struct summary *summary)
{
	_cleanup_free_ char *pending = NULL, *jobs = NULL;
	int64_t alive = summary->count.alive, workers = summary->count.connected;

	if (summary->pending > 0)
		pending = xasprintf(" (%" PRId64 " pending)", summary->pending);
	if (alive > 0)
		jobs = xasprintf(", %" PRId64 " job%s%s, %" PRId64 " worker%s", alive,
			alive == 1 ? "" : "s", pending ? pending : "", workers,
			workers == 1 ? "" : "s");
	return xasprintf("%s%s%s%s", cluster_state_name(cluster->state), jobs ? jobs : "",
		*summary->waits_for ? "; " : "", summary->waits_for);
}

static void tell_service_manager(struct session *session, const struct summary *summary)
{
	_cleanup_free_ char *line = describe(session->cluster, summary);

	if (session->told && strcmp(session->told, line) == 0)
		return;
	xreplace(&session->told, line);
	notify_status("cluster %s: %s", session->paths->name, line);
}

#ifdef HAVE_SYSTEMD
/* A program on the bus is served as one that connects to the control socket. */
static int connect_to_control(void *arg)
{
	struct session *session = arg;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -errno;
	control_serve(session->control, pair[0], "user bus");
	return pair[1];
}

static void on_bus_up(void *arg, struct sd_bus *connection)
{
	struct session *session = arg;

	manager_up(session->manager, connection);
	if (session->scope)
		scope_up(session->scope, connection);
}

static void on_bus_down(void *arg)
{
	struct session *session = arg;

	manager_down(session->manager);
	if (session->scope)
		scope_down(session->scope);
	if (session->restart)
		restart_down(session->restart);
}

/* The scheduler ends with the host, and with it the computation: nothing could go on with the jobs
 * after the next boot, so they are given back while Slurm can be reached. */
static void on_host_ends(void *arg)
{
	struct session *session = arg;

	history_note(EVENT_NOTE, "dracod", NULL, "the host shuts down or restarts");
	ending_begin_soon(session->ending, "the host shuts down or restarts");
}

static void on_scope_settled(void *arg, const char *why)
{
	struct session *session = arg;

	cluster_unit_settled(session->cluster, why);
}

/* A process that has a unit of its own outlives a restart of dracod's unit. */
static void hold_scheduler(struct session *session)
{
	const struct settings *settings = &session->cluster->request.settings;

	if (session->scope)
		scope_want(session->scope, scheduler_pid(session->cluster->scheduler),
			&(struct scope_limits){
				.memory_high = settings->scheduler_memory_high_mib << 20,
				.memory_max = settings->scheduler_memory_max_mib << 20,
				.cpu_weight = settings->scheduler_cpu_weight,
				.tasks_max = settings->scheduler_tasks_max,
			});
}

static void join_bus(struct session *session, struct loop *loop)
{
	static const struct manager_ops manager_ops = {connect_to_control};
	static const struct bus_ops bus_ops = {on_bus_up, on_bus_down};

	session->login = login_create(loop, on_host_ends, session);
	session->manager = manager_create(loop, session->paths->name, &manager_ops, session);
	if (environment_is_supervised())
		session->scope =
			scope_create(loop, session->paths->name, on_scope_settled, session);
	session->bus = bus_create(loop, BUS_USER, &bus_ops, session);
}

static void leave_bus(struct session *session)
{
	login_destroy(session->login);
	scope_destroy(session->scope);
	restart_destroy(session->restart);
	manager_destroy(session->manager);
	bus_destroy(session->bus);
}

static bool ask_restart(
	struct session *session, void (*fn)(void *arg, bool restarts), void *arg)
{
	struct sd_bus *connection = bus_connection(session->bus);

	if (!connection || session->restart || !environment_is_supervised())
		return false;
	session->restart = restart_create(fn, arg);
	return restart_ask(session->restart, connection) == 0;
}

static void tell_bus(struct session *session, const struct summary *summary)
{
	const struct cluster *cluster = session->cluster;

	login_delay(session->login, !cluster_is_down(cluster));
	manager_set_facts(session->manager,
		&(struct manager_facts){
			.state = cluster_state_name(cluster->state),
			.waits_for = summary->waits_for,
			.failure =
				cluster->state == CLUSTER_FAILED ? cluster->failure.text : "",
			.jobs = (uint32_t)summary->count.alive,
			.pending_jobs = (uint32_t)summary->pending,
			.workers = (uint32_t)summary->count.connected,
			.attached = (uint32_t)cluster->attached,
		});
}
#else
static void join_bus(struct session *session, struct loop *loop)
{
	(void)session;
	(void)loop;
}

static void leave_bus(struct session *session)
{
	(void)session;
}

static void hold_scheduler(struct session *session)
{
	(void)session;
}

static bool ask_restart(
	struct session *session, void (*fn)(void *arg, bool restarts), void *arg)
{
	(void)session;
	(void)fn;
	(void)arg;
	return false;
}

static void tell_bus(struct session *session, const struct summary *summary)
{
	(void)session;
	(void)summary;
}
#endif

/* The service manager restarts a dracod from which it does not hear: one whose loop does not turn,
 * or turns without doing its work. */
static void on_alive(void *arg)
{
	struct session *session = arg;

	bool late = cluster_is_late(session->cluster) || slurm_is_late(session->slurm);

	if (!late || !session->late)
		notify_alive();
	if (late) /* timers stand still while the host is suspended */
		cluster_wake(session->cluster, 0);
	session->late = late;
	loop_timer_start(session->alive, notify_watchdog_ms() / 3);
}

static void on_tell(void *arg)
{
	struct session *session = arg;
	struct summary summary;

	loop_timer_stop(session->tell);
	session->told_state = session->cluster->state;
	summary_make(session->cluster, &summary);
	tell_service_manager(session, &summary);
	tell_bus(session, &summary);
	free(summary.waits_for);
}

void session_ask_restart(
	struct session *session, void (*fn)(void *arg, bool restarts), void *arg)
{
	if (!ask_restart(session, fn, arg))
		fn(arg, false);
}

void session_cluster_changed(struct session *session)
{
	hold_scheduler(session);
	if (session->cluster->state != session->told_state)
		on_tell(session); /* who is told of a start's end may ask for the state */
	else if (!loop_timer_is_running(session->tell))
		loop_timer_start(session->tell, TELL_MS);
}

struct session *session_create(struct loop *loop, const struct paths *paths,
	struct cluster *cluster, struct control *control, struct slurm *slurm,
	struct ending *ending)
{
	struct session *session = xcalloc(1, sizeof(*session));
	int fd;

	session->paths = paths;
	session->cluster = cluster;
	session->control = control;
	session->slurm = slurm;
	session->ending = ending;
	session->tell = loop_timer_create(loop, on_tell, session);
	session->alive = loop_timer_create(loop, on_alive, session);
	while ((fd = notify_take_socket()) >= 0)
		control_listen_too(control, fd);
	join_bus(session, loop);
	on_tell(session);
	hold_scheduler(session);
	if (notify_watchdog_ms() > 0)
		on_alive(session);
	return session;
}

struct session *session_destroy(struct session *session)
{
	if (!session)
		return NULL;
	leave_bus(session);
	loop_timer_destroy(session->tell);
	loop_timer_destroy(session->alive);
	free(session->told);
	free(session);
	return NULL;
}
