/* outside.h: access for this user's programs on other hosts with the same home: dracod's own port,
 * and connect.json, which holds the addresses of that port and of the scheduler. Both exist as long
 * as the cluster. */
#ifndef DRACO_DAEMON_CONTROL_OUTSIDE_H
#define DRACO_DAEMON_CONTROL_OUTSIDE_H

struct cluster;
struct control;
struct loop;
struct outside;
struct paths;

/* paths and control must outlive the result. control serves the clients that connect. */
struct outside *outside_create(
	struct loop *loop, const struct paths *paths, struct control *control);

/* Follow the cluster's state. Idempotent. An error becomes a notice of the cluster. */
void outside_update(struct outside *outside, struct cluster *cluster);

/* Close the port and remove connect.json. Returns NULL. */
struct outside *outside_destroy(struct outside *outside);

#endif
