/* record_find.c: finds the record of the cluster to go on with (record.h), also if the file is
 * damaged. Part of the cluster. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/paths.h"
#include "daemon/cluster/adopt.h"
#include "daemon/cluster/record.h"
#include "daemon/io/statefile.h"

#define DAMAGE "damage" /* a member that no file has */

/* What a record must have. */
static const struct {
	const char *name;
	json_type type;
	bool basis; /* the basis must have it, too */
} members[] = {
	{"id", JSON_STRING, true},
	{"state", JSON_STRING, true},
	{"log_dir", JSON_STRING, true},
	{"host", JSON_STRING, true},
	{"boot", JSON_STRING, true},
	{"settings", JSON_OBJECT, true},
	{"environment", JSON_ARRAY, true},
	{"slurm", JSON_OBJECT, true},
	{"network", JSON_OBJECT, true},
	{"size", JSON_OBJECT, true},
	{"jobs", JSON_ARRAY, false},
};

static bool has_jobs(const json_t *record)
{
	const json_t *job;
	size_t i;

	json_array_foreach (json_object_get(record, "jobs"), i, job)
		if (!json_get_text(job, "tag", NULL) ||
			!json_is_integer(json_object_get(job, "id")) ||
			!json_is_string(json_object_get(job, "phase")))
			return false;
	return true;
}

/* 0, or -EBADMSG with err: a member is missing, or is not what dracod writes. */
static int check(const char *path, const json_t *record, bool basis, struct err *err)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		const json_t *value = json_object_get(record, members[i].name);

		if (basis && !members[i].basis)
			continue;
		if (!value || json_typeof(value) != members[i].type)
			return err_set(err, -EBADMSG, "%s is damaged (\"%s\" is %s)", path,
				members[i].name, value ? "of a wrong type" : "missing");
	}
	if (!has_jobs(record))
		return err_set(
			err, -EBADMSG, "%s is damaged (a wrong entry in \"jobs\")", path);
	return 0;
}

/* Read one of the two files. Returns 1, 0 or -EPROTO as record_find(). */
static int load(const char *path, bool basis, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *record = NULL;
	int r = statefile_load(path, &record, err);
	json_int_t version = json_get_integer(record, "version", 0);

	if (r <= 0)
		return r;
	if (version > RECORD_VERSION)
		return err_set(err, -EPROTO,
			"%s is of a later draco (format %d, this one reads up to %d): use that "
			"one again, or \"dracoctl stop\" of that one",
			path, (int)version, RECORD_VERSION);
	if (check(path, record, basis, err) < 0) {
		statefile_set_aside(path, err);
		return 0;
	}
	*ret = TAKE_PTR(record);
	return 1;
}

/* Does only the basis describe a cluster that can go on? */
static bool is_of_another(const json_t *record, const json_t *basis)
{
	struct err why = ERR_INIT;

	return strcmp(record_cluster_id(record), record_cluster_id(basis)) != 0 &&
		cluster_adopt_check(record, &why) < 0 && cluster_adopt_check(basis, &why) == 0;
}

int record_find(const struct paths *paths, json_t **ret, struct err *err)
{
	_cleanup_free_ char *bad = xasprintf("%s.bad", paths->cluster_file);
	_cleanup_json_ json_t *record = NULL, *basis = NULL;
	struct err ignored = ERR_INIT;
	int r = load(paths->cluster_file, false, &record, err);

	if (r < 0 || (r == 0 && err->code == 0))
		return r;
	if (load(paths->basis_file, true, &basis, &ignored) == 1 && record &&
		is_of_another(record, basis)) {
		err_set(err, -EBADMSG, "%s is of another cluster (%s)", paths->cluster_file,
			record_cluster_id(record));
		statefile_set_aside(paths->cluster_file, err);
		json_decref(TAKE_PTR(record));
	}
	if (record) {
		*ret = TAKE_PTR(record);
		return 1;
	}
	if (!basis || record_is_stopping(basis))
		return 0;
	/* Until the next record is written, others must see that there is one. */
	link(bad, paths->cluster_file);
	json_object_set_new(basis, DAMAGE, json_text(err->text));
	*err = (struct err)ERR_INIT;
	*ret = TAKE_PTR(basis);
	return 1;
}

const char *record_damage(const json_t *record)
{
	return json_get_text(record, DAMAGE, NULL);
}
