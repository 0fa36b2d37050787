/* notices.c: the list of what the user should know while it holds. */
#include "daemon/cluster/notices.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"

#define NOTICES_MAX 32 /* with subjects */

/* The names in the record; NULL: not recorded. */
static const char *const topic_names[NOTICE_TOPICS] = {
	[NOTICE_OTHER] = "other",
	[NOTICE_FAILURES] = "failures",
	[NOTICE_DEATH] = "death",
	[NOTICE_NODE] = "node",
	[NOTICE_STAYS] = "stays",
};

static bool is_about(const struct notice *notice, enum notice_topic topic, const char *subject)
{
	if (notice->topic != topic)
		return false;
	return subject ? notice->subject && strcmp(notice->subject, subject) == 0
		       : !notice->subject;
}

const struct notice *notices_find(
	const struct notices *notices, enum notice_topic topic, const char *subject)
{
	for (size_t i = 0; i < notices->count; i++)
		if (is_about(&notices->item[i], topic, subject))
			return &notices->item[i];
	return NULL;
}

const struct notice *notices_put(
	struct notices *notices, enum notice_topic topic, const char *subject, const char *text)
{
	const struct notice *earlier = notices_find(notices, topic, subject);
	struct notice *notice;

	if (earlier ? strcmp(earlier->text, text) == 0
		    : subject && notices->count >= NOTICES_MAX)
		return NULL;
	notices_remove(notices, topic, subject);
	notices->item = xrealloc(notices->item, (notices->count + 1) * sizeof(*notices->item));
	notice = &notices->item[notices->count++];
	*notice = (struct notice){topic, subject ? xstrdup(subject) : NULL, xstrdup(text)};
	return notice;
}

bool notices_remove(struct notices *notices, enum notice_topic topic, const char *subject)
{
	for (size_t i = 0; i < notices->count; i++) {
		struct notice *notice = &notices->item[i];

		if (!is_about(notice, topic, subject))
			continue;
		free(notice->subject);
		free(notice->text);
		notices->count--;
		memmove(notice, notice + 1, (notices->count - i) * sizeof(*notice));
		return true;
	}
	return false;
}

json_t *notices_record(const struct notices *notices)
{
	json_t *array = json_array();

	for (size_t i = 0; i < notices->count; i++) {
		const struct notice *notice = &notices->item[i];

		if (topic_names[notice->topic])
			json_array_append_new(array,
				json_pack("{s:s, s:o, s:o}", "topic",
					topic_names[notice->topic], "subject",
					json_text(notice->subject), "text",
					json_text(notice->text)));
	}
	return array;
}

/* A topic that this version does not know is another one. */
static enum notice_topic topic_of(const json_t *object)
{
	const char *name = json_get_text(object, "topic", "");

	for (enum notice_topic topic = 0; topic < NOTICE_TOPICS; topic++)
		if (topic_names[topic] && strcmp(topic_names[topic], name) == 0)
			return topic;
	return NOTICE_OTHER;
}

void notices_restore(const json_t *record, struct notices *notices)
{
	const json_t *object;
	size_t i;

	notices_finish(notices);
	json_array_foreach (record, i, object) {
		const char *text = json_get_text(object, "text", NULL);
		enum notice_topic topic = topic_of(object);

		if (text)
			notices_put(notices, topic,
				topic == NOTICE_OTHER ? text
						      : json_get_text(object, "subject", NULL),
				text);
	}
}

void notices_finish(struct notices *notices)
{
	for (size_t i = 0; i < notices->count; i++) {
		free(notices->item[i].subject);
		free(notices->item[i].text);
	}
	free(notices->item);
	*notices = (struct notices){0};
}
