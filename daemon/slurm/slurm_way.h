/* slurm_way.h: the way in which draco-slurm talks to Slurm: by libslurm, or by Slurm's commands. A
 * change is told to the user. */
#ifndef DRACO_DAEMON_SLURM_SLURM_WAY_H
#define DRACO_DAEMON_SLURM_SLURM_WAY_H

#include <jansson.h>

struct slurm_way {
	char interface[16]; /* "libslurm" or "commands"; "": not known yet */
	char version[32];   /* of Slurm, as libslurm or the commands tell it */
	char *why;	    /* this way is used; NULL: not known */
};

void slurm_way_finish(struct slurm_way *way);

/* draco-slurm has described its way (daemon/draco-slurm/way.h). pid: its process. */
void slurm_way_told(struct slurm_way *way, const json_t *description, int pid);

#endif
