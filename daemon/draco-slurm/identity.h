/* identity.h: identifies the Slurm that answers. */
#ifndef DRACO_DAEMON_DRACO_SLURM_IDENTITY_H
#define DRACO_DAEMON_DRACO_SLURM_IDENTITY_H

#include <jansson.h>

struct slurm_conf_facts;

/* The identity of Slurm in its configuration, as slurm_site_encode() writes it. The caller owns
 * it. */
json_t *identity_of(const struct slurm_conf_facts *conf);

#endif
