/* identity.h: identifies the Slurm that answers. */
#ifndef DRACO_DAEMON_DRACO_SLURM_IDENTITY_H
#define DRACO_DAEMON_DRACO_SLURM_IDENTITY_H

#include <jansson.h>
#include <slurm/slurm.h>

/* The identity of Slurm in its configuration, as slurm_site_encode() writes it. The caller owns
 * it. */
json_t *identity_of(const slurm_conf_t *conf);

#endif
