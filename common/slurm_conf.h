/* slurm_conf.h: what slurm.conf says of which Slurm it is. */
#ifndef DRACO_COMMON_SLURM_CONF_H
#define DRACO_COMMON_SLURM_CONF_H

struct slurm_site;

/* The text of a file, which the caller frees; NULL where it cannot be read. */
typedef char *slurm_conf_read_fn(void *arg, const char *path);

/* Read the slurm.conf at path, and the files that it includes, each by read(): as libslurm does,
 * but only ClusterName and what tells where slurmctld is. A name of a file is absolute when path
 * is. What cannot be read, or is too much to be a configuration, adds nothing. *ret is to be
 * finished in any case. */
void slurm_conf_parse(
	const char *path, slurm_conf_read_fn *read, void *arg, struct slurm_site *ret);

/* The same, from the file system. */
void slurm_conf_load(const char *path, struct slurm_site *ret);

#endif
