/* remote_fixture.h: a port of dracod (daemon/io/remote.c), who is served there, and clients
 * beside it. */
#ifndef DRACO_TESTS_REMOTE_FIXTURE_H
#define DRACO_TESTS_REMOTE_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

struct bufferevent;
struct loop;
struct remote;
struct ssl_st;
struct stream;
struct tls;

extern char *remote_directory;
extern struct tls *tls, *other_tls; /* the port's certificate, and one of somebody else */
extern struct loop *loop;
extern struct remote *remote;
extern struct stream *stream; /* of the client that was admitted last; each line is sent back */
extern int admitted;
extern bool flush; /* answer as a daemon that ends does */

/* The server that clients ask for: NULL: by which they knock, as they should; "": none. */
extern const char *name_to_ask;

/* Listen at any free port with this certificate. */
void remote_begin(struct tls *certificate);

void remote_setup(void);
void remote_teardown(void);
void remote_on_connect(void *arg, struct bufferevent *connection, const char *peer);

/* Run a client in a process beside the loop, until it ends; returns its exit status. fd is a
 * connection to the port, which does not block. */
int remote_run(int (*client)(int fd));

void make_blocking(int fd);

/* Send one line of this length, and compare it with the answer; 0: it is the same. */
int talk(struct ssl_st *session, int fd, size_t length);

/* Shake hands, and talk; frees session. 0; 2: there was no handshake; 3, 4: no answer. */
int meet(struct ssl_st *session, int fd, size_t length);

/* As meet(), with a certificate. */
int connect_with(struct tls *with, int fd, size_t length);

#endif
