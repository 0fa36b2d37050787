/* outside.h: what this user's programs on other hosts with the same home need: a port of
 * dracod's own, and connect.json, which says where it and the scheduler are. Both are there as
 * long as the cluster. */
#ifndef DRACO_DAEMON_CONTROL_OUTSIDE_H
#define DRACO_DAEMON_CONTROL_OUTSIDE_H

struct cluster;
struct control;
struct loop;
struct outside;
struct paths;

/* paths and control, which serves who connects, must live on. */
struct outside *outside_create(
	struct loop *loop, const struct paths *paths, struct control *control);

/* Follow the cluster. Idempotent. What fails is told to the user as a notice of the cluster. */
void outside_update(struct outside *outside, struct cluster *cluster);

/* Removes connect.json, too. Returns NULL. */
struct outside *outside_destroy(struct outside *outside);

#endif
