/* secure.c: TLS between two programs with the same certificate. Only this file makes TLS
 * connections by OpenSSL. */
#include "common/secure.h"
#include "common/clock.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"

/* A struct secure is an SSL_CTX. Only this file knows that. */
static SSL_CTX *context_of(const struct secure *secure)
{
	return (SSL_CTX *)(uintptr_t)secure;
}

const char *secure_text(unsigned long code)
{
	const char *text = ERR_reason_error_string(code);

	return text ? text : "no reason given";
}

const char *secure_reason(void)
{
	const char *text = secure_text(ERR_peek_last_error());

	ERR_clear_error();
	return text;
}

struct secure *secure_create(
	enum secure_end end, const char *certificate, const char *key, struct err *err)
{
	SSL_CTX *context =
		SSL_CTX_new(end == SECURE_SERVER ? TLS_server_method() : TLS_client_method());

	if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) <= 0 ||
		SSL_CTX_use_certificate_file(context, certificate, SSL_FILETYPE_PEM) <= 0 ||
		SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) <= 0 ||
		SSL_CTX_load_verify_locations(context, certificate, NULL) <= 0) {
		err_set(err, -EIO, "cannot use the certificate %s: %s", certificate,
			secure_reason());
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
	SSL_CTX_set_options(
		context, SSL_OP_IGNORE_UNEXPECTED_EOF); /* lines have an end of their own */
#endif
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_mode(
		context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return (struct secure *)context;
}

struct secure *secure_destroy(struct secure *secure)
{
	SSL_CTX_free(context_of(secure));
	return NULL;
}

SSL *secure_session(const struct secure *secure)
{
	return SSL_new(context_of(secure));
}

void secure_session_free(SSL *session)
{
	SSL_free(session);
}

void secure_ask_for(SSL *session, const char *name)
{
	/* OpenSSL's macro takes a text that is not const, but only reads it. */
	SSL_set_tlsext_host_name(session, UNCONST(name));
}

/* OpenSSL writes by write(2). In a program that does not ignore SIGPIPE, that signal would end
 * it. */
struct guard {
	sigset_t pipe, before;
	bool pending; /* one was pending before */
};

static void guard_begin(struct guard *guard)
{
	sigset_t pending;

	sigemptyset(&guard->pipe);
	sigaddset(&guard->pipe, SIGPIPE);
	sigemptyset(&pending);
	sigpending(&pending);
	guard->pending = sigismember(&pending, SIGPIPE);
	sigprocmask(SIG_BLOCK, &guard->pipe, &guard->before);
	ERR_clear_error();
	errno = 0;
}

/* Keeps errno. */
static void guard_end(const struct guard *guard)
{
	static const struct timespec at_once;
	int code = errno;

	if (!guard->pending)
		sigtimedwait(&guard->pipe, NULL, &at_once);
	sigprocmask(SIG_SETMASK, &guard->before, NULL);
	errno = code;
}

/* The result of an operation that has returned n. errno must be the operation's. */
static long outcome(const SSL *session, int n)
{
	int code = errno;

	switch (SSL_get_error(session, n)) {
	case SSL_ERROR_NONE:
		return n;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_SYSCALL:
		return -code; /* 0: the end of the stream */
	default:
		return -EPROTO;
	}
}

static int limited(size_t size)
{
	return size < INT_MAX ? (int)size : INT_MAX;
}

long secure_read(SSL *session, void *bytes, size_t size)
{
	struct guard guard;
	int n;

	guard_begin(&guard);
	n = SSL_read(session, bytes, limited(size));
	guard_end(&guard);
	return outcome(session, n);
}

long secure_write(SSL *session, const void *bytes, size_t length)
{
	struct guard guard;
	int n;

	guard_begin(&guard);
	n = SSL_write(session, bytes, limited(length));
	guard_end(&guard);
	return outcome(session, n);
}

bool secure_has_read(SSL *session)
{
	return SSL_pending(session) > 0;
}

int secure_connect(SSL *session, int fd, int timeout_ms, struct err *err)
{
	int64_t until_ms = clock_now_ms() + timeout_ms;
	long r = SSL_set_fd(session, fd) > 0 ? -EAGAIN : -EPROTO;

	while (r == -EAGAIN) {
		struct pollfd ready = {.fd = fd};
		int64_t left = until_ms - clock_now_ms();
		struct guard guard;
		int n;

		guard_begin(&guard);
		n = SSL_connect(session);
		guard_end(&guard);
		r = outcome(session, n);
		if (r != -EAGAIN)
			break;
		if (left <= 0)
			return err_set(
				err, -ETIMEDOUT, "no answer within %d s", timeout_ms / 1000);
		ready.events = SSL_want_write(session) ? POLLOUT : POLLIN;
		poll(&ready, 1, (int)left);
	}
	if (r > 0)
		return 0;
	if (r == 0)
		return err_set(err, -ECONNRESET, "closed by the other side");
	return err_set(err, (int)r, "%s", r == -EPROTO ? secure_reason() : strerror((int)-r));
}
