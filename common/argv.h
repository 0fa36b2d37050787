/* argv.h: reads a command from a setting: a program's path or name, or several words. */
#ifndef DRACO_COMMON_ARGV_H
#define DRACO_COMMON_ARGV_H

struct err;
struct strv;

/* Split text into words as a shell does, but without variables. Blanks separate words. '...', "..."
 * and \ keep blanks in a word. -EINVAL with err: a quote has no end, or there is no word. Pure. */
int argv_split(const char *text, struct strv *ret, struct err *err)
	__attribute__((warn_unused_result));

/* As argv_split(), for text from a user. The path of an executable file with blanks in it is one
 * word, and "~/" at the start of a word is the home directory. */
int argv_read(const char *text, struct strv *ret, struct err *err)
	__attribute__((warn_unused_result));

/* The words as text for argv_split() and for a shell. The caller frees. Pure. */
char *argv_format(const struct strv *words);

/* text quoted for a POSIX shell. The caller frees. Pure. */
char *shell_quote(const char *text);

/* Where programs are searched without PATH. */
#define PROGRAM_PATH "/usr/local/bin:/usr/bin:/bin"

/* Add the paths that a program with this name may have in path (a value of PATH; NULL: the usual
 * one), in their order, whether they exist or not. */
void program_paths(const char *path, const char *name, struct strv *ret);

/* Add the executable files with this name in path (a value of PATH; NULL: the usual one), each file
 * once. */
void program_list(const char *path, const char *name, struct strv *ret);

/* The file that a shell would execute for this name; name itself if there is none. The caller
 * frees. */
char *program_find(const char *path, const char *name);

#endif
