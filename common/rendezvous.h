/* rendezvous.h: what a dracod leaves in its state directory for those who look for it:
 * daemon.json, who runs and where, and connect.json, how other hosts reach it and its cluster.
 *
 * They are believed only where they can be trusted (trust.h) and all that is acted on is of its
 * kind: texts without control characters, hosts that a shell would not take for anything else,
 * absolute paths, numbers within their bounds. */
#ifndef DRACO_COMMON_RENDEZVOUS_H
#define DRACO_COMMON_RENDEZVOUS_H

#include <jansson.h>
#include <stdbool.h>

struct err;
struct paths;

/* {pid, host, boot, version, socket, dask_socket, started, locks, taken_over_by,
 * taken_over_at}; holder.h explains the last three. 0; -ENOENT without err where there is none;
 * -EPERM where it cannot be trusted, -EBADMSG where it is damaged, or another negative errno,
 * with err, which names the file and what is wrong with it. */
int rendezvous_daemon(const struct paths *paths, json_t **ret, struct err *err)
	__attribute__((warn_unused_result));

/* {pid, host, boot, version, protocol, scheduler, daemon, no_daemon, ca, certificate, key}:
 * some may be null. Certificate and key can be trusted, too, where they are named. Results as
 * above. */
int rendezvous_connect(const struct paths *paths, json_t **ret, struct err *err)
	__attribute__((warn_unused_result));

/* Can text become the host in a command that somebody types: no option, and nothing that needs
 * quotes? */
bool rendezvous_is_host(const char *text);

#endif
