/* wake.h: a socket of systemd's user manager that starts dracod (the unit dracod@NAME.socket). */
#ifndef DRACO_CLIENT_WAKE_H
#define DRACO_CLIENT_WAKE_H

#include <stdbool.h>

struct paths;

/* Connect to the socket, so that systemd starts the dracod of these paths. Returns a descriptor to
 * close once dracod is found; -ENOENT: there is no such socket; otherwise -errno. */
int wake_begin(const struct paths *paths);

/* Has systemd given up? fd: of wake_begin(). */
bool wake_has_failed(int fd);

#endif
