/* home.h: the user's home directory. */
#ifndef DRACO_COMMON_HOME_H
#define DRACO_COMMON_HOME_H

/* named (such as the value of HOME) if it is absolute, otherwise the home directory of the user
 * database; NULL: neither. The text belongs to the user database until its next query. */
const char *home_or_known(const char *named);

/* home_or_known() for the value of HOME. */
const char *home_directory(void);

/* text with a leading "~" or "~/" replaced by the home directory. The caller frees. */
char *home_expand(const char *text);

#endif
