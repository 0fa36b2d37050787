/* logdir.c: the directory with the logs of one start, and the ends of logs. */
#include "daemon/logdir.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/paths.h"

#define SAME_SECOND_MAX 100
#define TAIL_BYTES	8192

int logdir_make(const char *base, char **ret_path, struct err *err)
{
	_cleanup_free_ char *expanded = paths_expand_home(base);
	time_t now = time(NULL);
	struct tm local;
	char stamp[32];
	int r;

	if (expanded[0] != '/')
		return err_set(
			err, -EINVAL, "log_directory %s must begin with \"/\" or \"~/\"", base);
	if (strchr(expanded, '%') || strchr(expanded, '\\'))
		return err_set(err, -EINVAL,
			"log_directory %s must not contain \"%%\" or \"\\\": Slurm would replace it",
			base);
	r = paths_make_directories(expanded, 0700, err);
	if (r < 0) {
		err_prefix(err, "log_directory");
		return r;
	}
	localtime_r(&now, &local);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &local);
	for (int i = 1; i < SAME_SECOND_MAX; i++) {
		_cleanup_free_ char *path = i == 1 ? xasprintf("%s/%s", expanded, stamp)
						   : xasprintf("%s/%s-%d", expanded, stamp, i);

		if (mkdir(path, 0700) == 0) {
			*ret_path = TAKE_PTR(path);
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return err_set(err, -errno, "log_directory: cannot make %s/%s: %s", expanded, stamp,
		strerror(errno));
}

char *logdir_tail(const char *path, int max_lines)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = NULL;
	char *start, *end;
	struct stat st;
	ssize_t n;

	if (max_lines < 1 || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	text = xcalloc(TAIL_BYTES + 1, 1);
	n = pread(fd, text, TAIL_BYTES, st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
	if (n <= 0)
		return NULL;
	end = text + n;
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	for (start = end; start > text; start--)
		if (start[-1] == '\n' && --max_lines == 0)
			break;
	for (char *c = start; c < end; c++)
		if (iscntrl((unsigned char)*c) && *c != '\n' && *c != '\t')
			*c = '?';
	return end > start ? xstrdup(start) : NULL;
}
