/* logdir.c: the log directories, one for each start, and the last lines of logs. */
#include "common/logdir.h"

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
#include "common/home.h"
#include "common/paths.h"

#define SAME_SECOND_MAX 100
#define TAIL_BYTES	8192

/* Two digits whose value is within the bounds. */
static bool is_pair(const char *text, int minimum, int maximum)
{
	int value;

	if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]))
		return false;
	value = (text[0] - '0') * 10 + (text[1] - '0');
	return value >= minimum && value <= maximum;
}

bool logdir_is_stamp(const char *name)
{
	static const char form[] = "0000-00-00T00-00-00", old[] = "0000-00-00T00:00:00";
	const char *number = name + strlen(form);

	for (size_t i = 0; form[i]; i++)
		if (form[i] == '0' ? !isdigit((unsigned char)name[i])
				   : name[i] != form[i] && name[i] != old[i])
			return false;
	if (!is_pair(name + 5, 1, 12) || !is_pair(name + 8, 1, 31) ||
		!is_pair(name + 11, 0, 23) || !is_pair(name + 14, 0, 59) ||
		!is_pair(name + 17, 0, 60))
		return false;
	if (!*number)
		return true;
	if (*number++ != '-' || *number == '0')
		return false;
	return strspn(number, "0123456789") == strlen(number) && *number && strlen(number) <= 2;
}

bool logdir_is_own(const char *name)
{
	size_t length = strlen(name);

	if (strcmp(name, LOGDIR_LOCK) == 0 || strcmp(name, LOGDIR_SPAWN) == 0)
		return true;
	if (length > 2 && strcmp(name + length - 2, ".1") == 0)
		length -= 2;
	return length > 4 && memcmp(name + length - 4, ".log", 4) == 0 && name[0] != '.';
}

int logdir_make(const char *base, char **ret_path, struct err *err)
{
	_cleanup_free_ char *expanded = home_expand(base);
	time_t now = time(NULL);
	struct tm local;
	char stamp[32];
	int r;

	if (expanded[0] != '/')
		return err_set(
			err, -EINVAL, "log_directory %s must begin with \"/\" or \"~/\"", base);
	if (strchr(expanded, '%') || strchr(expanded, '\\'))
		return err_set(err, -EINVAL,
			"log_directory %s must not contain \"%%\" or \"\\\": Slurm would "
			"replace it",
			base);
	r = paths_make_directories(expanded, 0700, err);
	if (r < 0) {
		err_prefix(err, "log_directory");
		return r;
	}
	localtime_r(&now, &local);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H-%M-%S", &local);
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
