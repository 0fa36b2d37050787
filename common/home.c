/* home.c: the user's home directory. */
#include "common/home.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"

const char *home_or_known(const char *named)
{
	const struct passwd *user;

	if (named && named[0] == '/')
		return named;
	user = getpwuid(getuid());
	return user && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

const char *home_directory(void)
{
	return home_or_known(getenv("HOME"));
}

char *home_expand(const char *text)
{
	const char *home = home_directory();

	if (home && text[0] == '~' && (text[1] == '/' || !text[1]))
		return xasprintf("%s%s", home, text + 1);
	return xstrdup(text);
}
