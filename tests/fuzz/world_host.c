/* world_host.c: the host of a dracod without the world around it: its network, its name, and
 * what starts and ends a daemon. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/log.h"
#include "common/paths.h"
#include "daemon/cluster/cluster.h"
#include "daemon/cluster/model.h"
#include "daemon/control/outside.h"
#include "daemon/control/ownership.h"
#include "daemon/io/events.h"
#include "daemon/io/instance.h"
#include "daemon/io/memory.h"
#include "daemon/io/netif.h"
#include "daemon/io/sockets.h"
#include "daemon/io/tls.h"
#include "daemon/policy/memory_use.h"
#include "daemon/runlog.h"
#include "daemon/session.h"
#include "fuzz.h"
#include "systemd/notify.h"
#include "world.h"

#define EVENTS 32 /* that are remembered */

bool world_logs;
struct cluster *world_cluster;

struct loop *__wrap_loop_create(struct err *err);
struct loop *__wrap_loop_destroy(struct loop *loop);
struct loop_signal *__wrap_loop_signal_create(
	struct loop *loop, int number, void (*fn)(void *arg), void *arg);
struct loop_signal *__wrap_loop_signal_destroy(struct loop_signal *signal);
struct children *__wrap_children_create(struct loop *loop);
struct children *__wrap_children_destroy(struct children *children);
struct slurm *__wrap_slurm_create(
	struct loop *loop, struct children *children, const char *helper_path);
struct slurm *__wrap_slurm_destroy(struct slurm *slurm);
struct cluster *__wrap_cluster_create(struct loop *loop, struct children *children,
	struct slurm *slurm, const struct paths *paths, const char *preload,
	const struct cluster_ops *ops, void *arg);
struct cluster *__real_cluster_create(struct loop *loop, struct children *children,
	struct slurm *slurm, const struct paths *paths, const char *preload,
	const struct cluster_ops *ops, void *arg);
int __wrap_paths_init(struct paths *paths, const char *name, struct err *err);
int __wrap_paths_make(const struct paths *paths, struct err *err);
struct tenure *__wrap_instance_acquire(const struct paths *paths, struct err *err);
const json_t *__wrap_instance_former(const struct tenure *tenure);
int __wrap_instance_publish(struct tenure *tenure, struct err *err);
struct tenure *__wrap_instance_release(struct tenure *tenure);
struct sockets *__wrap_sockets_create(struct loop *loop, struct paths *paths,
	const char *former, const struct sockets_ops *ops, void *arg, struct err *err);
void __wrap_sockets_watch(struct sockets *sockets);
struct sockets *__wrap_sockets_destroy(struct sockets *sockets);
struct ownership *__wrap_ownership_create(struct loop *loop, struct tenure *tenure,
	const struct paths *paths, ownership_lost_fn fn, void *arg);
struct ownership *__wrap_ownership_destroy(struct ownership *ownership);
int __wrap_log_open(const char *path, enum log_level level, struct err *err);
int __real_log_open(const char *path, enum log_level level, struct err *err);
struct runlog *__wrap_runlog_create(
	struct loop *loop, struct children *children, const struct paths *paths);
struct runlog *__wrap_runlog_destroy(struct runlog *runlog);
void __wrap_runlog_begin(struct runlog *runlog, const char *directory, int64_t retention_ms);
int __wrap_tls_create(const char *directory, const char *id, struct tls **ret, struct err *err);
void __wrap_tls_clean(const char *directory, const char *keep);
void __wrap_notify_ready(void);
void __wrap_notify_stopping(void);
void __wrap_notify_status(const char *format, ...);
struct events *__wrap_events_create(size_t capacity);
struct events *__real_events_create(size_t capacity);
struct outside *__wrap_outside_create(
	struct loop *loop, const struct paths *paths, struct control *control);
void __wrap_outside_update(struct outside *outside, struct cluster *cluster);
struct outside *__wrap_outside_destroy(struct outside *outside);
struct session *__wrap_session_create(struct loop *loop, const struct paths *paths,
	struct cluster *cluster, struct control *control, struct slurm *slurm,
	struct ending *ending);
void __wrap_session_cluster_changed(struct session *session);
struct session *__wrap_session_destroy(struct session *session);
void __wrap_session_ask_restart(
	struct session *session, void (*fn)(void *arg, bool restarts), void *arg);
