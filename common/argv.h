/* argv.h: a command that a setting names: a program's path or name, or several words. */
#ifndef DRACO_COMMON_ARGV_H
#define DRACO_COMMON_ARGV_H

struct err;
struct strv;

/* Split text into words as a shell does, without variables: blanks part words; '...', "..." and
 * \ keep them together. -EINVAL with err when a quote has no end, or there is no word. Pure. */
int argv_split(const char *text, struct strv *ret, struct err *err)
	__attribute__((warn_unused_result));

/* As argv_split(), of what a user has written: the name of an executable file with blanks in
 * it is one word, and "~/" is the home directory at the start of each. */
int argv_read(const char *text, struct strv *ret, struct err *err)
	__attribute__((warn_unused_result));

/* The words as argv_split() and a shell read them; the caller frees. Pure. */
char *argv_format(const struct strv *words);

/* text quoted for a POSIX shell; the caller frees. Pure. */
char *shell_quote(const char *text);

/* Add the executable files of that name in path (a value of PATH, or NULL for the usual one), each
 * file once. */
void program_list(const char *path, const char *name, struct strv *ret);

/* The file that a shell would execute by that name; name itself where there is none. The caller
 * frees. */
char *program_find(const char *path, const char *name);

#endif
