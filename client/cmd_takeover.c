/* cmd_takeover.c: dracoctl takeover: a user declares that the host of a dracod is gone.
 *
 * It marks daemon.json. The next dracod then continues from the state directory. The old dracod, if
 * it still lives, reads the mark and ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/confirm.h"
#include "client/ctl.h"
#include "client/output.h"
#include "client/request.h"
#include "client/where.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/holder.h"
#include "common/host.h"
#include "common/json.h"
#include "common/rendezvous.h"

struct takeover {
	struct ctl *ctl;
	json_t *daemon;
	const char *host;
	int pid;
};

static int refuse(const struct takeover *takeover, const char *why)
{
	const struct ctl *ctl = takeover->ctl;

	output_error(ctl,
		"dracod \"%s\" runs on host %s (process %d): %s\n"
		"  to end it: ssh %s dracoctl --name %s shutdown",
		ctl->paths.name, takeover->host, takeover->pid, why, takeover->host,
		ctl->paths.name);
	return CTL_FAILED;
}

/* Returns CTL_DONE if nothing proves that the dracod lives. *ret_over: there is none, or it has
 * ended, so nothing is to be done. */
static int judge(const struct takeover *takeover, bool *ret_over)
{
	struct ctl *ctl = takeover->ctl;
	struct connection connection;
	struct err err = ERR_INIT;
	struct holder holder;

	holder_look(ctl->paths.lock_file, takeover->daemon, &holder);
	*ret_over = holder.state == HOLDER_NONE || holder.state == HOLDER_ENDED;
	if (*ret_over)
		return CTL_DONE;
	if (holder.state == HOLDER_ALIVE && holder.here) {
		output_error(ctl,
			"dracod \"%s\" runs on this host, as process %d: dracoctl --name %s "
			"shutdown ends it",
			ctl->paths.name, takeover->pid, ctl->paths.name);
		return CTL_FAILED;
	}
	if (holder.state == HOLDER_ALIVE)
		return refuse(takeover, "it has locked its state directory");
	if (connection_open(&connection, ctl, &err) < 0)
		return CTL_DONE;
	connection_close(&connection);
	return refuse(takeover, "it answers at its port");
}

static bool may_go_on(const struct takeover *takeover, bool force)
{
	_cleanup_free_ char *question = NULL;

	if (force)
		return true;
	if (!confirm_is_possible()) {
		output_error(takeover->ctl,
			"it is not known here whether host %s and its dracod (process %d) are "
			"gone: "
			"takeover asks you at a terminal; in a script, --force confirms that "
			"they are",
			takeover->host, takeover->pid);
		return false;
	}
	question = xasprintf(
		"It is not known here whether dracod still runs on host %s (process %d). If it "
		"does, "
		"its cluster ends. Take over?",
		takeover->host, takeover->pid);
	if (confirm_ask(question))
		return true;
	output_error(takeover->ctl, "nothing was changed");
	return false;
}

/* The new content of daemon.json, which write_file() takes over. */
static json_t *make_content(const struct takeover *takeover)
{
	json_t *content = json_deep_copy(takeover->daemon);
	struct host here;

	host_get(&here);
	json_object_set_new(content, "taken_over_by", json_text(here.name));
	json_object_set_new(content, "taken_over_at", json_integer((json_int_t)time(NULL)));
	return content;
}

static int write_file(const char *path, json_t *content, struct err *err)
{
	_cleanup_free_ char *temporary = xasprintf("%s.takeover", path);
	_cleanup_close_ int fd = -1;
	int r = 0;

	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || json_dumpfd(content, fd, JSON_INDENT(1)) < 0 || fsync(fd) < 0 ||
		rename(temporary, path) < 0)
		r = err_set(err, errno ? -errno : -EIO, "cannot write %s: %s", path,
			strerror(errno));
	json_decref(content);
	return r;
}

/* Mark daemon.json while holding the lock, so that no dracod starts on this host meanwhile. */
static int take(const struct takeover *takeover, struct err *err)
{
	const struct paths *paths = &takeover->ctl->paths;
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_close_ int fd = open(paths->lock_file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_json_ json_t *now = NULL;

	if (fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) < 0 &&
		(errno == EAGAIN || errno == EACCES))
		return err_set(err, -EBUSY, "a dracod has just been started");
	if (rendezvous_daemon(paths, &now, err) < 0 || !json_equal(now, takeover->daemon))
		return err_set(err, -EBUSY,
			"%s has just been changed: look again with dracoctl "
			"status",
			paths->daemon_file);
	unlink(paths->connect_file);
	return write_file(paths->daemon_file, make_content(takeover), err);
}

static void print_json(const struct takeover *takeover)
{
	_cleanup_json_ json_t *object =
		json_pack("{s:s, s:i}", "host", takeover->host, "pid", takeover->pid);

	output_json(object);
}

static int run(struct takeover *takeover, bool force)
{
	struct ctl *ctl = takeover->ctl;
	struct err err = ERR_INIT;
	bool over;
	int status = judge(takeover, &over);

	if (status != CTL_DONE)
		return status;
	if (over) {
		_cleanup_free_ char *start = output_command(ctl, "start");

		output_error(ctl, "no dracod \"%s\" is running: %s goes on by itself",
			ctl->paths.name, start);
		return CTL_NOT_RUNNING;
	}
	if (!may_go_on(takeover, force))
		return CTL_FAILED;
	if (take(takeover, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	if (ctl->json)
		print_json(takeover);
	else if (!ctl->quiet)
		printf("dracod \"%s\" on host %s (process %d) is now considered gone: dracoctl "
		       "start continues, and ends what is left of its cluster.\n",
			ctl->paths.name, takeover->host, takeover->pid);
	return CTL_DONE;
}

int cmd_takeover(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *daemon = NULL;
	struct err err = ERR_INIT;
	bool force = false;
	int option;

	while ((option = command_option(ctl, argc, argv)) != -1)
		force |= option == COMMAND_OPTION;
	command_no_more_arguments(ctl, argc, argv);
	if (where_find(ctl, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_USAGE;
	}
	if (rendezvous_daemon(&ctl->paths, &daemon, &err) < 0 && err.code) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	return run(&(struct takeover){ctl, daemon, json_get_text(daemon, "host", "?"),
			   (int)json_get_integer(daemon, "pid", 0)},
		force);
}
