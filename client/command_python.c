/* command_python.c: finds the Python that a command runs with. */
#include "client/command_python.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/doctor.h"
#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"

#define FIRST_LINE_MAX 512
#define LACKS	       7 /* exit status */

static const char *last_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static bool is_python(const char *file)
{
	return strncmp(last_name(file), "python", strlen("python")) == 0;
}

/* The program that a script's first line names: "#!/opt/python/bin/python3 -E", "#!/usr/bin/env
 * python3". NULL: it names none. The caller frees. */
static char *interpreter(const char *file, const char *path)
{
	char line[FIRST_LINE_MAX + 1], *word, *state = NULL;
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, line, FIRST_LINE_MAX);

	if (n < 2 || line[0] != '#' || line[1] != '!')
		return NULL;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	word = strtok_r(line + 2, " \t", &state);
	if (word && strcmp(last_name(word), "env") == 0)
		do
			word = strtok_r(NULL, " \t", &state);
		while (word && (word[0] == '-' || strchr(word, '=')));
	return word ? program_find(path, word) : NULL;
}

/* Is it the program that "python3" names in its directory? */
static bool is_same(const char *file, const char *python3)
{
	struct stat a, b;

	return access(python3, X_OK) == 0 && stat(file, &a) == 0 && stat(python3, &b) == 0 &&
		a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

char *command_python_directory(const char *command, const char *path)
{
	_cleanup_free_ char *file = program_find(path, command), *named = NULL, *python3 = NULL;
	_cleanup_free_ char *parent = NULL;
	char *directory;

	if (!is_python(file))
		named = interpreter(file, path);
	parent = xstrdup(named ? named : file);
	if (!is_python(parent) || !strchr(parent, '/'))
		return NULL;
	*strrchr(parent, '/') = '\0';
	directory = realpath(*parent ? parent : "/", NULL);
	python3 = xasprintf("%s/python3", directory ? directory : "");
	if (directory && is_same(named ? named : file, python3))
		return directory;
	free(directory);
	return NULL;
}

bool command_python_is_in(const char *python, const char *directory)
{
	_cleanup_free_ char *parent = xstrdup(python), *real = NULL;
	char *slash = strrchr(parent, '/');

	if (!slash)
		return false;
	slash[slash == parent] = '\0';
	real = realpath(parent, NULL);
	return real && strcmp(real, directory) == 0;
}

bool command_python_lacks_distributed(const char *directory)
{
	_cleanup_free_ char *python = xasprintf("%s/python3", directory), *text = NULL;
	char *argv[] = {python, UNCONST("-c"),
		UNCONST("import importlib.util as i, sys; "
			"sys.exit(0 if i.find_spec('distributed') else 7)"),
		NULL};

	return doctor_capture(argv, &text) == LACKS << 8;
}

char *command_python_versions(const char *python)
{
	_cleanup_free_ char *text = NULL;
	char *argv[] = {UNCONST(python), UNCONST("-c"),
		UNCONST("import importlib.metadata as m, sys; "
			"print('Python %d.%d with distributed %s' % (*sys.version_info[:2], "
			"m.version('distributed').partition('+')[0]))"),
		NULL};

	if (access(python, X_OK) < 0 || doctor_capture(argv, &text) != 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return TAKE_PTR(text);
}

const char *command_name(char *const *command)
{
	static const char *const with_value[] = {"-W", "-X", "--check-hash-based-pycs"};

	if (!is_python(command[0]))
		return command[0];
	for (char *const *word = command + 1; *word; word++) {
		if (strcmp(*word, "-m") == 0 && word[1])
			return word[1];
		if (strcmp(*word, "-c") == 0 || strcmp(*word, "-") == 0)
			break;
		if (**word != '-')
			return *word;
		for (size_t i = 0; i < sizeof(with_value) / sizeof(with_value[0]); i++)
			if (strcmp(*word, with_value[i]) == 0 && word[1]) {
				word++;
				break;
			}
	}
	return command[0];
}
