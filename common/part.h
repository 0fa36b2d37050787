/* part.h: where draco's own programs and files are. */
#ifndef DRACO_COMMON_PART_H
#define DRACO_COMMON_PART_H

/* A part of draco: beside the running program, as in a build directory, or else in the directory where
 * it is installed. The caller frees. */
char *part_find(const char *name, const char *installed);

#endif
