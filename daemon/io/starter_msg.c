/* starter_msg.c: what dracod and its starter say to each other. Pure. */
#include "daemon/io/starter_msg.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/parse.h"

enum {
	HAS_DIRECTORY = 1,
	ROOT_ELSE = 2,
	HAS_LOG = 4,
	HAS_STDOUT = 8,
	HAS_STDERR = 16,
	HAS_EXTRA = 32,
	OWN_SESSION = 64,
	DIE_WITH_US = 128
};

static int encode_flags(const struct child_spec *spec)
{
	return (spec->directory ? HAS_DIRECTORY : 0) | (spec->root_else ? ROOT_ELSE : 0) |
		(spec->log ? HAS_LOG : 0) | (spec->stdout_fd >= 0 ? HAS_STDOUT : 0) |
		(spec->stderr_fd >= 0 ? HAS_STDERR : 0) |
		(spec->extra_fd >= 0 ? HAS_EXTRA : 0) | (spec->own_session ? OWN_SESSION : 0) |
		(spec->die_with_us ? DIE_WITH_US : 0);
}

static size_t count_items(char *const *list)
{
	size_t count = 0;

	while (list[count])
		count++;
	return count;
}

static void put(FILE *file, const char *text)
{
	fwrite(text, 1, strlen(text) + 1, file);
}

static void put_list(FILE *file, char *const *list)
{
	for (; list && *list; list++)
		put(file, *list);
}

char *starter_msg_encode(const struct child_spec *spec, const struct strv *paths,
	size_t *ret_length, int ret_fds[STARTER_FDS_MAX], size_t *ret_count)
{
	const int fds[STARTER_FDS_MAX] = {spec->stdout_fd, spec->stderr_fd, spec->extra_fd};
	char *const *envp = spec->envp ? spec->envp : environ;
	char *text = NULL;
	FILE *file = open_memstream(&text, ret_length);

	if (!file)
		abort(); /* no memory, as in xcalloc() */
	put(file, STARTER_PROTOCOL);
	fprintf(file, "%d%c%zu%c%zu%c%zu%c", encode_flags(spec), 0, paths->count, 0,
		count_items(spec->argv), 0, count_items(envp), 0);
	put_list(file, paths->item);
	put_list(file, spec->argv);
	put_list(file, envp);
	put(file, spec->directory ? spec->directory : "");
	put(file, spec->log ? spec->log : "");
	fclose(file);
	*ret_count = 0;
	for (size_t i = 0; i < STARTER_FDS_MAX; i++)
		if (fds[i] >= 0)
			ret_fds[(*ret_count)++] = fds[i];
	return text;
}

struct reader {
	const char *at, *end;
	bool failed;
};

static const char *take(struct reader *reader)
{
	const char *text = reader->at;
	const char *nul = memchr(text, '\0', (size_t)(reader->end - text));

	if (!nul) {
		reader->failed = true;
		return "";
	}
	reader->at = nul + 1;
	return text;
}

static int64_t take_number(struct reader *reader)
{
	int64_t number = 0;

	if (parse_integer(take(reader), 0, STARTER_REQUEST_MAX, &number, NULL) < 0)
		reader->failed = true;
	return number;
}

static void take_list(struct reader *reader, int64_t count, struct strv *ret)
{
	for (; count > 0 && !reader->failed; count--)
		strv_add(ret, take(reader));
}

int starter_msg_decode(const char *text, size_t length, const int *fds, size_t count,
	struct starter_request *ret)
{
	struct reader reader = {.at = text, .end = text + length};
	struct child_spec *spec = &ret->spec;
	const int has[STARTER_FDS_MAX] = {HAS_STDOUT, HAS_STDERR, HAS_EXTRA};
	int *const places[STARTER_FDS_MAX] = {
		&spec->stdout_fd, &spec->stderr_fd, &spec->extra_fd};
	static char *const none[] = {NULL};
	int64_t flags, paths, arguments, variables;
	const char *directory, *log;
	size_t used = 0;

	if (strcmp(take(&reader), STARTER_PROTOCOL) != 0)
		return reader.failed ? -EBADMSG : -EPROTO;
	flags = take_number(&reader);
	paths = take_number(&reader);
	arguments = take_number(&reader);
	variables = take_number(&reader);
	take_list(&reader, paths, &ret->paths);
	take_list(&reader, arguments, &ret->argv);
	take_list(&reader, variables, &ret->envp);
	directory = take(&reader);
	log = take(&reader);
	for (size_t i = 0; i < STARTER_FDS_MAX; i++) {
		*places[i] = flags & has[i] && used < count ? fds[used] : -1;
		used += flags & has[i] ? 1 : 0;
	}
	if (reader.failed || reader.at != reader.end || used != count || arguments == 0)
		return -EBADMSG;
	spec->argv = ret->argv.item;
	spec->envp = ret->envp.count ? ret->envp.item : none;
	spec->directory = flags & HAS_DIRECTORY ? directory : NULL;
	spec->log = flags & HAS_LOG ? log : NULL;
	spec->root_else = flags & ROOT_ELSE;
	spec->own_session = flags & OWN_SESSION;
	spec->die_with_us = flags & DIE_WITH_US;
	return 0;
}

void starter_request_finish(struct starter_request *request)
{
	strv_finish(&request->paths);
	strv_finish(&request->argv);
	strv_finish(&request->envp);
}
