/* part.h: finds draco's own programs and files, and defines the connection to draco-slurm. */
#ifndef DRACO_COMMON_PART_H
#define DRACO_COMMON_PART_H

/* The path of one of draco's files: beside the running program, as in a build directory; or where
 * installed is as seen from the program, if its prefix was moved; otherwise in installed. The
 * caller frees. */
char *part_find(const char *name, const char *installed);

/* The protocol version that draco-slurm and its callers, dracod and dracoctl doctor, exchange in
 * "hello", and the descriptor of the socketpair in draco-slurm. common/slurm_msg.h defines the
 * messages. */
#define SLURM_MSG_PROTOCOL 2
#define SLURM_MSG_FD	   3

#endif
