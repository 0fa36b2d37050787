/* secure.h: TLS between two programs with the same certificate. Each shows it to the other and
 * accepts no other one. */
#ifndef DRACO_COMMON_SECURE_H
#define DRACO_COMMON_SECURE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct secure;
struct ssl_st; /* OpenSSL's SSL, one connection */

enum secure_end { SECURE_SERVER, SECURE_CLIENT };

/* The common state of one end's connections, from the two files. NULL with err. */
struct secure *secure_create(enum secure_end end, const char *certificate, const char *key,
	struct err *err) __attribute__((warn_unused_result));
struct secure *secure_destroy(struct secure *secure); /* connections may outlive it */

/* A session for a new connection. */
struct ssl_st *secure_session(const struct secure *secure);
void secure_session_free(struct ssl_st *session);

/* Make the client name this server in its first message. */
void secure_ask_for(struct ssl_st *session, const char *name);

/* Do the handshake with the server at fd, a connected non-blocking socket, within timeout_ms. 0, or
 * -errno with err. The caller keeps fd. */
int secure_connect(struct ssl_st *session, int fd, int timeout_ms, struct err *err)
	__attribute__((warn_unused_result));

/* Read or write some bytes, without SIGPIPE. Returns their number; 0: the peer has closed; -EAGAIN:
 * not possible now; -EPROTO: see secure_reason(); or another -errno. */
long secure_read(struct ssl_st *session, void *bytes, size_t size);
long secure_write(struct ssl_st *session, const void *bytes, size_t length);

/* Are there received bytes that were not read yet? */
bool secure_has_read(struct ssl_st *session);

/* The meaning of an error code of OpenSSL, for a person. */
const char *secure_text(unsigned long code);

/* The reason of OpenSSL's last error, for a person. Clears OpenSSL's error queue. */
const char *secure_reason(void);

#endif
