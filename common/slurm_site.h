/* slurm_site.h: which Slurm: its cluster name and where its controllers are. */
#ifndef DRACO_COMMON_SLURM_SITE_H
#define DRACO_COMMON_SLURM_SITE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/strv.h"

#define SLURM_SITE_CLUSTER_MAX	   40 /* characters of a cluster name that count */
#define SLURM_SITE_CONTROLLERS_MAX 32

/* All empty: not known. */
struct slurm_site {
	char *cluster; /* ClusterName, in lower case as Slurm has it; NULL: not known */
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

/* Give it a name; one that is longer than a Slurm's, or has control characters, is not taken. */
void slurm_site_set_cluster(struct slurm_site *site, const char *cluster);

/* Add a controller, once. A loopback address tells nothing and is left out. */
void slurm_site_add(struct slurm_site *site, const char *host, int port);

static inline bool slurm_site_is_known(const struct slurm_site *site)
{
	return site->cluster != NULL;
}

/* Are both the same Slurm? The cluster names must be equal, and a controller common to both where
 * both name some. False where one is not known. A host with and without its domain is the same.
 */
bool slurm_site_same(const struct slurm_site *a, const struct slurm_site *b);

/* "alpha (slurmctld at head:6817)", for people; the caller frees. */
char *slurm_site_text(const struct slurm_site *site);

/* {cluster, controllers}; null where it is not known. What is read from elsewhere may be
 * anything: then the site is not known. */
json_t *slurm_site_encode(const struct slurm_site *site);
void slurm_site_decode(const json_t *object, struct slurm_site *ret);

#endif
