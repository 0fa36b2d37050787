/* instance.c: allows one dracod for each name and home directory, over all hosts.
 *
 * The lock is an open file description lock, which works over NFS, too. common/holder.c judges
 * whether the dracod of another host still lives. */
#include "daemon/io/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/batch_job.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/holder.h"
#include "common/host.h"
#include "common/json.h"
#include "common/lock_scope.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/rendezvous.h"
#include "daemon/io/statefile.h"
#include "daemon/io/statequeue.h"
#include "daemon/io/writer.h"

struct tenure {
	const struct paths *paths;
	int lock;
	time_t started;
	enum lock_scope scope;
	json_t *former;
};

static int taken(const struct paths *paths, const json_t *other, struct err *err)
{
	struct host here;
	int pid = (int)json_get_integer(other, "pid", 0);
	const char *host = json_get_text(other, "host", "?");

	host_get(&here);
	if (strcmp(host, here.name) == 0)
		return err_set(err, -EBUSY, "dracod \"%s\" runs already, as process %d",
			paths->name, pid);
	return err_set(err, -EBUSY,
		"dracod \"%s\" runs already, on host %s as process %d: use it there, or end it "
		"with ssh %s dracoctl --name %s shutdown",
		paths->name, host, pid, host, paths->name);
}

/* The lock does not tell whether the dracod of another host still lives. -EBUSY with err. */
static int undecided(const struct paths *paths, const json_t *other, struct err *err)
{
	return err_set(err, -EBUSY,
		"dracod \"%s\" may run on host %s (process %d): the file system of %s does not "
		"tell other hosts whether it does; if it is gone for good, dracoctl --name %s "
		"takeover lets another start",
		paths->name, json_get_text(other, "host", "?"),
		(int)json_get_integer(other, "pid", 0), paths->state_dir, paths->name);
}

json_t *instance_describe(void)
{
	struct host here;

	host_get(&here);
	return json_pack("{s:i, s:s, s:s, s:s, s:o}", "pid", (int)getpid(), "host", here.name,
		"boot", here.boot, "version", PACKAGE_VERSION, "job",
		json_text(batch_job_id()));
}

static void on_published(void *arg, const struct err *err)
{
	(void)arg;
	if (err)
		log_error("%s", err->text);
}

int instance_publish(struct tenure *tenure, struct err *err)
{
	const struct paths *paths = tenure->paths;
	json_t *object = instance_describe();

	json_object_set_new(object, "started", json_integer((json_int_t)tenure->started));
	json_object_set_new(object, "locks", json_text(lock_scope_name(tenure->scope)));
	json_object_set_new(object, "supervised", json_boolean(environment_is_supervised()));
	json_object_set_new(object, "socket", json_text(paths->control_socket));
	json_object_set_new(object, "dask_socket", json_text(paths->dask_socket));
	if (!writer_is_on())
		return statefile_write(paths->daemon_file, object, err);
	statequeue_write(paths->daemon_file, object, true, on_published, NULL);
	return 0;
}

/* Lock the file, unless the former dracod lives, or may live. */
static int take(struct tenure *tenure, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	const struct paths *paths = tenure->paths;
	enum holder_lock answer = HOLDER_LOCK_FREE;
	char file_system[LOCK_SCOPE_TYPE_MAX];
	struct host here;

	if (fcntl(tenure->lock, F_OFD_SETLK, &lock) < 0) {
		int code = errno;

		answer = code == EAGAIN || code == EACCES ? HOLDER_LOCK_HELD
							  : HOLDER_LOCK_SILENT;
		if (answer == HOLDER_LOCK_SILENT)
			log_warning("%s: no locks here (%s): a dracod that another host starts "
				    "at the same moment is not noticed",
				paths->lock_file, strerror(code));
	}
	host_get(&here);
	tenure->scope = answer == HOLDER_LOCK_SILENT ? LOCK_SCOPE_UNKNOWN
						     : lock_scope_of(tenure->lock, file_system);
	switch (holder_judge(tenure->former, &here, answer, tenure->scope)) {
	case HOLDER_ALIVE:
		return taken(paths, tenure->former, err);
	case HOLDER_UNKNOWN:
		return undecided(paths, tenure->former, err);
	default:
		return 0;
	}
}

struct tenure *instance_acquire(const struct paths *paths, struct err *err)
{
	struct tenure *tenure = xcalloc(1, sizeof(*tenure));
	struct err why = ERR_INIT;

