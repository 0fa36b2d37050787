/* cluster.h: the cluster: reconciling what exists with what is wanted.
 *
 * Events only change the model (model.h). cluster_reconcile() compares the model with the wishes
 * and causes the effects. cluster_wake() plans it. It may run at any time and any number of
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

/* All arguments are borrowed and must outlive the cluster. Destroy it with cluster_destroy(). */
struct cluster *cluster_create(struct loop *loop, struct children *children,
	struct slurm *slurm, const struct paths *paths, const char *preload,
	const struct cluster_ops *ops, void *arg);

/* Call it after slurm_destroy(), so that no answer can arrive any more. Returns NULL. */
struct cluster *cluster_destroy(struct cluster *cluster);

/* Start the cluster, which must be STOPPED or FAILED. Takes over the contents of request. 0, or
 * -errno with err. */
int cluster_start(struct cluster *cluster, struct cluster_request *request, struct err *err)
	__attribute__((warn_unused_result));

/* The longest time that a stop can take, in ms from its beginning. */
int64_t cluster_stop_limit_ms(const struct cluster *cluster);

/* Set how many programs are attached. While there is one, the cluster counts as used. */
void cluster_set_attached(struct cluster *cluster, int attached);

#endif
