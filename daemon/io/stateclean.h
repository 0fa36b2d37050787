/* stateclean.h: removes the state of clusters inside Slurm jobs that have ended long ago. */
#ifndef DRACO_DAEMON_IO_STATECLEAN_H
#define DRACO_DAEMON_IO_STATECLEAN_H

#include <stdint.h>
#include <time.h>

/* Remove old state directories from root. A cluster inside a Slurm job is named "job-ID", and ids
 * of jobs do not come again, so nobody else would remove them. A directory is removed if it has
 * such a name, belongs to this user, nothing was written in it for retention_s, it holds nothing
 * but draco's files, and no dracod uses it, as far as this host can tell. Symbolic links are not
 * followed. Returns the number of removed directories. */
int64_t stateclean(const char *root, time_t now, int64_t retention_s);

#endif
