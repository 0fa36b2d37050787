/* directives.h: the options of sbatch(1) that a user gives for the jobs. Pure.
 *
 * A directive is an option as sbatch takes it: "--mail-type=END", the same without dashes,
 * "mail-type=END", a name alone, "contiguous", or a letter, "-L matlab". sbatch itself checks it,
 * with the options of a site's plugins. draco rejects only options that it sets itself. A list of
 * directives holds each as "NAME=VALUE" or "NAME", by its long name. */
#ifndef DRACO_COMMON_DIRECTIVES_H
#define DRACO_COMMON_DIRECTIVES_H

struct err;
struct strv;

/* Split a directive into the option's long name (the caller frees) and the value as given, which is
 * a part of text; NULL: none. -EPERM: draco sets this option itself; err names the setting to use
 * instead. -EINVAL: text names no option. */
int directive_split(const char *text, char **ret_name, const char **ret_value, struct err *err)
	__attribute__((warn_unused_result));

/* The item of a list with this long name; NULL: none. */
char **directives_find(const struct strv *list, const char *name);

/* Put each option of more into list, instead of the one with its name. */
void directives_merge(struct strv *list, const struct strv *more);

/* The value of the option; "": a name alone; NULL: not in the list. */
const char *directives_value(const struct strv *list, const char *name);

#endif
