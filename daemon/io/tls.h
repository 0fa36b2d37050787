/* tls.h: the certificate of one cluster: a key and a self-signed certificate in files that only
 * this user can read, and the variables by which Dask takes them.
 *
 * Scheduler, workers and clients all use this one certificate, and trust nothing but it: who cannot
 * read the files can neither connect nor pretend to be the scheduler.
 *
 * Beside them is the Python program of common/tls_fix.h. */
#ifndef DRACO_DAEMON_IO_TLS_H
#define DRACO_DAEMON_IO_TLS_H

#include <stdbool.h>

struct err;
struct tls;

/* Make key (EC P-256) and certificate as DIRECTORY/ID/{key,cert}.pem, and the program, 0600 in
 * directories that are 0700. Takes some milliseconds. 0, or a negative errno with err and
 * nothing left. */
int tls_create(const char *directory, const char *id, struct tls **ret, struct err *err)
	__attribute__((warn_unused_result));

/* Remove the files, and the rest. Returns NULL. */
struct tls *tls_destroy(struct tls *tls);

/* Paths. */
const char *tls_certificate(const struct tls *tls);
const char *tls_key(const struct tls *tls);
const char *tls_fix(const struct tls *tls);

enum tls_side {
	TLS_SERVERS, /* the scheduler and the workers, which are clients, too */
	TLS_CLIENTS,
};

/* Tell add() the variables that make Dask use the certificate; without one (NULL) those that
 * make it forget the one of an earlier cluster. */
void tls_environment(const struct tls *tls, enum tls_side side,
	void (*add)(void *arg, const char *name, const char *value), void *arg);

/* Remove all certificates that a dracod which crashed has left in the directory. */
void tls_clean(const char *directory);

#endif
