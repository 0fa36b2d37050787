/* argv.c: reads a command from a setting: a program's path or name, or several words. */
#include "common/argv.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/home.h"
#include "common/strv.h"

/* Read the next word at *text, where no blank may be, and move *text behind it. */
static int take_word(const char **text, char **ret, struct err *err)
{
	const char *at = *text;
	_cleanup_free_ char *word = xcalloc(strlen(at) + 1, 1);
	size_t length = 0;
	char quote = '\0';

	for (; *at && (quote || !isspace((unsigned char)*at)); at++) {
		if (*at == quote) {
			quote = '\0';
		} else if (!quote && (*at == '\'' || *at == '"')) {
			quote = *at;
		} else {
			if (*at == '\\' && at[1] && quote != '\'' &&
				(!quote || at[1] == '"' || at[1] == '\\'))
				at++;
			word[length++] = *at;
		}
	}
	if (quote)
		return err_set(err, -EINVAL, "a quote has no end: %s", *text);
	*text = at;
	*ret = TAKE_PTR(word);
	return 0;
}

int argv_split(const char *text, struct strv *ret, struct err *err)
{
	struct strv words = STRV_INIT;
	const char *at = text;
	int r = 0;

	while (r == 0) {
		char *word = NULL;

		while (isspace((unsigned char)*at))
			at++;
		if (!*at)
			break;
		r = take_word(&at, &word, err);
		if (word)
			strv_take(&words, word);
	}
	if (r == 0 && words.count == 0)
		r = err_set(err, -EINVAL, "\"%s\" names no program", text);
	for (size_t i = 0; r == 0 && i < words.count; i++)
		strv_add(ret, words.item[i]);
	strv_finish(&words);
	return r;
}

static bool is_program(const char *path)
{
	struct stat status;

	return path[0] == '/' && access(path, X_OK) == 0 && stat(path, &status) == 0 &&
		S_ISREG(status.st_mode);
}

int argv_read(const char *text, struct strv *ret, struct err *err)
{
	_cleanup_free_ char *whole = home_expand(text);
	size_t before = ret->count;
	int r;

	if (is_program(whole)) {
		strv_add(ret, whole);
		return 0;
	}
	r = argv_split(text, ret, err);
	for (size_t i = before; r == 0 && i < ret->count; i++) {
		char *word = home_expand(ret->item[i]);

		free(ret->item[i]);
		ret->item[i] = word;
	}
	return r;
}

static bool needs_quotes(const char *word)
{
	for (const char *c = word; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_@%+=:,./-", *c))
			return true;
	return !*word;
}

char *argv_format(const struct strv *words)
{
	struct strv quoted = STRV_INIT;
	char *text;

	for (size_t i = 0; i < words->count; i++)
		strv_take(&quoted,
			needs_quotes(words->item[i]) ? shell_quote(words->item[i])
						     : xstrdup(words->item[i]));
	text = strv_join(&quoted, " ");
	strv_finish(&quoted);
	return text;
}

char *shell_quote(const char *text)
{
	char *quoted = xcalloc(4 * strlen(text) + 3, 1);
	char *end = quoted;

	*end++ = '\'';
	for (; *text; text++)
		if (*text == '\'')
			end = stpcpy(end, "'\\''");
		else
			*end++ = *text;
	strcpy(end, "'");
	return quoted;
}

/* Is this file in files? PATH may contain a file twice, as /bin/python3 and /usr/bin/python3. */
static bool is_known(const struct strv *files, const char *path)
{
	struct stat a, b;

	if (stat(path, &a) < 0)
		return true;
	for (size_t i = 0; i < files->count; i++)
		if (stat(files->item[i], &b) == 0 && a.st_dev == b.st_dev &&
			a.st_ino == b.st_ino)
			return true;
	return false;
}

void program_paths(const char *path, const char *name, struct strv *ret)
{
	struct strv directories = STRV_INIT;

	strv_split(&directories, path ? path : PROGRAM_PATH, ':');
	for (size_t i = 0; i < directories.count; i++)
		strv_addf(ret, "%s/%s", directories.item[i], name);
	strv_finish(&directories);
}

void program_list(const char *path, const char *name, struct strv *ret)
{
	struct strv files = STRV_INIT;

	program_paths(path, name, &files);
	for (size_t i = 0; i < files.count; i++)
		if (is_program(files.item[i]) && !is_known(ret, files.item[i]))
			strv_add(ret, files.item[i]);
	strv_finish(&files);
}

char *program_find(const char *path, const char *name)
{
	struct strv files = STRV_INIT;
	char *found;

	if (!strchr(name, '/'))
		program_list(path, name, &files);
	found = xstrdup(files.count ? files.item[0] : name);
	strv_finish(&files);
	return found;
}
