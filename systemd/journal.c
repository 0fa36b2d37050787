/* journal.c: dracod's log in the systemd journal, with fields. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "systemd/journal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#include "common/alloc.h"
#include "common/log.h"

#define OWN_FIELDS 4 /* MESSAGE, PRIORITY, DRACO_CLUSTER, MESSAGE_ID */

/* The kinds of events that systemd/draco.catalog explains. */
static const struct {
	const char *kind, *subject, *id; /* subject NULL: any */
} messages[] = {
	{"phase", "job", "721b108b920b4620b43d1615a1d76896"},
	{"phase", "cluster", "8e1a83796e9a4f12b8c32bbf1db405f8"},
	{"phase", "scheduler", "d0ab4d4b461c42ee8c51f6d722ed6997"},
	{"decision", NULL, "828421f8f3c34c959e0c6fd4d168a20e"},
	{"failure", NULL, "f7f2f0ec1d904af9bc37df628656ecb5"},
	{"note", NULL, "6d1f3bdca1b64dbba71dfc8a20f9e23f"},
};

static char *cluster;

static const char *value_of(const struct log_field *fields, const char *name)
{
	for (; fields && fields->name; fields++)
		if (fields->value && strcmp(fields->name, name) == 0)
			return fields->value;
	return "";
}

/* NULL: the line is no event. */
static const char *message_id(const struct log_field *fields)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		if (strcmp(messages[i].kind, value_of(fields, LOG_FIELD_KIND)) == 0 &&
			(!messages[i].subject ||
				strcmp(messages[i].subject,
					value_of(fields, LOG_FIELD_SUBJECT)) == 0))
			return messages[i].id;
	return NULL;
}

static void add(struct iovec *list, int *count, const char *name, const char *value)
{
	char *text = xasprintf("%s=%s", name, value);

	list[(*count)++] = (struct iovec){text, strlen(text)};
}

static bool send_line(enum log_level level, const char *text, const struct log_field *fields)
{
	struct iovec list[OWN_FIELDS + LOG_FIELDS_MAX];
	char priority[] = {(char)('0' + (int)level), '\0'};
	const char *id = message_id(fields);
	int count = 0, r;

	add(list, &count, "MESSAGE", text);
	add(list, &count, "PRIORITY", priority);
	add(list, &count, "DRACO_CLUSTER", cluster);
	if (id)
		add(list, &count, "MESSAGE_ID", id);
	for (; fields && fields->name && count < OWN_FIELDS + LOG_FIELDS_MAX; fields++)
		if (fields->value)
			add(list, &count, fields->name, fields->value);
	r = sd_journal_sendv(list, count);
	for (int i = 0; i < count; i++)
		free(list[i].iov_base);
	return r >= 0;
}

void journal_open(const char *name)
{
	xreplace(&cluster, name);
	log_set_journal(send_line);
}
