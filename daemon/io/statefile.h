/* statefile.h: small JSON files that are whole at every moment. */
#ifndef DRACO_DAEMON_IO_STATEFILE_H
#define DRACO_DAEMON_IO_STATEFILE_H

#include <jansson.h>

struct err;

/* Replace path (0600) by object, taking object over. A crash leaves the old or the new content. */
int statefile_write(const char *path, json_t *object, struct err *err);

/* The object in path; NULL when there is none, or when it cannot be read at this moment. A file
 * that is no JSON object is moved to PATH.bad. The log tells. */
json_t *statefile_read(const char *path);

/* Remove path, which may be missing. */
void statefile_remove(const char *path);

/* The files belong to another dracod from now on: this process writes and removes none any
 * more, and says nothing about it. */
void statefile_hand_over(void);

#endif
