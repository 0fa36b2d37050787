/* need.c: connects a command that needs a running dracod. */
#include "client/need.h"

#include <errno.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/launch.h"
#include "client/output.h"
#include "client/request.h"
#include "client/seek.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/rendezvous.h"

#define END_TRIES    100
#define END_PAUSE_US 20000

int connection_need(struct connection *connection, struct ctl *ctl)
{
	struct err err = ERR_INIT;
	bool launched;
	int r = connection_open(connection, ctl, &err);

	if (r == -ENOENT && seek_left_cluster(&ctl->paths))
		r = launch_connect(connection, ctl, &launched, &err);
	if (r == 0)
		return CTL_DONE;
	if (r == -ENOENT) {
		_cleanup_free_ char *start = output_command(ctl, "start");

		output_error(ctl, "no cluster \"%s\" is running (%s starts one)%s%s%s",
			ctl->paths.name, start, *err.text ? "\n  " : "", err.text,
			*err.text ? "; the next start ends what is left of its cluster" : "");
		return CTL_NOT_RUNNING;
	}
	output_error(ctl, "%s", err.text);
	return r == -EINVAL ? CTL_USAGE : r == -ENOTCONN ? CTL_NOT_RUNNING : CTL_FAILED;
}

/* Was the dracod with this pid killed? The kernel closes its connections a moment before it frees
 * the lock. Another program may have started the next one by now. */
static bool was_killed(const struct paths *paths, json_int_t pid)
{
	for (int tries = 0; tries < END_TRIES; tries++) {
		_cleanup_json_ json_t *daemon = NULL;

		if (rendezvous_daemon(paths, &daemon, NULL) == -ENOENT)
			return false; /* it has ended in good order */
		if (seek_was_killed(paths) ||
			(daemon && json_get_integer(daemon, "pid", pid) != pid))
			return true;
		usleep(END_PAUSE_US);
	}
	return false;
}

bool connection_renew(struct connection *connection, struct ctl *ctl, int r)
{
	struct err err = ERR_INIT;
	bool launched;

	if ((r != -ECONNRESET && r != -EPIPE) ||
		!was_killed(&ctl->paths, json_get_integer(connection->hello, "pid", 0)))
		return false;
	connection_close(connection);
	return launch_connect(connection, ctl, &launched, &err) == 0;
}
