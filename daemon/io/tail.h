/* tail.h: the end of a log, for a person. */
#ifndef DRACO_DAEMON_IO_TAIL_H
#define DRACO_DAEMON_IO_TAIL_H

/* As logdir_tail(); NULL also if the file system does not answer at once. */
char *tail_read(const char *path, int max_lines);

#endif
