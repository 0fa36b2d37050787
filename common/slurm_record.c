/* slurm_record.c: slurm.json, which records the Slurm of a state directory. */
#include "common/slurm_record.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/trust.h"

#define RECORD_VERSION 1
#define SEEN_MAX       16

void slurm_record_finish(struct slurm_record *record)
{
	slurm_site_finish(&record->site);
	strv_finish(&record->told);
	json_decref(record->seen);
	*record = (struct slurm_record)SLURM_RECORD_INIT;
}

void slurm_record_load(const char *path, struct slurm_record *ret)
{
	_cleanup_json_ json_t *object = NULL, *told_object = NULL;
	struct slurm_site told;
	json_t *seen;

	*ret = (struct slurm_record)SLURM_RECORD_INIT;
	if (trust_load(path, &object, NULL) < 0)
		return;
	seen = json_object_get(object, "seen");
	told_object = json_pack("{s:O?, s:O?}", "cluster", json_object_get(object, "cluster"),
		"controllers", json_object_get(object, "told"));
	slurm_site_decode(object, &ret->site);
	slurm_site_decode(told_object, &told);
	strv_copy(&ret->told, &told.controllers);
	slurm_site_finish(&told);
	if (ret->site.cluster && json_is_array(seen))
		ret->seen = json_deep_copy(seen);
}

json_t *slurm_record_encode(const struct slurm_record *record)
{
	struct slurm_site told = {.cluster = record->site.cluster, .controllers = record->told};
	_cleanup_json_ json_t *told_object = slurm_site_encode(&told);
	json_t *object = slurm_site_encode(&record->site);

	json_object_set_new(object, "version", json_integer(RECORD_VERSION));
	json_object_set(object, "told", json_object_get(told_object, "controllers"));
	json_object_set_new(
		object, "seen", record->seen ? json_deep_copy(record->seen) : json_array());
	return object;
}

static void add_all(struct strv *list, const struct strv *from)
{
	for (size_t i = 0; i < from->count && list->count < SLURM_SITE_CONTROLLERS_MAX; i++)
		if (!strv_has(list, from->item[i]))
			strv_add(list, from->item[i]);
}

bool slurm_record_fits(const struct slurm_record *record, const struct slurm_site *site)
{
	struct slurm_site all = SLURM_SITE_INIT;
	bool fits;

	slurm_site_copy(&all, &record->site);
	add_all(&all.controllers, &record->told);
	fits = slurm_site_same(&all, site);
	slurm_site_finish(&all);
	return fits;
}

bool slurm_record_fits_told(const struct slurm_record *record, const struct slurm_site *told)
{
	struct slurm_site known = {
		.cluster = record->site.cluster, .controllers = record->told};

	return slurm_site_same(&known, told);
}

bool slurm_record_has_seen(const struct slurm_record *record, const json_t *key)
{
	const json_t *item;
	size_t i;

	json_array_foreach (record->seen, i, item)
		if (json_equal(item, key))
			return true;
	return false;
}

bool slurm_record_add(struct slurm_record *record, const struct slurm_site *site,
	const struct slurm_site *told, const json_t *key)
{
	_cleanup_json_ json_t *before = slurm_record_encode(record), *after = NULL;

	if (site && site->cluster) {
		xreplace(&record->site.cluster, site->cluster);
		add_all(&record->site.controllers, &site->controllers);
	}
	if (told && told->cluster) {
		xreplace(&record->site.cluster, told->cluster);
		add_all(&record->told, &told->controllers);
	}
	if (key && record->site.cluster && !slurm_record_has_seen(record, key)) {
		if (!record->seen)
			record->seen = json_array();
		if (json_array_size(record->seen) >= SEEN_MAX)
			json_array_remove(record->seen, 0);
		json_array_append_new(record->seen, json_deep_copy(key));
	}
	after = slurm_record_encode(record);
	return !json_equal(before, after);
}
