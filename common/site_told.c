/* site_told.c: tells a user once of the mistakes in the site's file, which the user cannot correct.
 * The file "site-mistakes" in the state directory holds what was told last. Without it they are
 * told again. */
#include "common/site_told.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/paths.h"
#include "common/problems.h"
#include "common/slurp.h"
#include "common/strv.h"

static char *left_out_text(const struct problems *problems)
{
	struct strv lines = STRV_INIT;
	char *text;

	for (size_t i = 0; i < problems->count; i++)
		if (problems->items[i].left_out)
			strv_take(&lines, problem_line(&problems->items[i]));
	text = strv_join(&lines, "\n");
	strv_finish(&lines);
	return text;
}

static void note(const struct paths *paths, const char *path, const char *text)
{
	_cleanup_close_ int fd = -1;

	if (paths_make(paths, NULL) < 0)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		unlink(path);
}

void site_told_once(const struct paths *paths, struct problems *problems)
{
	_cleanup_free_ char *path = xasprintf("%s/site-mistakes", paths->state_dir);
	_cleanup_free_ char *text = left_out_text(problems);
	_cleanup_free_ char *known = NULL;
	size_t size;

	if (!*text) {
		unlink(path); /* when they come back, they are told again */
		return;
	}
	if (slurp(path, &known, &size, NULL) == 0 && strcmp(known, text) == 0)
		problems_drop_left_out(problems);
	else
		note(paths, path, text);
}
