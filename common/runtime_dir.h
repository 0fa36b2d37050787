/* runtime_dir.h: chooses the directory of dracod's sockets: the first usable one of
 *
 *	$XDG_RUNTIME_DIR/draco		if that is this user's own, and closed to others
 *	$TMPDIR/draco-UID		if no other user has taken that name
 *	$TMPDIR/draco-UID-XXXXXX	which nobody can guess
 *	and the last two in /tmp
 *
 * Each cluster name has a directory in it. daemon.json tells clients where the sockets are. */
#ifndef DRACO_COMMON_RUNTIME_DIR_H
#define DRACO_COMMON_RUNTIME_DIR_H

#include <stdbool.h>

struct err;

struct runtime_dir {
	char *base;   /* the directory above the one of the name */
	bool private; /* nobody can guess it, and nobody else uses it */
	char *why;    /* why the places before it are not used; "" for the first place */
};

/* Choose and make the directories for the name. former: the socket of an earlier dracod of that
 * name on this host, or NULL. If its directory was an unguessable one, it is used again. 0, or
 * -errno with err, which gives the reason against each place. runtime_dir_finish() frees. */
int runtime_dir_choose(const char *name, const char *former, struct runtime_dir *ret,
	struct err *err) __attribute__((warn_unused_result));
void runtime_dir_finish(struct runtime_dir *directory);

/* Make the directories in base again if they have vanished. The parent of base must exist. 0, or
 * -errno with err. */
int runtime_dir_make(const char *base, const char *name, struct err *err)
	__attribute__((warn_unused_result));

/* Remove the directory of this name if it is empty, and base if it is private. */
void runtime_dir_remove(const struct runtime_dir *directory, const char *name);

#endif
