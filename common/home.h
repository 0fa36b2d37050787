/* home.h: where this user's home directory is. */
#ifndef DRACO_COMMON_HOME_H
#define DRACO_COMMON_HOME_H

/* named when it is absolute, such as a value of HOME, else what the user database has; NULL where
 * there is neither. The user database keeps the text, until it is asked again. */
const char *home_or_known(const char *named);

/* home_or_known() of HOME. */
const char *home_directory(void);

/* text with a leading "~" or "~/" replaced by the home directory; the caller frees. */
char *home_expand(const char *text);

#endif
