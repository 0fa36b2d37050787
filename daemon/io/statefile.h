/* statefile.h: small JSON files that are complete at every moment. */
#ifndef DRACO_DAEMON_IO_STATEFILE_H
#define DRACO_DAEMON_IO_STATEFILE_H

#include <jansson.h>
#include <stdbool.h>

struct err;

/* Replace the content of path (0600) by object, which is taken over. A crash leaves the old or the
 * new content. 0, or -errno with err. */
int statefile_write(const char *path, json_t *object, struct err *err);

/* The same, without waiting for the disk: what is of no use when the host has crashed. */
int statefile_write_passing(const char *path, json_t *object, struct err *err);

/* The same in two steps; the second one may be taken by a thread. The caller frees the text, which
 * is empty if the object has a text that is no UTF-8. */
char *statefile_text(const json_t *object);
int statefile_write_text(const char *path, const char *text, bool lasting, struct err *err);

/* Read path. 1 with *ret, which the caller owns; 0: there is none, or, with code -EBADMSG in err,
 * it was no JSON object and is moved to PATH.bad; -errno with err: it cannot be read now. */
int statefile_load(const char *path, json_t **ret, struct err *err)
	__attribute__((warn_unused_result));

/* The content of path is of no use: move it to PATH.bad, and log why. */
void statefile_set_aside(const char *path, const struct err *why);

/* The object in path; NULL: there is none, or the file cannot be read at this moment. A file that
 * is no JSON object is moved to PATH.bad. Errors are logged. The caller owns the result. */
json_t *statefile_read(const char *path);

/* Remove path, if it exists. */
void statefile_remove(const char *path);

/* Another dracod owns the files now: from here on this process silently neither writes nor removes
 * any. */
void statefile_hand_over(void);

#endif
