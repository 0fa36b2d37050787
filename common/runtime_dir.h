/* runtime_dir.h: in which directory dracod makes its sockets: the first one that can be used of
 *
 *	$XDG_RUNTIME_DIR/draco		where that is this user's own, and closed to others
 *	$TMPDIR/draco-UID		unless somebody else has taken that name
 *	$TMPDIR/draco-UID-XXXXXX	which nobody can guess
 *	and the same in /tmp
 *
 * Below it each cluster name has a directory. Clients read in daemon.json where the sockets are. */
#ifndef DRACO_COMMON_RUNTIME_DIR_H
#define DRACO_COMMON_RUNTIME_DIR_H

#include <stdbool.h>

struct err;

struct runtime_dir {
	char *base;   /* the directory above that of the name */
	bool private; /* nobody can guess it, and nobody else uses it */
	char *why;    /* why none of the places before it is used; "" for the first one */
};

/* Find and make the directories for the name. former is the socket of an earlier dracod of that
 * name on this host, or NULL: a directory that could not be guessed is used again. 0, or a
 * negative errno with err, which says what is wrong with each place. runtime_dir_finish()
 * frees. */
int runtime_dir_choose(const char *name, const char *former, struct runtime_dir *ret,
	struct err *err) __attribute__((warn_unused_result));
void runtime_dir_finish(struct runtime_dir *directory);

/* Make the directories in base anew, where they have vanished. base's own parent must be there.
 * 0, or a negative errno with err. */
int runtime_dir_make(const char *base, const char *name, struct err *err)
	__attribute__((warn_unused_result));

/* Remove what is empty of a directory of this name, and base when it is private. */
void runtime_dir_remove(const struct runtime_dir *directory, const char *name);

#endif
