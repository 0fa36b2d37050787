/* rendezvous.h: reads the files in a state directory by which clients find dracod. daemon.json
 * names the process and its host, connect.json the addresses of it and its cluster for other hosts.
 *
 * A file is accepted only if it can be trusted (trust.h) and all its values are of the right kind:
 * texts without control characters, host names without a special meaning to a shell, absolute
 * paths, and numbers within their bounds. */
#ifndef DRACO_COMMON_RENDEZVOUS_H
#define DRACO_COMMON_RENDEZVOUS_H

#include <jansson.h>
#include <stdbool.h>

struct err;
struct paths;

/* {pid, host, boot, version, socket, dask_socket, started, locks, taken_over_by, taken_over_at};
 * holder.h explains the last three. Returns 0. -ENOENT without err: there is no file. -EPERM: it
 * cannot be trusted. -EBADMSG: it is damaged. These and any other -errno come with err, which names
 * the file and the fault. */
int rendezvous_daemon(const struct paths *paths, json_t **ret, struct err *err)
	__attribute__((warn_unused_result));

/* {pid, host, boot, version, protocol, scheduler, daemon, no_daemon, ca, certificate, key}; some
 * may be null. The named certificate and key can be trusted, too. Returns as
 * rendezvous_daemon(). */
int rendezvous_connect(const struct paths *paths, json_t **ret, struct err *err)
	__attribute__((warn_unused_result));

/* May text be the host in a command that somebody types? It is no option and needs no quotes. */
bool rendezvous_is_host(const char *text);

#endif
