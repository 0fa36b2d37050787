/* place.c: places where jobs may run, as settings name them. Pure. */
#include "common/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/settings_list.h"
#include "common/strv.h"

/* words: the partition and its options. */
static int read_words(const struct strv *words, char **ret, struct err *err)
{
	struct strv options = STRV_INIT, given = STRV_INIT, all = STRV_INIT;
	const char *partition = words->item[0];
	int r = 0;

	if (!*partition || *partition == '-' || strchr(partition, '='))
		return err_set(err, -EINVAL,
			"\"%s\" names no partition: begin with one, as in \"short qos=debug\"",
			partition);
	for (size_t i = 1; r == 0 && i < words->count; i++)
		r = map_set_item(&options, MAP_DIRECTIVES, words->item[i], &given, err);
	strv_add(&all, partition);
	for (size_t i = 0; i < options.count; i++)
		strv_add(&all, options.item[i]);
	if (r == 0)
		*ret = argv_format(&all);
	else
		err_prefix(err, "%s", partition);
	strv_finish(&options);
	strv_finish(&given);
	strv_finish(&all);
	return r;
}

int place_read(const char *text, char **ret, struct err *err)
{
	struct strv words = STRV_INIT;
	int r;

	if (!text[strspn(text, " \t\r\n")])
		return err_set(err, -EINVAL, "\"%s\" names no partition", text);
	r = argv_split(text, &words, err);
	if (r == 0)
		r = read_words(&words, ret, err);
	strv_finish(&words);
	return r;
}

/* Add the members of object but the partition as options. */
static int add_members(const json_t *object, struct strv *words, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(object), name, value) {
		_cleanup_free_ char *text = json_scalar_text(value);

		if (!text)
			return err_set(err, -EINVAL, "%s must have one plain value", name);
		if (strcmp(name, "partition") != 0)
			strv_addf(words, "%s=%s", name, text);
	}
	return 0;
}

int place_read_json(const json_t *value, const char *partition, char **ret, struct err *err)
{
	struct strv words = STRV_INIT;
	int r;

	if (!partition && json_is_string(value))
		return place_read(json_string_value(value), ret, err);
	if (!json_is_object(value))
		return err_set(err, -EINVAL, "%s%s must be %s", partition ? partition : "",
			partition ? "" : "a place",
			partition
				? "a mapping of options of sbatch, such as {qos: debug}"
				: "the name of a partition, or {partition: NAME, OPTION: VALUE}");
	if (!partition)
		partition = json_get_text(value, "partition", NULL);
	if (!partition)
		return err_set(err, -EINVAL,
			"a place has no partition: give {partition: NAME, OPTION: VALUE}");
	strv_add(&words, partition);
	r = add_members(value, &words, err);
	if (r == 0)
		r = read_words(&words, ret, err);
	strv_finish(&words);
	return r;
}

int places_read(struct strv *places, struct err *err)
{
	struct strv read = STRV_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < places->count; i++) {
		char *place;

		r = place_read(places->item[i], &place, err);
		if (r == 0)
			strv_take(&read, place);
	}
	if (r < 0) {
		strv_finish(&read);
		return r;
	}
	strv_finish(places);
	*places = read;
	return 0;
}

void place_split(const char *place, char **ret_partition, struct strv *ret_options)
{
	struct strv words = STRV_INIT;

	if (argv_split(place, &words, NULL) < 0)
		strv_add(&words, place); /* place_read() did not write this */
	if (ret_partition)
		*ret_partition = xstrdup(words.item[0]);
	for (size_t i = 1; ret_options && i < words.count; i++)
		strv_add(ret_options, words.item[i]);
	strv_finish(&words);
}

char *place_partition(const char *place)
{
	char *partition;

	place_split(place, &partition, NULL);
	return partition;
}

char **places_find(const struct strv *places, const char *partition)
{
	for (size_t i = 0; i < places->count; i++) {
		_cleanup_free_ char *name = place_partition(places->item[i]);

		if (strcmp(name, partition) == 0)
			return &places->item[i];
	}
	return NULL;
}

void places_merge(struct strv *places, const struct strv *more)
{
	for (size_t i = 0; i < more->count; i++) {
		_cleanup_free_ char *partition = place_partition(more->item[i]);
		char **same = places_find(places, partition);

		if (same)
			xreplace(same, more->item[i]);
		else
			strv_add(places, more->item[i]);
	}
}
