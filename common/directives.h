/* directives.h: options of sbatch(1) that a user gives for the jobs. Pure.
 *
 * A directive is an option as sbatch has it, "--mail-type=END", without the dashes just as
 * well, "mail-type=END", "contiguous", or with its letter, "-L matlab". sbatch itself judges it,
 * with all that a site's plugins add to its options; draco keeps only those back that it sets
 * itself. A list of them holds each as "NAME=VALUE" or "NAME", by its long name. */
#ifndef DRACO_COMMON_DIRECTIVES_H
#define DRACO_COMMON_DIRECTIVES_H

struct err;
struct strv;

/* The long name of the option that a directive is (the caller frees), and the value as it is
 * given, a part of text, or NULL. -EPERM: one that draco itself sets, with the setting to use
 * instead; -EINVAL: it names no option. */
int directive_split(const char *text, char **ret_name, const char **ret_value, struct err *err)
	__attribute__((warn_unused_result));

/* The place in a list of the option with this long name; NULL: not there. */
char **directives_find(const struct strv *list, const char *name);

/* Its value: "" for a name alone, NULL when it is not there. */
const char *directives_value(const struct strv *list, const char *name);

#endif
