/* memory.h: the memory of a process, and the limits of its host and its cgroups. What is read are
 * files of the kernel, which do not block. */
#ifndef DRACO_DAEMON_IO_MEMORY_H
#define DRACO_DAEMON_IO_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

struct memory_use;

/* Look at a process. 0. -ENOENT, with *ret all zero: there is no such process, or the kernel does
 * not tell. */
int memory_look(pid_t pid, struct memory_use *ret);

/* The file that counts how many processes the kernel has killed for memory where this process is:
 * in its cgroup, or on the host. It is known only while the process lives. NULL: there is none. The
 * caller frees. */
char *memory_kills_file(pid_t pid);

/* What such a file counts. -1: it cannot be read, or file is NULL. */
int64_t memory_kills(const char *file);

/* How often, as such a file counts, something there would have needed more than a limit of memory
 * that holds there, and not only more than the host has. -1: it does not count that. */
int64_t memory_limit_hits(const char *file);

/* The limit of memory of a cgroup's directory, in bytes; 0: there is none, or no control of it. */
int64_t memory_limit(const char *directory);

#endif
