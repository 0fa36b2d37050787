/* slurm_conf.h: reads the identity of a Slurm from slurm.conf. */
#ifndef DRACO_COMMON_SLURM_CONF_H
#define DRACO_COMMON_SLURM_CONF_H

struct slurm_site;

/* The text of a file, which the caller frees; NULL: unreadable. */
typedef char *slurm_conf_read_fn(void *arg, const char *path);

/* Read the slurm.conf at path and the files that it includes, each by read(). It follows libslurm,
 * but reads only ClusterName and the hosts and port of slurmctld. If path is absolute, so are the
 * paths for read(). A file that is unreadable, or too large for a configuration, adds nothing. *ret
 * must be finished in all cases. */
void slurm_conf_parse(
	const char *path, slurm_conf_read_fn *read, void *arg, struct slurm_site *ret);

/* The same, from the file system. */
void slurm_conf_load(const char *path, struct slurm_site *ret);

#endif
