/* seek.c: finds the dracod of a name: whether it lives, and how to connect to it.
 *
 * The lock of the state directory tells whether a dracod lives, and daemon.json its host. Its
 * socket may be invisible from here, as from another host or from a container with another /tmp.
 * Then its port is used. On dracod's own host dracod may be making a missing socket again at this
 * moment, and on another host a cluster may have no port yet: wait for that. Where no dracod lives,
 * systemd may be there to start one. */
#include "client/seek.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/reach.h"
#include "client/wake.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/holder.h"
#include "common/host.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/rendezvous.h"

#define PATIENCE_MS 2000
#define BEGIN_MS    15000 /* for a cluster to have a port */
#define YOUNG_S	    3	  /* a dracod that is younger may be about to have a cluster */
#define PAUSE_MS    50
#define WAKE_MS	    15000 /* for systemd to start a dracod */

/* The known facts, and the error of each way to connect. */
struct seeking {
	const struct paths *paths;
	json_t *daemon;
	struct holder holder;
	struct host here;
	struct err no_socket, no_port; /* no_port is empty if there is no cluster */
	bool begins;		       /* on another host a cluster is about to have a port */
};

static int try_socket(struct seeking *seeking, struct channel *channel)
{
	const char *socket = json_get_text(seeking->daemon, "socket", "");
	struct err *why = &seeking->no_socket;
	int r;

	*why = (struct err)ERR_INIT;
	r = channel_open_socket(channel, socket, why);
	return r < 0 && !*why->text ? err_set(why, r, "no program serves %s", socket) : r;
}

static int try_port(struct seeking *seeking, struct channel *channel)
{
	_cleanup_json_ json_t *connect = NULL;
	struct err *why = &seeking->no_port;
	int r;

	*why = (struct err)ERR_INIT;
	r = rendezvous_connect(seeking->paths, &connect, why);
	if (r < 0)
		return r; /* -ENOENT: there is no cluster */
	if (!json_get_text(connect, "daemon", NULL))
		return err_set(why, -EHOSTUNREACH, "%s",
			json_get_text(connect, "no_daemon", "it has no port"));
	r = channel_open_port(channel, connect, why);
	if (r < 0)
		err_set(why, r,
			"%s (the setting remote_port can be a port that firewalls let through)",
			why->text);
	return r;
}

/* Does a cluster begin at this moment, on another host? Its dracod has no port yet. */
static bool begins(const struct seeking *seeking)
{
	json_int_t age_s =
		(json_int_t)time(NULL) - json_get_integer(seeking->daemon, "started", 0);

	return !*seeking->no_port.text && seeking->holder.state == HOLDER_ALIVE &&
		(access(seeking->paths->cluster_file, F_OK) == 0 ||
			(age_s < YOUNG_S && age_s > -YOUNG_S));
}

/* Try both ways. -EAGAIN: not yet. */
static int try(struct seeking *seeking, struct channel *channel, struct err *err)
{
	int r;

	json_decref(TAKE_PTR(seeking->daemon));
	r = rendezvous_daemon(seeking->paths, &seeking->daemon, err);
	if (r < 0 && r != -ENOENT && r != -EBADMSG)
		return r;
	holder_look(seeking->paths->lock_file, seeking->daemon, &seeking->holder);
	if (r == -EBADMSG && seeking->holder.state != HOLDER_ALIVE)
		return r;
	*err = (struct err)ERR_INIT;
	if (seeking->holder.state == HOLDER_ENDED && !seeking->holder.here) {
		_cleanup_free_ char *text = holder_ended_text(seeking->daemon);

		return err_set(err, -ENOENT, "%s", text);
	}
	if (seeking->holder.state == HOLDER_NONE || seeking->holder.state == HOLDER_ENDED)
		return -ENOENT;
	if (!seeking->daemon)
		return -EAGAIN; /* dracod is about to write it */
	r = seeking->holder.here ? try_socket(seeking, channel) : -EHOSTUNREACH;
	if (r < 0) {
		channel_close(channel);
		r = try_port(seeking, channel);
	}
	if (r < 0)
		channel_close(channel);
	if (r == 0)
		return 0;
	seeking->begins = !seeking->holder.here && begins(seeking);
	return seeking->holder.here || seeking->begins ? -EAGAIN : -EHOSTUNREACH;
}