int __wrap_port_choose(const char *address, struct err *err);
int __wrap_port_choose_in(
	const char *address, int first, int last, const char *name, struct err *err);
int __wrap_port_next(const char *address, int port, struct err *err);
int __wrap_port_hold(const char *address, int port);
int __wrap_netif_collect(struct netif_list *ret, struct err *err);
struct in_addr __wrap_netif_source(struct in_addr address);
void __wrap_host_get(struct host *ret);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
int __wrap_memory_look(pid_t pid, struct memory_use *ret);
char *__wrap_memory_kills_file(pid_t pid);

static char somewhere; /* for pointers that nobody follows */

/* A daemon begins and ends. */

struct loop *__wrap_loop_create(struct err *err)
{
	(void)err;
	return (struct loop *)&somewhere;
}

struct loop *__wrap_loop_destroy(struct loop *loop)
{
	(void)loop;
	return NULL;
}

struct loop_signal *__wrap_loop_signal_create(
	struct loop *loop, int number, void (*fn)(void *arg), void *arg)
{
	(void)loop;
	(void)number;
	(void)fn;
	(void)arg;
	return NULL;
}

struct loop_signal *__wrap_loop_signal_destroy(struct loop_signal *signal)
{
	(void)signal;
	return NULL;
}

struct children *__wrap_children_create(struct loop *loop)
{
	(void)loop;
	return NULL;
}

struct children *__wrap_children_destroy(struct children *children)
{
	(void)children;
	return NULL;
}

struct slurm *__wrap_slurm_create(
	struct loop *loop, struct children *children, const char *helper_path)
{
	(void)loop;
	(void)children;
	(void)helper_path;
	return NULL;
}

struct slurm *__wrap_slurm_destroy(struct slurm *slurm)
{
	(void)slurm;
	return NULL;
}

struct cluster *__wrap_cluster_create(struct loop *loop, struct children *children,
	struct slurm *slurm, const struct paths *paths, const char *preload,
	const struct cluster_ops *ops, void *arg)
{
	world_cluster = __real_cluster_create(loop, children, slurm, paths, preload, ops, arg);
	return world_cluster;
}

int __wrap_paths_init(struct paths *paths, const char *name, struct err *err)
{
	char **path[] = {&paths->runtime_dir, &paths->http_socket, &paths->state_dir,
		&paths->lock_file, &paths->daemon_file, &paths->connect_file,
		&paths->state_file, &paths->nodes_file, &paths->pauses_file, &paths->log_file,
		&paths->tls_dir, &paths->slurm_file, &paths->events_file, &paths->logs_link,
		&paths->config_file};

	(void)err;
	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++)
		*path[i] = xstrdup("/nonexistent/file");
	paths->cluster_file = xstrdup(WORLD_CLUSTER_FILE);
	free(paths->state_file);
	paths->state_file = xstrdup(WORLD_STATE_FILE);
	paths->name = xstrdup(name);
	paths->control_socket = xstrdup(WORLD_CONTROL);
	paths->dask_socket = xstrdup(WORLD_DASK);
	return 0;
}

int __wrap_paths_make(const struct paths *paths, struct err *err)
{
	(void)paths;
	(void)err;
	return 0;
}

static char some[1]; /* of what is only handed on */

struct tenure *__wrap_instance_acquire(const struct paths *paths, struct err *err)
{
	(void)paths;
	(void)err;
	return (struct tenure *)some;
}

const json_t *__wrap_instance_former(const struct tenure *tenure)
{
	(void)tenure;
	return NULL;
}

int __wrap_instance_publish(struct tenure *tenure, struct err *err)
{
	(void)tenure;
	(void)err;
	return 0;
}

struct tenure *__wrap_instance_release(struct tenure *tenure)
{
	(void)tenure;
	return NULL;
}

struct sockets *__wrap_sockets_create(struct loop *loop, struct paths *paths,
	const char *former, const struct sockets_ops *ops, void *arg, struct err *err)
{
	(void)loop;
	(void)paths;
	(void)former;
	(void)ops;
	(void)arg;
	(void)err;
	return (struct sockets *)some;
}

void __wrap_sockets_watch(struct sockets *sockets)
{
	(void)sockets;
}

struct sockets *__wrap_sockets_destroy(struct sockets *sockets)
{
	(void)sockets;
	return NULL;
}

