/* cluster.h: the cluster: bringing together what is wanted and what there is.
 *
 * Events only change the model (model.h); cluster_reconcile() compares it with what is wanted and
 * causes the effects. It runs when cluster_wake() asks for it: at any time and any number of
 * times. */
#ifndef DRACO_DAEMON_CLUSTER_CLUSTER_H
#define DRACO_DAEMON_CLUSTER_CLUSTER_H

#include <stdint.h>

struct children;
struct cluster;
struct cluster_ops;
struct cluster_request;
struct err;
struct loop;
struct paths;
struct slurm;

/* paths must live on. */
struct cluster *cluster_create(struct loop *loop, struct children *children,
	struct slurm *slurm, const struct paths *paths, const char *preload,
	const struct cluster_ops *ops, void *arg);

/* Only after slurm_destroy(), so that no answer comes any more. */
struct cluster *cluster_destroy(struct cluster *cluster);

/* Bring it up, taking over what request holds. Only when STOPPED or FAILED. */
int cluster_start(struct cluster *cluster, struct cluster_request *request, struct err *err)
	__attribute__((warn_unused_result));

/* How long a stop takes at most, from its beginning. */
int64_t cluster_stop_limit_ms(const struct cluster *cluster);

/* How many programs hold on to the cluster: it is in use as long as there are any. */
void cluster_set_attached(struct cluster *cluster, int attached);

#endif
