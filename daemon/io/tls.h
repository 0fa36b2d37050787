/* tls.h: the certificate of one cluster: a key and a self-signed certificate in files that only
 * this user can read, and the variables that make Dask use them.
 *
 * The scheduler, the workers and the clients all use this one certificate and trust only this one.
 * A program that cannot read the files can neither connect nor pose as the scheduler.
 *
 * The Python program of common/tls_fix.h is beside the files. */
#ifndef DRACO_DAEMON_IO_TLS_H
#define DRACO_DAEMON_IO_TLS_H

#include <stdbool.h>

struct err;
struct tls;

/* Make the key (EC P-256) and the certificate as DIRECTORY/ID/{key,cert}.pem, and the program
 * beside them. Files are 0600 in directories that are 0700. Takes some milliseconds. 0 with *ret,
 * or -errno with err; then nothing is left behind. */
int tls_create(const char *directory, const char *id, struct tls **ret, struct err *err)
	__attribute__((warn_unused_result));

/* Go on with the files that tls_create() of an earlier dracod has made. NULL: some are missing. */
struct tls *tls_adopt(const char *directory, const char *id);

/* Remove the files and free tls. Returns NULL. */
struct tls *tls_destroy(struct tls *tls);

/* The paths of the files. Borrowed. */
const char *tls_certificate(const struct tls *tls);
const char *tls_key(const struct tls *tls);
const char *tls_fix(const struct tls *tls);

enum tls_side {
	TLS_SERVERS, /* the scheduler and the workers, which are clients as well */
	TLS_CLIENTS,
};

/* Call add() with the variables that make Dask use the certificate. tls NULL: with those that make
 * it forget the certificate of an earlier cluster. */
void tls_environment(const struct tls *tls, enum tls_side side,
	void (*add)(void *arg, const char *name, const char *value), void *arg);

/* Remove all certificates that earlier dracods have left in directory, except that of the cluster
 * keep (NULL: none). */
void tls_clean(const char *directory, const char *keep);

#endif