	tenure->paths = paths;
	tenure->started = time(NULL);
	tenure->lock = open(paths->lock_file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (tenure->lock < 0) {
		err_set(err, -errno, "cannot open %s: %s", paths->lock_file, strerror(errno));
		return instance_release(tenure);
	}
	if (rendezvous_daemon(paths, &tenure->former, &why) < 0 && why.code)
		log_warning("%s", why.text);
	if (take(tenure, err) < 0) {
		close(TAKE_FD(tenure->lock));
		return instance_release(tenure);
	}
	return tenure;
}

const json_t *instance_former(const struct tenure *tenure)
{
	return tenure->former;
}

static bool is_own(const struct tenure *tenure, const json_t *daemon)
{
	_cleanup_json_ json_t *own = instance_describe();

	return strcmp(json_get_text(daemon, "host", ""), json_get_text(own, "host", "?")) ==
		0 &&
		strcmp(json_get_text(daemon, "boot", ""), json_get_text(own, "boot", "?")) ==
		0 &&
		json_get_integer(daemon, "pid", 0) == (json_int_t)getpid() &&
		json_get_integer(daemon, "started", 0) == (json_int_t)tenure->started &&
		!holder_is_taken_over(daemon);
}

struct instance_look {
	struct paths paths; /* the two files only */
	int lock;
	int lock_code, daemon_code;	 /* 0 or -errno ... */
	struct err lock_err, daemon_err; /* ... with these */
	json_t *daemon;			 /* NULL: it cannot be read */
};

struct instance_look *instance_look_create(const struct tenure *tenure)
{
	struct instance_look *look = xcalloc(1, sizeof(*look));

	/* A copy of its own, because it may outlive the tenure. */
	look->paths.lock_file = xstrdup(tenure->paths->lock_file);
	look->paths.daemon_file = xstrdup(tenure->paths->daemon_file);
	look->lock = fcntl(tenure->lock, F_DUPFD_CLOEXEC, 0);
	return look;
}

struct instance_look *instance_look_destroy(struct instance_look *look)
{
	if (!look)
		return NULL;
	if (look->lock >= 0)
		close(look->lock);
	json_decref(look->daemon);
	free(look->paths.lock_file);
	free(look->paths.daemon_file);
	free(look);
	return NULL;
}

/* Is the locked file still the one with that name? */
static int check_lock(const struct instance_look *look, struct err *err)
{
	const char *path = look->paths.lock_file;
	struct stat ours, now;

	if (lstat(path, &now) < 0)
		return errno == ENOENT || errno == ENOTDIR
			? err_set(err, -ENOENT, "%s was removed", path)
			: -EAGAIN;
	if (fstat(look->lock, &ours) < 0)
		return errno == ESTALE ? err_set(err, -ESTALE, "%s was replaced", path)
				       : -EAGAIN;
	if (ours.st_ino != now.st_ino || ours.st_dev != now.st_dev)
		return err_set(err, -ESTALE, "%s was replaced", path);
	return 0;
}

void instance_look(struct instance_look *look)
{
	look->lock_code = check_lock(look, &look->lock_err);
	if (look->lock_code == 0)
		look->daemon_code =
			rendezvous_daemon(&look->paths, &look->daemon, &look->daemon_err);
	if (look->lock >= 0)
		close(TAKE_FD(look->lock));
}

int instance_judge(struct tenure *tenure, const struct instance_look *look, struct err *err)
{
	const json_t *daemon = look->daemon;
	int r = look->daemon_code;

	if (look->lock_code < 0) {
		*err = look->lock_err;
		return look->lock_code;
	}
	if (daemon && is_own(tenure, daemon))
		return 0;
	if (daemon && holder_is_taken_over(daemon))
		return err_set(err, -ESTALE, "it was taken over on host %s (dracoctl takeover)",
			json_get_text(daemon, "taken_over_by", "?"));
	if (daemon)
		return err_set(err, -ESTALE,
			"another dracod has taken over, on host %s as process %d",
			json_get_text(daemon, "host", "?"),
			(int)json_get_integer(daemon, "pid", 0));
	if (r != -ENOENT && r != -EPERM && r != -EBADMSG)
		return -EAGAIN;
	log_warning("%s: written again",
		r == -ENOENT ? tenure->paths->daemon_file : look->daemon_err.text);
	return instance_publish(tenure, err) < 0 ? -EAGAIN : 0;
}

int instance_check(struct tenure *tenure, struct err *err)
{
	struct instance_look *look = instance_look_create(tenure);
	int r;

	instance_look(look);
	r = instance_judge(tenure, look, err);
	instance_look_destroy(look);
	return r;
}

struct tenure *instance_release(struct tenure *tenure)
{
	_cleanup_json_ json_t *daemon = NULL;

	if (!tenure)
		return NULL;
	if (tenure->lock >= 0) {
		if (rendezvous_daemon(tenure->paths, &daemon, NULL) == 0 &&
			is_own(tenure, daemon))
			unlink(tenure->paths->daemon_file);
		close(tenure->lock);
	}
	json_decref(tenure->former);
	free(tenure);
	return NULL;
}
