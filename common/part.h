/* part.h: where draco's own programs and files are, and how draco-slurm is spoken to. */
#ifndef DRACO_COMMON_PART_H
#define DRACO_COMMON_PART_H

/* A part of draco: beside the running program, as in a build directory, or else in the
 * directory where it is installed. The caller frees. */
char *part_find(const char *name, const char *installed);

/* What draco-slurm and its callers, dracod and dracoctl doctor, agree on in "hello", and the
 * descriptor of the socketpair in draco-slurm (common/slurm_msg.h has the messages). */
#define SLURM_MSG_PROTOCOL 2
#define SLURM_MSG_FD	   3

#endif
