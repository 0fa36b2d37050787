/* passing.c: descriptors that are passed on with bytes by a Unix socket. */
#include "daemon/io/passing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"

union control {
	char bytes[CMSG_SPACE(PASSING_MAX * sizeof(int))];
	struct cmsghdr aligned;
};

ssize_t passing_send(int fd, const void *bytes, size_t length, const int *fds, size_t count)
{
	struct iovec part = {.iov_base = UNCONST(bytes), .iov_len = length};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union control control = {.bytes = ""};
	struct cmsghdr *header;
	ssize_t n;

	if (count > 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		header = &control.aligned;
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	}
	do
		n = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t passing_receive(int fd, void *bytes, size_t size, int *fds, size_t *count)
{
	struct iovec part = {.iov_base = bytes, .iov_len = size};
	union control control;
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	ssize_t n;

	do
		n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return n;
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
		header = CMSG_NXTHDR(&message, header)) {
		size_t passed = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < passed; i++) {
			int one;

			memcpy(&one, CMSG_DATA(header) + i * sizeof(int), sizeof(one));
			if (*count < PASSING_MAX)
				fds[(*count)++] = one;
			else
				close(one);
		}
	}
	return n;
}
