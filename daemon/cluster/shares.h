/* shares.h: the shares that the attached programs have of the cluster. Part of the cluster. */
#ifndef DRACO_DAEMON_CLUSTER_SHARES_H
#define DRACO_DAEMON_CLUSTER_SHARES_H

#include <jansson.h>

struct cluster;

/* The attached programs, by the end of the ids of their Dask clients, and the share of each. Takes
 * shares over. */
void cluster_set_shares(struct cluster *cluster, json_t *shares);

/* A person has chosen the share of a program, by the end of the ids of its Dask clients. It holds
 * for as long as the cluster, also when the program attaches again. */
void cluster_choose_share(struct cluster *cluster, const char *client, const json_t *share);

/* The preload has said hello: it knows no shares yet. */
void cluster_shares_hello(struct cluster *cluster);

/* Tell the preload what it does not know yet. A step of the reconcile. */
void cluster_shares_settle(struct cluster *cluster);

#endif
