/* slurm_conf.c: reads the identity of a Slurm from slurm.conf.
 *
 * Follows slurm.conf(5) and libslurm's src/common/parse_config.c: comments, continued lines,
 * several settings on a line, blanks around '=', quotes, and "Include FILE" with a relative path
 * and with %c. */
#include "common/slurm_conf.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/slurm_site.h"
#include "common/slurp.h"
#include "common/strv.h"

#define DEPTH_MAX    8
#define FILES_MAX    64
#define BYTES_MAX    (16 * 1024 * 1024)
#define PORT_DEFAULT 6817

struct reader {
	slurm_conf_read_fn *read;
	void *arg;
	const char *path; /* of slurm.conf itself; relative paths start in its directory */
	int depth, files;
	size_t bytes;
	struct slurm_site *site;
	struct strv hosts; /* hosts of slurmctld, by name or address */
	int port;
};

static void read_file(struct reader *reader, const char *path);

/* SlurmctldHost=head(10.0.0.1), ControlMachine=head,spare */
static void take_hosts(struct reader *reader, const char *value)
{
	_cleanup_free_ char *copy = xstrdup(value);
	char *word, *rest = NULL;

	for (word = strtok_r(copy, ",() ", &rest); word; word = strtok_r(NULL, ",() ", &rest))
		if (reader->hosts.count < SLURM_SITE_CONTROLLERS_MAX)
			strv_add(&reader->hosts, word);
}

static void take(struct reader *reader, const char *key, const char *value)
{
	static const char *const of_hosts[] = {"SlurmctldHost", "SlurmctldAddr",
		"ControlMachine", "ControlAddr", "BackupController", "BackupAddr"};

	if (strcasecmp(key, "ClusterName") == 0)
		slurm_site_set_cluster(reader->site, value);
	else if (strcasecmp(key, "SlurmctldPort") == 0)
		reader->port = atoi(value); /* the first port of a range */
	for (size_t i = 0; i < sizeof(of_hosts) / sizeof(of_hosts[0]); i++)
		if (strcasecmp(key, of_hosts[i]) == 0)
			take_hosts(reader, value);
}

/* An absolute path, relative to the directory of slurm.conf. The caller frees. */
static char *full_path(const struct reader *reader, const char *path)
{
	const char *slash = strrchr(reader->path, '/'), *mark = strstr(path, "%c");
	_cleanup_free_ char *named = NULL;

	if (mark && reader->site->cluster)
		path = named = xasprintf(
			"%.*s%s%s", (int)(mark - path), path, reader->site->cluster, mark + 2);
	if (*path == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - reader->path), reader->path, path);
}

static void include(struct reader *reader, char *path)
{
	_cleanup_free_ char *full = NULL;

	path[strcspn(path, " \t\r")] = '\0';
	if (!*path || reader->depth >= DEPTH_MAX)
		return;
	full = full_path(reader, path);
	reader->depth++;
	read_file(reader, full);
	reader->depth--;
}

static char *skip_blanks(char *text)
{
	return text + strspn(text, " \t\r");
}

/* Read one setting at text, which is modified. Returns the rest of text. */
static char *read_setting(struct reader *reader, char *text)
{
	char *key = text, *end = text, *value;

	while (isalnum((unsigned char)*end) || *end == '_' || *end == '.')
		end++;
	value = skip_blanks(end);
	value += *value && strchr("-+*/", *value) && value[1] == '=';
	if (end == key || *value != '=') /* this word is no setting: skip it */
		return key + strcspn(key, " \t\r");
	value = skip_blanks(value + 1);
	*end = '\0';
	end = *value == '"' ? strchr(++value, '"') : value + strcspn(value, " \t\r");
	if (!end)
		return value + strlen(value);
	if (*end)
		*end++ = '\0';
	take(reader, key, value);
	return end;
}

static void read_line(struct reader *reader, char *line)
{
	line = skip_blanks(line);
	if (strncasecmp(line, "include", 7) == 0 && strchr(" \t", line[7]) && line[7]) {
		include(reader, skip_blanks(line + 7));
		return;
	}
	while (*(line = skip_blanks(line)))
		line = read_setting(reader, line);
}

/* The number of backslashes directly before end, not before begin. */
static size_t backslashes(const char *begin, const char *end)
{
	const char *c = end;

	while (c > begin && c[-1] == '\\')
		c--;
	return (size_t)(end - c);
}

static void cut_comment(char *line)
{
	for (char *hash = strchr(line, '#'); hash; hash = strchr(hash + 1, '#'))
		if (backslashes(line, hash) % 2 == 0) {
			*hash = '\0';
			return;
		}
}

/* Does the line continue on the next one? Then end it at its last backslash. */
static bool goes_on(char *line)
{
	char *end = line + strlen(line);

	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	if (backslashes(line, end) % 2 == 0)
		return false;
	end[-1] = '\0';
	return true;
}

static void read_text(struct reader *reader, char *text)
{
	_cleanup_free_ char *whole = xcalloc(strlen(text) + 1, 1);
	size_t used = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		bool more;

		cut_comment(line);
		more = goes_on(line);
		strcpy(whole + used, line);
		used = more ? used + strlen(line) : 0;
		if (!more || !text)
			read_line(reader, whole);
	}
}

static void read_file(struct reader *reader, const char *path)
{
	_cleanup_free_ char *text = NULL;

	if (++reader->files > FILES_MAX || reader->bytes > BYTES_MAX)
		return;
	text = reader->read(reader->arg, path);
	if (!text)
		return;
	reader->bytes += strlen(text);
	read_text(reader, text);
}

void slurm_conf_parse(
	const char *path, slurm_conf_read_fn *read, void *arg, struct slurm_site *ret)
{
	struct reader reader = {
		.read = read, .arg = arg, .path = path, .site = ret, .port = PORT_DEFAULT};

	*ret = (struct slurm_site)SLURM_SITE_INIT;
	read_file(&reader, path);
	for (size_t i = 0; i < reader.hosts.count && ret->cluster; i++)
		slurm_site_add(ret, reader.hosts.item[i], reader.port);
	strv_finish(&reader.hosts);
}

static char *read_from_disk(void *arg, const char *path)
{
	char *text;
	size_t size;

	(void)arg;
	return slurp(path, &text, &size, NULL) == 0 ? text : NULL;
}

void slurm_conf_load(const char *path, struct slurm_site *ret)
{
	slurm_conf_parse(path, read_from_disk, NULL, ret);
}
