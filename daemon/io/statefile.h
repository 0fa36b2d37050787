/* statefile.h: small JSON files that are complete at every moment. */
#ifndef DRACO_DAEMON_IO_STATEFILE_H
#define DRACO_DAEMON_IO_STATEFILE_H

#include <jansson.h>

struct err;

/* Replace the content of path (0600) by object, which is taken over. A crash leaves the old or the
 * new content. 0, or -errno with err. */
int statefile_write(const char *path, json_t *object, struct err *err);

/* The object in path; NULL: there is none, or the file cannot be read at this moment. A file that
 * is no JSON object is moved to PATH.bad. Errors are logged. The caller owns the result. */
json_t *statefile_read(const char *path);

/* Remove path, if it exists. */
void statefile_remove(const char *path);

/* Another dracod owns the files now: from here on this process silently neither writes nor removes
 * any. */
void statefile_hand_over(void);

#endif
