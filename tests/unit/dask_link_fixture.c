/* dask_link_fixture.c: the link, and the preload at the other end of its socket. */
#include "dask_link_fixture.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/sock.h"
#include "unit.h"

#define TURN_MS 5

static struct loop *loop;
static struct loop_timer *turn;

struct dask_link *dask_link;
char *path;
int refuse, hellos, losses, reports, workers_added, terminations;
int removals, removals_asked;
json_int_t reported_tasks;
size_t workers_there;

static int on_hello(void *arg, const json_t *hello, struct err *err)
{
	(void)arg;
	hellos++;
	workers_there = json_array_size(json_object_get(hello, "workers"));
	return refuse ? err_set(err, -EPERM, "not mine") : 0;
}

static void on_worker(void *arg, const char *name, const char *address, int64_t threads)
{
	(void)arg;
	(void)name;
	(void)threads;
	(void)address;
	workers_added++;
}

static void on_worker_removed(void *arg, const char *address, bool asked, const json_t *death)
{
	(void)arg;
	(void)address;
	(void)death;
	removals++;
	removals_asked += asked;
}

static void on_load(void *arg, const json_t *load)
{
	(void)arg;
	(void)load;
}

static void on_workers(void *arg, const json_t *workers)
{
	(void)arg;
	reports++;
	reported_tasks = json_integer_value(json_array_get(json_array_get(workers, 0), 1));
}

static int on_terminate(void *arg, struct err *err)
{
	(void)arg;
	terminations++;
	return refuse ? err_set(err, -EBUSY, "student.ipynb is attached to it") : 0;
}

static void on_lost(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	losses++;
}

static void on_turn(void *arg)
{
	(void)arg;
	loop_exit(loop);
}

void run(void)
{
	loop_timer_start(turn, TURN_MS);
	ck_assert_int_eq(loop_run(loop), 0);
}

void dask_link_setup(void)
{
	static const struct dask_link_ops ops = {on_hello, on_worker, on_worker_removed,
		on_load, on_workers, on_terminate, on_lost};
	_cleanup_free_ char *directory = unit_directory();
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN); /* as dracod */
	removals = removals_asked = 0;
	refuse = hellos = losses = reports = workers_added = terminations = 0;
	loop = loop_create(&err);
	turn = loop_timer_create(loop, on_turn, NULL);
	path = xasprintf("%s/dask.sock", directory);
	dask_link = dask_link_create(loop, path, &ops, NULL, &err);
	ck_assert_msg(dask_link != NULL, "%s", err.text);
}

void dask_link_teardown(void)
{
	dask_link = dask_link_destroy(dask_link);
	turn = loop_timer_destroy(turn);
	loop = loop_destroy(loop);
	free(path);
}

void say(int fd, const char *text)
{
	_cleanup_free_ char *line = xasprintf("%s\n", text);
	size_t length = strlen(line), sent = 0;

	while (sent < length) {
		ssize_t n = send(fd, line + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		ck_assert(n >= 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		if (n < 0)
			run();
	}
}

void hear(int fd, struct rpc_message *ret)
{
	struct err err = ERR_INIT;
	char line[4096];
	size_t length = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		run_until(poll(&ready, 1, 0) == 1);
		ck_assert_int_eq(read(fd, line + length, 1), 1);
		if (line[length] == '\n')
			break;
		ck_assert_uint_lt(++length, sizeof(line));
	}
	ck_assert_msg(rpc_parse(line, length, ret, &err) == 0, "%s", err.text);
}

int come_with(int protocol, int64_t workers)
{
	_cleanup_free_ char *hello =
		xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{"
			  "\"protocol\":%d,\"workers\":%" PRId64 "}}",
			protocol, workers);
	struct err err = ERR_INIT;
	int fd = sock_connect(path, &err);

	ck_assert_msg(fd >= 0, "%s", err.text);
	say(fd, hello);
	return fd;
}

int come_in(void)
{
	struct rpc_message message;
	int fd = come_with(DASK_LINK_PROTOCOL, 0);

	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_RESULT);
	rpc_message_finish(&message);
	return fd;
}
