/* client_hello.h: what the first bytes of a TLS connection say (RFC 8446, 4.1.2 and 5.1; RFC
 * 6066, 3), without any TLS. Pure. */
#ifndef DRACO_DAEMON_IO_CLIENT_HELLO_H
#define DRACO_DAEMON_IO_CLIENT_HELLO_H

#include <stddef.h>

/* A ClientHello is taken that is not longer, and whole in the first record. Today's have 300 to
 * 2,000 bytes. */
#define CLIENT_HELLO_MAX 4096

enum client_hello_kind {
	CLIENT_HELLO_PART,  /* more bytes are needed */
	CLIENT_HELLO_WRONG, /* this is none */
	CLIENT_HELLO_WHOLE,
};

struct client_hello {
	enum client_hello_kind kind;
	size_t wanted; /* PART: no use to look again before there are so many, from the first on */
	const char *
		name; /* WHOLE: the server that is asked for, without a NUL; NULL: none is named */
	size_t length; /* of the name */
};

/* Read the first bytes that came. The name points into them. */
struct client_hello client_hello_read(const unsigned char *bytes, size_t count);

#endif
