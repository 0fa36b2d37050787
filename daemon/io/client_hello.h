/* client_hello.h: reads the first bytes of a TLS connection (RFC 8446, 4.1.2 and 5.1; RFC 6066, 3),
 * without a TLS library. Pure. */
#ifndef DRACO_DAEMON_IO_CLIENT_HELLO_H
#define DRACO_DAEMON_IO_CLIENT_HELLO_H

#include <stddef.h>

/* The longest ClientHello that is accepted. It must be complete in the first record. Today's have
 * 300 to 2,000 bytes. */
#define CLIENT_HELLO_MAX 4096

enum client_hello_kind {
	CLIENT_HELLO_PART,  /* more bytes are needed */
	CLIENT_HELLO_WRONG, /* this is no ClientHello */
	CLIENT_HELLO_WHOLE,
};

struct client_hello {
	enum client_hello_kind kind;
	size_t wanted; /* PART: read again, from the first byte on, when there are so many */
	/* WHOLE: the requested server, not ended by NUL; NULL: none is named. */
	const char *name;
	size_t length; /* of the name */
};

/* Read the first bytes that have arrived. The result's name points into bytes. */
struct client_hello client_hello_read(const unsigned char *bytes, size_t count);

#endif
