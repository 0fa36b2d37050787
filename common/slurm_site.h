/* slurm_site.h: the identity of a Slurm: its cluster name and its controllers. */
#ifndef DRACO_COMMON_SLURM_SITE_H
#define DRACO_COMMON_SLURM_SITE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/strv.h"

#define SLURM_SITE_CLUSTER_MAX	   40 /* longer names of clusters are ignored */
#define SLURM_SITE_CONTROLLERS_MAX 32

/* All empty: not known. */
struct slurm_site {
	char *cluster;		 /* ClusterName, in lower case as in Slurm; NULL: not known */
	struct strv controllers; /* "HOST:PORT"; empty: not known */
};

#define SLURM_SITE_INIT         \
	{                       \
		NULL,           \
		{               \
			NULL, 0 \
		}               \
	}

void slurm_site_finish(struct slurm_site *site);
void slurm_site_copy(struct slurm_site *site, const struct slurm_site *from);

/* Set the cluster name. A name that is too long for Slurm, or has control characters, is
 * ignored. */
void slurm_site_set_cluster(struct slurm_site *site, const char *cluster);

/* Add a controller, once. A loopback address identifies nothing and is left out. */
void slurm_site_add(struct slurm_site *site, const char *host, int port);

static inline bool slurm_site_is_known(const struct slurm_site *site)
{
	return site->cluster != NULL;
}

/* Are both the same Slurm? Their cluster names must be equal. If both name controllers, they must
 * have one in common. False if one is not known. A host with and without its domain is the same. */
bool slurm_site_same(const struct slurm_site *a, const struct slurm_site *b);

/* For a person: "alpha (slurmctld at head:6817)". The caller frees. */
char *slurm_site_text(const struct slurm_site *site);

/* Conversion to and from {cluster, controllers}; null: not known. Decoding accepts any value; an
 * invalid one counts as not known. */
json_t *slurm_site_encode(const struct slurm_site *site);
void slurm_site_decode(const json_t *object, struct slurm_site *ret);

#endif
