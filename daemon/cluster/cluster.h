/* cluster.h: the cluster: reconciling what exists with what is wanted.
 *
 * Events only change the model (model.h). cluster_reconcile() compares the model with the wishes
 * and causes the effects. cluster_wake() plans it. It may run at any time and any number of
 * times. */
#ifndef DRACO_DAEMON_CLUSTER_CLUSTER_H
#define DRACO_DAEMON_CLUSTER_CLUSTER_H

#include <jansson.h>
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

/* Where a start makes its log directory. The caller frees. NULL with err: a variable is not set. */
char *cluster_log_base(const struct cluster_request *request, struct err *err);

/* Start the cluster, which must be STOPPED or FAILED. Takes over the contents of request. 0, or
 * -errno with err. */
int cluster_start(struct cluster *cluster, struct cluster_request *request, struct err *err)
	__attribute__((warn_unused_result));

/* Go on with the cluster of record, which record_find() has found: with its scheduler, its jobs,
 * its certificate and its size. Call it before anything ends what earlier clusters have left. The
 * cluster must be STOPPED, and is STARTING, RUNNING or STOPPING afterwards. -errno with err: that
 * is not possible, for example because its scheduler has ended, too. */
int cluster_adopt(struct cluster *cluster, const json_t *record, struct err *err)
	__attribute__((warn_unused_result));

/* Use this token for Slurm, SLURM_JWT, from now on, unless the present one holds for longer. */
void cluster_renew_token(struct cluster *cluster, const char *token);

/* The longest time that a stop can take, in ms from its beginning. */
int64_t cluster_stop_limit_ms(const struct cluster *cluster);

/* Set how many programs are attached. While there is one, the cluster counts as used. */
void cluster_set_attached(struct cluster *cluster, int attached);

/* A program has joined, or has attached itself. */
void cluster_someone_comes(struct cluster *cluster);

#endif
