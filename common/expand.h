/* expand.h: $NAME and ${NAME} in paths of settings. Pure. */
#ifndef DRACO_COMMON_EXPAND_H
#define DRACO_COMMON_EXPAND_H

struct err;
struct strv;

/* Does each "$" begin $NAME or ${NAME}? -EINVAL with err: one does not. */
int expand_check(const char *text, struct err *err) __attribute__((warn_unused_result));

/* Add the names of the variables, each once. */
void expand_names(const char *text, struct strv *ret);

/* text as one word of a POSIX shell, which replaces the variables. USER is known there even where
 * it is not set. The caller frees. */
char *expand_shell(const char *text);

/* The value of a variable; NULL: it is not set. */
typedef const char *expand_fn(const void *arg, const char *name);

/* Replace the variables. The caller frees *ret. -EINVAL with err: one is not set, or is empty. */
int expand(const char *text, expand_fn *get, const void *arg, char **ret, struct err *err)
	__attribute__((warn_unused_result));

#endif