static int unreachable_here(const struct seeking *seeking, int pid, struct err *err)
{
	const char *name = seeking->paths->name;
	const char *no_port = seeking->no_port.text;

	if (!seeking->daemon)
		return err_set(err, -EHOSTUNREACH,
			"a dracod \"%s\" runs, because %s is locked, but %s does not say where",
			name, seeking->paths->lock_file, seeking->paths->daemon_file);
	return err_set(err, *no_port ? -EHOSTUNREACH : -ENOTCONN,
		"dracod \"%s\" runs on this host (process %d), but its socket cannot be reached: "
		"%s\n"
		"  %s%s\n"
		"  a container or a service may see other directories than the rest of the host: "
		"dracoctl --name %s shutdown ends it where you started it",
		name, pid, seeking->no_socket.text,
		*no_port ? "nor can its port: "
			 : "it has no cluster now, and so no port, either",
		no_port, name);
}

/* Set err: where dracod is, why it cannot be reached, and what to do. */
static int unreachable(const struct seeking *seeking, struct err *err)
{
	const char *name = seeking->paths->name, *here = seeking->here.name;
	const char *host = json_get_text(seeking->daemon, "host", "?");
	const char *why = seeking->no_port.text;
	int pid = (int)json_get_integer(seeking->daemon, "pid", 0);

	if (seeking->holder.here)
		return unreachable_here(seeking, pid, err);
	if (seeking->holder.state == HOLDER_UNKNOWN)
		return err_set(err, *why ? -EHOSTUNREACH : -ENOTCONN,
			"dracod \"%s\" was started on host %s (process %d) and cannot be reached "
			"from %s%s%s; whether it still runs cannot be told here, by the locks "
			"of %s (%s)\n"
			"  if it does, use it there: ssh %s dracoctl --name %s\n"
			"  if it is gone for good: dracoctl --name %s takeover",
			name, host, pid, here, *why ? ": " : ", because it has no cluster now",
			why, seeking->paths->state_dir, seeking->holder.file_system, host, name,
			name);
	if (!*why)
		return err_set(err, -ENOTCONN,
			"dracod \"%s\" runs on host %s (process %d) and has no cluster now, so "
			"that it cannot be reached from %s\n"
			"  to start here, end it: ssh %s dracoctl --name %s shutdown",
			name, host, pid, here, host, name);
	return err_set(err, -EHOSTUNREACH,
		"dracod \"%s\" runs on host %s (process %d) and cannot be reached from %s: %s\n"
		"  use it there: ssh %s dracoctl --name %s",
		name, host, pid, here, why, host, name);
}

/* No dracod lives. If systemd's user manager has a socket for it, have it started and try again. */
static int try_after_wake(struct seeking *seeking, struct channel *channel, struct err *err)
{
	_cleanup_close_ int fd = wake_begin(seeking->paths);
	int64_t until_ms = clock_now_ms() + WAKE_MS;
	int r = -ENOENT;

	while (fd >= 0 && (r == -ENOENT || r == -EAGAIN) && !wake_has_failed(fd) &&
		clock_now_ms() < until_ms) {
		usleep(PAUSE_MS * 1000);
		r = try(seeking, channel, err);
	}
	return r;
}

int seek_dracod(struct channel *channel, const struct paths *paths, struct err *err)
{
	struct seeking seeking = {.paths = paths};
	int64_t begin_ms = clock_now_ms();
	int r;

	*channel = (struct channel)CHANNEL_INIT;
	*err = (struct err)ERR_INIT;
	host_get(&seeking.here);
	while ((r = try(&seeking, channel, err)) == -EAGAIN &&
		clock_now_ms() - begin_ms < (seeking.begins ? BEGIN_MS : PATIENCE_MS))
		usleep(PAUSE_MS * 1000);
	if (r == -ENOENT && !*err->text)
		r = try_after_wake(&seeking, channel, err);
	if (r == -EAGAIN || r == -EHOSTUNREACH)
		r = unreachable(&seeking, err);
	json_decref(seeking.daemon);
	return r;
}

bool seek_was_killed(const struct paths *paths)
{
	_cleanup_json_ json_t *daemon = NULL;
	struct holder holder;

	if (rendezvous_daemon(paths, &daemon, NULL) < 0)
		return false;
	holder_look(paths->lock_file, daemon, &holder);
	return holder.state == HOLDER_ENDED && holder.here;
}

bool seek_left_cluster(const struct paths *paths)
{
	return seek_was_killed(paths) && access(paths->cluster_file, F_OK) == 0;
}
