/* identity.h: which Slurm is it that answers? */
#ifndef DRACO_DAEMON_DRACO_SLURM_IDENTITY_H
#define DRACO_DAEMON_DRACO_SLURM_IDENTITY_H

#include <jansson.h>
#include <slurm/slurm.h>

/* What slurmctld says of itself, as slurm_site_encode() has it. */
json_t *identity_of(const slurm_conf_t *conf);

#endif
