/* need.h: connects a command that needs a running dracod. */
#ifndef DRACO_CLIENT_NEED_H
#define DRACO_CLIENT_NEED_H

#include <stdbool.h>

struct connection;
struct ctl;

/* Connect. If dracod was killed while its cluster was up, start another one, which goes on with
 * that cluster, and say so. 0, or an exit status after a message. */
int connection_need(struct connection *connection, struct ctl *ctl);

/* A request has failed with r. If that is because dracod was killed, start another one, and return
 * true: the request may be repeated. */
bool connection_renew(struct connection *connection, struct ctl *ctl, int r);

#endif
