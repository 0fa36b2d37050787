/* cmd_restart.c: dracoctl restart: another dracod takes the place of the present one, for example
 * after an upgrade. Its cluster goes on. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/launch.h"
#include "client/need.h"
#include "client/output.h"
#include "client/request.h"
#include "client/where.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/holder.h"
#include "common/host.h"
#include "common/json.h"
#include "common/rendezvous.h"

/* systemd starts a service again after RestartSec. */
#define SUPERVISED_TRIES    150
#define SUPERVISED_PAUSE_US 100000

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A dracod of another host would have its successor here, without the scheduler's process. */
static int check_here(struct ctl *ctl)
{
	_cleanup_json_ json_t *daemon = NULL;
	struct err err = ERR_INIT;
	struct host here;

	host_get(&here);
	if (where_check_start(ctl, &err) < 0) { /* the next one could not start from here */
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	if (rendezvous_daemon(&ctl->paths, &daemon, NULL) < 0 || holder_is_here(daemon, &here))
		return CTL_DONE;
	output_error(ctl, "dracod \"%s\" runs on host %s: ssh %s dracoctl --name %s restart",
		ctl->paths.name, json_get_text(daemon, "host", "?"),
		json_get_text(daemon, "host", "?"), ctl->paths.name);
	return CTL_FAILED;
}

/* Ask the present dracod to leave. Returns an exit status. */
static int leave(struct connection *connection, struct ctl *ctl, bool *ret_supervised)
{
	_cleanup_json_ json_t *result = NULL;
	struct refusal refusal = {0};
	struct err err = ERR_INIT;
	int r = connection_call(connection, "leave", NULL, NULL, NULL, &result, &refusal, &err);

	json_decref(refusal.data);
	*ret_supervised = json_get_boolean(result, "supervised", 0);
	if (r == 0)
		return CTL_DONE;
	output_error(ctl, "%s", err.text);
	return CTL_FAILED;
}

/* Connect to the next dracod, which systemd starts if it has started the former one. */
static int come_back(
	struct connection *connection, struct ctl *ctl, bool supervised, struct err *err)
{
	bool launched;

	for (int tries = 0; supervised && tries < SUPERVISED_TRIES; tries++) {
		if (connection_open(connection, ctl, err) == 0)
			return 0;
		usleep(SUPERVISED_PAUSE_US);
	}
	return launch_connect(connection, ctl, &launched, err);
}

static void print(const struct ctl *ctl, const json_t *hello, json_int_t former, double seconds)
{
	json_int_t pid = json_get_integer(hello, "pid", 0);
	const char *version = json_get_text(hello, "version", "?");

	if (ctl->json) {
		_cleanup_json_ json_t *object = json_pack("{s:I, s:I, s:s, s:f}", "pid", pid,
			"former_pid", former, "version", version, "seconds", seconds);

		output_json(object);
	} else if (!ctl->quiet) {
		printf("dracod %s (\"%s\") goes on as process %d, after %.2f s.\n", version,
			ctl->paths.name, (int)pid, seconds);
	}
}

int cmd_restart(struct ctl *ctl, int argc, char **argv)
{
	struct connection connection;
	struct err err = ERR_INIT;
	json_int_t former;
	bool supervised;
	double begin;
	int status;

	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	status = connection_need(&connection, ctl);
	if (status != CTL_DONE)
		return status;
	former = json_get_integer(connection.hello, "pid", 0);
	begin = now_s();
	status = check_here(ctl);
	if (status == CTL_DONE)
		status = leave(&connection, ctl, &supervised);
	connection_close(&connection);
	if (status != CTL_DONE)
		return status;
	if (come_back(&connection, ctl, supervised, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	print(ctl, connection.hello, former, now_s() - begin);
	connection_close(&connection);
	return CTL_DONE;
}
