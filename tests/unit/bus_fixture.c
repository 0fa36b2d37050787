/* bus_fixture.c: a message bus of the test's own, by dbus-daemon, and an event loop. */
#include "bus_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/sock.h"
#include "daemon/io/loop.h"

#define TURN_MS 10
#define CONFIG                                                                                 \
	"<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n" \
	" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"                  \
	"<busconfig><type>session</type><listen>unix:path=%s/bus</listen>\n"                   \
	"<policy context=\"default\"><allow send_destination=\"*\"/>\n"                        \
	"<allow eavesdrop=\"false\"/><allow own=\"*\"/></policy></busconfig>\n"

struct loop *bus_loop;
char *bus_directory;

static struct loop_timer *turn;
static char *socket_path, *config;
static pid_t daemon_pid;

static void on_turn(void *arg)
{
	loop_exit(arg);
}

void bus_turn(void)
{
	loop_timer_start(turn, TURN_MS);
	ck_assert_int_eq(loop_run(bus_loop), 0);
}

bool bus_is_possible(void)
{
	if (access("/usr/bin/dbus-daemon", X_OK) == 0)
		return true;
	puts("skipped: there is no /usr/bin/dbus-daemon (on Debian: apt-get install dbus)");
	return false;
}

void bus_setup(void)
{
	_cleanup_free_ char *address = NULL, *text = NULL;

	bus_loop = loop_create(NULL);
	ck_assert_ptr_nonnull(bus_loop);
	turn = loop_timer_create(bus_loop, on_turn, bus_loop);
	bus_directory = unit_directory();
	socket_path = xasprintf("%s/bus", bus_directory);
	address = xasprintf("unix:path=%s", socket_path);
	text = xasprintf(CONFIG, bus_directory);
	config = unit_file(bus_directory, "bus.conf", text, strlen(text));
	setenv("DBUS_SESSION_BUS_ADDRESS", address, 1);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
}

void bus_start(void)
{
	_cleanup_free_ char *option = xasprintf("--config-file=%s", config);

	daemon_pid = fork();
	ck_assert_int_ge(daemon_pid, 0);
	if (daemon_pid == 0) {
		execl("/usr/bin/dbus-daemon", "dbus-daemon", option, "--nofork", "--nopidfile",
			"--nosyslog", NULL);
		_exit(127);
	}
	for (int i = 0; i < BUS_DEADLINE_S * 100 && !sock_is_served(socket_path); i++)
		usleep(10000);
	ck_assert(sock_is_served(socket_path));
}

void bus_kill(void)
{
	if (daemon_pid <= 0)
		return;
	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
	daemon_pid = 0;
	unlink(socket_path);
}

void bus_teardown(void)
{
	bus_kill();
	loop_timer_destroy(turn);
	loop_destroy(bus_loop);
	free(bus_directory);
	free(socket_path);
	free(config);
}
