/* survey.c: Slurm's partitions and reservations: the values and their JSON. Pure. */
#include "common/survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"

void survey_finish(struct survey *survey)
{
	for (size_t i = 0; i < survey->partitions; i++) {
		free(survey->partition[i].name);
		free(survey->partition[i].denied);
	}
	for (size_t i = 0; i < survey->reservations; i++) {
		free(survey->reservation[i].name);
		free(survey->reservation[i].denied);
		free(survey->reservation[i].partition);
		free(survey->reservation[i].nodes);
	}
	free(survey->partition);
	free(survey->reservation);
	*survey = (struct survey){0};
}

const struct survey_partition *survey_find_partition(
	const struct survey *survey, const char *name)
{
	for (size_t i = 0; i < survey->partitions; i++)
		if (strcmp(survey->partition[i].name, name) == 0)
			return &survey->partition[i];
	return NULL;
}

const struct survey_reservation *survey_find_reservation(
	const struct survey *survey, const char *name)
{
	for (size_t i = 0; i < survey->reservations; i++)
		if (strcmp(survey->reservation[i].name, name) == 0)
			return &survey->reservation[i];
	return NULL;
}

json_t *survey_encode(const struct survey *survey)
{
	json_t *partitions = json_array(), *reservations = json_array();

	for (size_t i = 0; i < survey->partitions; i++) {
		const struct survey_partition *p = &survey->partition[i];

		json_array_append_new(partitions,
			json_pack(
				"{s:o, s:b, s:b, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
				"name", json_text(p->name), "submits", p->submits, "schedules",
				p->schedules, "max_time_s", (json_int_t)p->max_time_s, "denied",
				json_text(p->denied), "nodes", (json_int_t)p->nodes,
				"nodes_hidden", (json_int_t)p->nodes_hidden, "nodes_fit",
				(json_int_t)p->nodes_fit, "nodes_usable",
				(json_int_t)p->nodes_usable, "nodes_excluded",
				(json_int_t)p->nodes_excluded, "largest_cpus",
				(json_int_t)p->largest_cpus, "largest_memory_mib",
				(json_int_t)p->largest_memory_mib));
	}
	for (size_t i = 0; i < survey->reservations; i++) {
		const struct survey_reservation *r = &survey->reservation[i];

		json_array_append_new(reservations,
			json_pack("{s:o, s:I, s:I, s:o, s:o, s:o, s:b}", "name",
				json_text(r->name), "start", (json_int_t)r->start, "end",
				(json_int_t)r->end, "denied", json_text(r->denied), "partition",
				json_text(r->partition), "nodes", json_text(r->nodes),
				"flexible", r->flexible));
	}
	return json_pack("{s:o, s:o}", "partitions", partitions, "reservations", reservations);
}

static char *text_of(const json_t *object, const char *name)
{
	const char *text = json_get_text(object, name, NULL);

	return text ? xstrdup(text) : NULL;
}

int survey_decode(const json_t *object, struct survey *ret, struct err *err)
{
	const json_t *partitions = json_object_get(object, "partitions");
	const json_t *reservations = json_object_get(object, "reservations");
	bool whole = json_is_array(partitions) && json_is_array(reservations);
	const json_t *item;
	size_t i;

	*ret = (struct survey){0};
	ret->partitions = json_array_size(partitions);
	ret->partition = xcalloc(ret->partitions, sizeof(*ret->partition));
	json_array_foreach (partitions, i, item) {
		ret->partition[i] = (struct survey_partition){
			.name = text_of(item, "name"),
			.submits = json_get_boolean(item, "submits", 0),
			.schedules = json_get_boolean(item, "schedules", 0),
			.max_time_s = json_get_integer(item, "max_time_s", 0),
			.denied = text_of(item, "denied"),
			.nodes = json_get_integer(item, "nodes", 0),
			.nodes_hidden = json_get_integer(item, "nodes_hidden", 0),
			.nodes_fit = json_get_integer(item, "nodes_fit", 0),
			.nodes_usable = json_get_integer(item, "nodes_usable", 0),
			.nodes_excluded = json_get_integer(item, "nodes_excluded", 0),
			.largest_cpus = json_get_integer(item, "largest_cpus", 0),
			.largest_memory_mib = json_get_integer(item, "largest_memory_mib", 0),
		};
		whole = whole && ret->partition[i].name;
	}
	ret->reservations = json_array_size(reservations);
	ret->reservation = xcalloc(ret->reservations, sizeof(*ret->reservation));
	json_array_foreach (reservations, i, item) {
		ret->reservation[i] = (struct survey_reservation){
			.name = text_of(item, "name"),
			.start = (time_t)json_get_time(item, "start"),
			.end = (time_t)json_get_time(item, "end"),
			.denied = text_of(item, "denied"),
			.partition = text_of(item, "partition"),
			.nodes = text_of(item, "nodes"),
			.flexible = json_get_boolean(item, "flexible", 0),
		};
		whole = whole && ret->reservation[i].name;
	}
	if (whole)
		return 0;
	survey_finish(ret);
	return err_set(err, -EPROTO, "a survey of Slurm without partitions or names");
}
