/* log_find.c: finds the logs of a cluster, with or without a running dracod.
 *
 * The link "logs" in the state directory names the directory of the present or last start. The
 * directories of earlier starts, and of clusters with other names, are beside that one. */
#include "client/log_find.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/output.h"
#include "client/request.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/logdir.h"
#include "common/strv.h"

/* The directory of the present or last start; NULL: none. The caller frees. */
static char *present_directory(const struct ctl *ctl)
{
	return realpath(ctl->paths.logs_link, NULL);
}

/* Add the names in a directory for which fits() holds, in descending order. */
static void list(const char *path, bool (*fits)(const char *name), struct strv *ret)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, NULL, alphasort);

	while (count > 0) {
		struct dirent *entry = entries[--count];

		if (fits(entry->d_name))
			strv_add(ret, entry->d_name);
		free(entry);
	}
	free(entries);
}

static char *parent_of(const char *path)
{
	return xstrndup(path, (size_t)(strrchr(path, '/') - path));
}

static bool is_job_log(const char *name)
{
	return strncmp(name, "job-", 4) == 0 && logdir_is_own(name);
}

/* The log of a job in a directory beside the present one, newest first. */
static char *find_earlier(const char *directory, const char *file)
{
	_cleanup_free_ char *base = parent_of(directory);
	struct strv stamps = STRV_INIT;
	char *found = NULL;

	list(base, logdir_is_stamp, &stamps);
	for (size_t i = 0; i < stamps.count && !found; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s/%s", base, stamps.item[i], file);

		if (access(path, F_OK) == 0)
			found = TAKE_PTR(path);
	}
	strv_finish(&stamps);
	return found;
}

/* {jobs: {id: path}} from dracod; NULL: no dracod answers. */
static json_t *ask(struct ctl *ctl)
{
	struct refusal refusal = {0};
	struct connection connection;
	struct err err = ERR_INIT;
	json_t *logs = NULL;

	if (connection_open(&connection, ctl, &err) < 0)
		return NULL;
	connection_call(&connection, "logs", NULL, NULL, NULL, &logs, &refusal, &err);
	connection_close(&connection);
	json_decref(refusal.data);
	return logs;
}

/* The jobs with logs, for the error: "42, 43". The caller frees. */
static char *known_jobs(const char *directory, const json_t *logs)
{
	struct strv ids = STRV_INIT, files = STRV_INIT;
	const char *id;
	json_t *value;
	char *text;

	json_object_foreach (UNCONST(json_object_get(logs, "jobs")), id, value)
		strv_add(&ids, id);
	list(directory, is_job_log, &files);
	for (size_t i = files.count; i-- > 0;) {
		char *name = files.item[i] + strlen("job-");

		name[strcspn(name, ".")] = '\0';
		if (!strv_has(&ids, name))
			strv_add(&ids, name);
	}
	text = strv_join(&ids, ", ");
	strv_finish(&ids);
	strv_finish(&files);
	return text;
}

static char *find_job(struct ctl *ctl, const char *directory, const char *id, struct err *err)
{
	_cleanup_free_ char *file = xasprintf("job-%s.log", id);
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, file);
	_cleanup_free_ char *known = NULL;
	_cleanup_json_ json_t *logs = NULL;

	if (strspn(id, "0123456789_") == strlen(id)) {
		if (access(path, F_OK) == 0)
			return TAKE_PTR(path);
		free(path);
		path = find_earlier(directory, file);
		if (path)
			return TAKE_PTR(path);
	}
	logs = ask(ctl);
	if (json_get_text(json_object_get(logs, "jobs"), id, NULL))
		return xstrdup(json_get_text(json_object_get(logs, "jobs"), id, NULL));
	known = known_jobs(directory, logs);
	err_set(err, -ENOENT,
		"there is no job \"%s\" (%s%s); \"scheduler\" and \"daemon\" have logs, too",
		id, *known ? "known: " : "none is known", known);
	return NULL;
}

/* dracod's log is in the state directory, unless dracod logs to the systemd journal. Then the log
 * beside the logs of the start is newer. */
static char *find_daemon(const struct ctl *ctl)
{
	_cleanup_free_ char *beside = xasprintf("%s/" LOGDIR_DAEMON, ctl->paths.logs_link);
	struct stat own, other;

	if (stat(beside, &other) < 0 ||
		(stat(ctl->paths.log_file, &own) == 0 && own.st_mtime + 5 >= other.st_mtime))
		return xstrdup(ctl->paths.log_file);
	return TAKE_PTR(beside);
}

char *log_find(struct ctl *ctl, const char *wanted, struct err *err)
{
	_cleanup_free_ char *directory = present_directory(ctl);

	if (strcmp(wanted, "daemon") == 0)
		return find_daemon(ctl);
	if (!directory) {
		_cleanup_free_ char *start = output_command(ctl, "start");

		err_set(err, -ESRCH, "no cluster \"%s\" has run yet (%s starts one)",
			ctl->paths.name, start);
		return NULL;
	}
	/* Name it by the link, so that a program which follows it sees the next start's log. */
	if (strcmp(wanted, "scheduler") == 0)
		return xasprintf("%s/" LOGDIR_SCHEDULER, ctl->paths.logs_link);
	return find_job(ctl, directory, wanted, err);
}

static void add_log(json_t *logs, const char *name, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		json_array_append_new(logs,
			json_pack("{s:s, s:o, s:I, s:I}", "name", name, "path", json_text(path),
				"bytes", (json_int_t)st.st_size, "changed",
				(json_int_t)st.st_mtime));
}

static json_t *list_logs(const struct ctl *ctl, const char *directory)
{
	_cleanup_free_ char *daemon = find_daemon(ctl);
	_cleanup_free_ char *scheduler = xasprintf("%s/" LOGDIR_SCHEDULER, directory);
	struct strv files = STRV_INIT;
	json_t *logs = json_array();

	add_log(logs, "daemon", daemon);
	add_log(logs, "scheduler", scheduler);
	list(directory, is_job_log, &files);
	for (size_t i = files.count; i-- > 0;) {
		_cleanup_free_ char *path = xasprintf("%s/%s", directory, files.item[i]);
		char *id = files.item[i] + strlen("job-");

		id[strcspn(id, ".")] = '\0';
		add_log(logs, id, path);
	}
	strv_finish(&files);
	return logs;
}

json_t *log_list(struct ctl *ctl)
{
	_cleanup_free_ char *directory = present_directory(ctl);
	_cleanup_free_ char *base = directory ? parent_of(directory) : NULL;
	struct strv stamps = STRV_INIT;
	json_t *earlier;

	if (!directory)
		return NULL;
	earlier = json_array();
	list(base, logdir_is_stamp, &stamps);
	for (size_t i = 0; i < stamps.count; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", base, stamps.item[i]);

		if (strcmp(path, directory) != 0)
			json_array_append_new(earlier, json_text(path));
	}
	strv_finish(&stamps);
	return json_pack("{s:o, s:o, s:o}", "directory", json_text(directory), "logs",
		list_logs(ctl, directory), "earlier", earlier);
}
