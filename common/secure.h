/* secure.h: TLS between two programs that have the same certificate: each shows it to the
 * other, and neither accepts another one. */
#ifndef DRACO_COMMON_SECURE_H
#define DRACO_COMMON_SECURE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct secure;
struct ssl_st; /* OpenSSL's SSL, one connection */

enum secure_end { SECURE_SERVER, SECURE_CLIENT };

/* What the connections of one end have in common, from two files. NULL with err. */
struct secure *secure_create(enum secure_end end, const char *certificate, const char *key,
	struct err *err) __attribute__((warn_unused_result));
struct secure *secure_destroy(struct secure *secure); /* connections may live on */

/* A connection that is still to be made. */
struct ssl_st *secure_session(const struct secure *secure);
void secure_session_free(struct ssl_st *session);

/* Have the client name this server in its first message. */
void secure_ask_for(struct ssl_st *session, const char *name);

/* Agree with the server at fd, a connected socket that does not block, within timeout_ms. 0, or
 * a negative errno with err. fd stays the caller's. */
int secure_connect(struct ssl_st *session, int fd, int timeout_ms, struct err *err)
	__attribute__((warn_unused_result));

/* Read or write some bytes, without SIGPIPE: their number; 0: the other side has left; -EAGAIN:
 * not now; -EPROTO: secure_reason() says why; another negative errno. */
long secure_read(struct ssl_st *session, void *bytes, size_t size);
long secure_write(struct ssl_st *session, const void *bytes, size_t length);

/* Are there bytes that were received already? */
bool secure_has_read(struct ssl_st *session);

/* What an error code of OpenSSL means, for a person. */
const char *secure_text(unsigned long code);

/* Why OpenSSL failed last; forgets it. */
const char *secure_reason(void);

#endif
