/* notify.c: notifies the service manager that started dracod (sd_notify(3)).
 *
 * The protocol is one datagram, so that the unit works where libsystemd is missing, too. */
#include "systemd/notify.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/parse.h"

#define FIRST_SOCKET 3 /* SD_LISTEN_FDS_START */

static void send_text(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	size_t length = path ? strlen(path) : 0;

	if (length < 2 || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@') /* an abstract socket */
		address.sun_path[0] = '\0';
	else if (path[0] != '/')
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		/* A manager that does not read loses a message: it gets the next one. */
		(void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

void notify_ready(void)
{
	send_text("READY=1");
}

void notify_alive(void)
{
	send_text("WATCHDOG=1");
}

/* The number in a variable, unless it is meant for another process; 0: none. */
static int64_t own_number(const char *name, const char *pid_name)
{
	const char *text = getenv(name), *pid_text = getenv(pid_name);
	int64_t number = 0, pid = 0;

	if (!text || parse_integer(text, 0, INT64_MAX, &number, NULL) < 0)
		return 0;
	if (pid_text &&
		(parse_integer(pid_text, 1, INT32_MAX, &pid, NULL) < 0 || pid != getpid()))
		return 0;
	return number;
}

int64_t notify_watchdog_ms(void)
{
	return own_number("WATCHDOG_USEC", "WATCHDOG_PID") / 1000;
}

bool notify_has_socket(void)
{
	return getenv("LISTEN_PID") && own_number("LISTEN_FDS", "LISTEN_PID") > 0;
}

int notify_take_socket(void)
{
	static int taken;
	int fd = FIRST_SOCKET + taken, listening = 0;
	socklen_t size = sizeof(listening);

	if (!notify_has_socket() || taken >= own_number("LISTEN_FDS", "LISTEN_PID"))
		return -1;
	taken++;
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0 || !listening ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	return fd;
}

void notify_stopping(void)
{
	send_text("STOPPING=1");
}

void notify_status(const char *format, ...)
{
	char text[512];
	size_t used = (size_t)snprintf(text, sizeof(text), "STATUS=");
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
	send_text(text);
}
