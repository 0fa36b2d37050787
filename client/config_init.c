/* config_init.c: dracoctl config init: writes a settings file with values that fit this Slurm. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/config_show.h"
#include "client/ctl.h"
#include "client/describe.h"
#include "client/helper.h"
#include "client/output.h"
#include "client/propose.h"
#include "client/small_job.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/settings_places.h"

#define CALL_DEADLINE_MS 60000
#define PARTITIONS_MAX	 12 /* a prediction for each */

static int write_file(
	const char *path, bool for_site, const struct proposals *proposals, struct err *err)
{
	_cleanup_free_ char *directory = xstrdup(path);
	_cleanup_fclose_ FILE *file = NULL;
	int fd, r;

	*strrchr(directory, '/') = '\0';
	r = paths_make_directories(directory, for_site ? 0755 : 0700, err);
	if (r < 0)
		return r;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, for_site ? 0644 : 0600);
	if (fd < 0 && errno == EEXIST)
		return err_set(err, -EEXIST,
			"%s exists and was not changed: edit it, or move it away first", path);
	if (fd < 0)
		return err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	file = fdopen(fd, "w");
	if (!file)
		abort();
	describe_file(file, for_site, proposals);
	if (fflush(file) != 0 || ferror(file)) {
		r = err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
		unlink(path);
	}
	return r;
}

/* One request to inspect these partitions. 0 with *ret, which the caller owns, or -errno. */
static int inspect(const struct config *config, struct helper *helper, json_t *names,
	json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = helper_call(helper, "inspect", small_job_inspect(&config->settings, names),
		CALL_DEADLINE_MS, &answer, err);

	if (r == 0)
		*ret = json_incref(json_object_get(answer, "partitions"));
	return r;
}

/* What to ask about: partitions of the settings, Slurm's default, others while there is room. */
static json_t *choose_names(const struct settings *settings, const json_t *partitions)
{
	json_t *names = json_array();
	struct strv wanted = STRV_INIT;
	const json_t *partition;
	size_t i;

	settings_partitions(settings, &wanted);
	for (i = 0; i < wanted.count; i++)
		json_array_append_new(names, json_text(wanted.item[i]));
	strv_finish(&wanted);
	json_array_foreach (partitions, i, partition)
		if (json_get_boolean(partition, "default", 0))
			json_array_append(names, json_object_get(partition, "name"));
	json_array_foreach (partitions, i, partition)
		if (json_array_size(names) < PARTITIONS_MAX)
			json_array_append(names, json_object_get(partition, "name"));
	return names;
}

/* Ask Slurm for its partitions. 0 with *ret, which the caller owns, or -errno with err. */
static int ask(const struct config *config, json_t **ret, struct err *err)
{
	struct helper helper = HELPER_INIT;
	_cleanup_json_ json_t *all = NULL;
	int r = helper_start(&helper, &config->ctl->paths, err);

	if (r == 0)
		r = inspect(config, &helper, json_array(), &all, err);
	if (r == 0)
		r = inspect(config, &helper, choose_names(&config->settings, all), ret, err);
	helper_stop(&helper);
	return r;
}

static void tell(const struct proposals *proposals, const char *hindrance)
{
	for (size_t i = 0; i < proposals->count; i++) {
		const struct proposal *proposal = &proposals->item[i];
		_cleanup_free_ char *first = xasprintf(
			"  %s: %s  # ", settings_table[proposal->id].name, proposal->value);

		describe_lines(stdout, first, "      ", proposal->reason);
	}
	if (hindrance)
		printf("There are no values for this Slurm: %s.\n", hindrance);
}

/* The file is there already: show what would be written. */
static void tell_instead(
	const char *path, const struct proposals *proposals, const char *hindrance)
{
	if (proposals->count > 0)
		printf("Values that fit this Slurm, to be put into %s:\n", path);
	else if (!hindrance)
		printf("The settings fit this Slurm: nothing is proposed.\n");
	tell(proposals, hindrance);
}

int config_init(struct config *config, int argc, char **argv)
{
	const char *which = config_which_file(config, argc, argv, "user");
	const char *path = config_file_path(config, which), *hindrance;
	_cleanup_json_ json_t *answer = NULL, *partitions = NULL;
	struct err err = ERR_INIT, unasked = ERR_INIT;
	struct proposals proposals = {0};
	int r;

	if (!path)
		return CTL_FAILED;
	if (config->good && ask(config, &partitions, &unasked) == 0)
		propose(partitions, &config->settings, &proposals);
	hindrance = unasked.code ? unasked.text : proposals.hindrance;
	r = write_file(path, strcmp(which, "site") == 0, &proposals, &err);
	if (r < 0) {
		output_error(config->ctl, "%s", err.text);
		if (r == -EEXIST && !config->ctl->json)
			tell_instead(path, &proposals, hindrance);
	} else if (config->ctl->json) {
		answer = json_pack("{s:o, s:o, s:o}", "path", json_text(path), "proposed",
			proposals_to_json(&proposals), "hindrance", json_text(hindrance));
		output_json(answer);
	} else if (!config->ctl->quiet) {
		printf("Wrote %s: %s.\n", path,
			proposals.count > 0
				? "every setting, as a comment where its default fits this Slurm"
				: "every setting with its default, as comments");
		tell(&proposals, hindrance);
	}
	proposals_finish(&proposals);
	return r < 0 ? CTL_FAILED : CTL_DONE;
}
