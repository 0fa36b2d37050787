/* tcp.c: connections between hosts that fail when the other host is gone. */
#include "common/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/parse.h"

#define IDLE_S	   10 /* the first probe after so long a silence ... */
#define INTERVAL_S 5  /* ... then one each so many seconds, until TCP_GONE_S */

static int make_socket(struct err *err)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? err_set(err, -errno, "cannot make a socket: %s", strerror(errno)) : fd;
}

int tcp_listen(const char *address, int port, struct err *err)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	_cleanup_close_ int fd = make_socket(err);
	int on = 1;

	if (fd < 0)
		return fd;
	if (inet_pton(AF_INET, address, &here.sin_addr) != 1)
		return err_set(err, -EINVAL, "%s is not an IPv4 address", address);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
		bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 ||
		listen(fd, SOMAXCONN) < 0)
		return err_set(err, -errno, "cannot listen at %s, port %d: %s", address, port,
			strerror(errno));
	return TAKE_FD(fd);
}

static int parse_target(const char *target, struct sockaddr_in *ret, struct err *err)
{
	const char *colon = strchr(target, ':');
	char address[INET_ADDRSTRLEN] = "";
	int64_t port;

	*ret = (struct sockaddr_in){.sin_family = AF_INET};
	if (colon && (size_t)(colon - target) < sizeof(address))
		memcpy(address, target, (size_t)(colon - target));
	if (inet_pton(AF_INET, address, &ret->sin_addr) != 1 ||
		parse_integer(colon + 1, 1, 65535, &port, NULL) < 0)
		return err_set(
			err, -EINVAL, "\"%s\" is not an IPv4 address with a port", target);
	ret->sin_port = htons((uint16_t)port);
	return 0;
}

int tcp_connect(const char *target, int timeout_ms, struct err *err)
{
	_cleanup_close_ int fd = make_socket(err);
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	struct sockaddr_in there;
	socklen_t length = sizeof(int);
	int error = 0, r = parse_target(target, &there, err);

	if (fd < 0 || r < 0)
		return fd < 0 ? fd : r;
	if (connect(fd, (struct sockaddr *)&there, sizeof(there)) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		do
			r = poll(&ready, 1, timeout_ms);
		while (r < 0 && errno == EINTR);
		if (r == 0)
			error = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
			error = errno;
	}
	if (error)
		return err_set(
			err, -error, "cannot connect to %s: %s", target, strerror(error));
	return TAKE_FD(fd);
}

void tcp_keep_alive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, (TCP_GONE_S - IDLE_S) / INTERVAL_S},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, TCP_GONE_S * 1000}, /* for sent data */
		{IPPROTO_TCP, TCP_NODELAY, 1},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			sizeof(options[i].value));
}