struct ownership *__wrap_ownership_create(struct loop *loop, struct tenure *tenure,
	const struct paths *paths, ownership_lost_fn fn, void *arg)
{
	(void)loop;
	(void)tenure;
	(void)paths;
	(void)fn;
	(void)arg;
	return NULL;
}

struct ownership *__wrap_ownership_destroy(struct ownership *ownership)
{
	(void)ownership;
	return NULL;
}

int __wrap_log_open(const char *path, enum log_level level, struct err *err)
{
	static bool is_open;

	(void)path;
	(void)level;
	if (is_open)
		return 0;
	is_open = true;
	return __real_log_open(world_logs ? NULL : "/dev/null",
		world_logs ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, err);
}

struct runlog *__wrap_runlog_create(
	struct loop *loop, struct children *children, const struct paths *paths)
{
	(void)loop;
	(void)children;
	(void)paths;
	return NULL;
}

struct runlog *__wrap_runlog_destroy(struct runlog *runlog)
{
	(void)runlog;
	return NULL;
}

void __wrap_runlog_begin(struct runlog *runlog, const char *directory, int64_t retention_ms)
{
	(void)runlog;
	fuzz_require(directory[0] == '/' && retention_ms >= 0);
}

int __wrap_tls_create(const char *directory, const char *id, struct tls **ret, struct err *err)
{
	(void)directory;
	(void)id;
	(void)ret;
	return err_set(err, -EIO, "there are no certificates here");
}

void __wrap_tls_clean(const char *directory, const char *keep)
{
	(void)directory;
	(void)keep;
}

void __wrap_notify_ready(void)
{
}

void __wrap_notify_stopping(void)
{
}

void __wrap_notify_status(const char *format, ...)
{
	(void)format;
}

struct outside *__wrap_outside_create(
	struct loop *loop, const struct paths *paths, struct control *control)
{
	(void)loop;
	(void)paths;
	(void)control;
	return (struct outside *)&somewhere;
}

void __wrap_outside_update(struct outside *outside, struct cluster *cluster)
{
	(void)outside;
	(void)cluster;
}

struct outside *__wrap_outside_destroy(struct outside *outside)
{
	(void)outside;
	return NULL;
}

struct session *__wrap_session_create(struct loop *loop, const struct paths *paths,
	struct cluster *cluster, struct control *control, struct slurm *slurm,
	struct ending *ending)
{
	(void)slurm;
	(void)ending;
	(void)loop;
	(void)paths;
	(void)cluster;
	(void)control;
	return (struct session *)&somewhere;
}

void __wrap_session_cluster_changed(struct session *session)
{
	(void)session;
}

void __wrap_session_ask_restart(
	struct session *session, void (*fn)(void *arg, bool restarts), void *arg)
{
	(void)session;
	fn(arg, false);
}

struct session *__wrap_session_destroy(struct session *session)
{
	(void)session;
	return NULL;
}

/* As small as will do: a large one takes long. */
struct events *__wrap_events_create(size_t capacity)
{
	fuzz_require(capacity > EVENTS);
	return __real_events_create(EVENTS);
}

/* The network, the name, and chance. */

int __wrap_port_choose(const char *address, struct err *err)
{
	(void)address;
	(void)err;
	return 8786;
}

int __wrap_port_choose_in(
	const char *address, int first, int last, const char *name, struct err *err)
{
	(void)name;
	(void)address;
	(void)last;
	(void)err;
	return first;
}

int __wrap_port_next(const char *address, int port, struct err *err)
{
	(void)address;
	(void)err;
	return port;
}

int __wrap_port_hold(const char *address, int port)
{
	(void)address;
	(void)port;
	return -EADDRINUSE;
}

int __wrap_netif_collect(struct netif_list *ret, struct err *err)
{
	(void)err;
	*ret = (struct netif_list){0};
	return 0;
}

struct in_addr __wrap_netif_source(struct in_addr address)
{
	return address;
}

void __wrap_host_get(struct host *ret)
{
	*ret = (struct host){.name = "login1", .boot = "b"};
}

ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
	static int times;

	(void)flags;
	memset(buffer, 0x42 + (world_lasts ? times++ : 0), size);
	return (ssize_t)size;
}

int __wrap_memory_look(pid_t pid, struct memory_use *ret)
{
	fuzz_require(pid > 0);
	*ret = (struct memory_use){0};
	return -ENOENT;
}

char *__wrap_memory_kills_file(pid_t pid)
{
	(void)pid;
	return NULL;
}
