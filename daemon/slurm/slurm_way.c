/* slurm_way.c: the way in which draco-slurm talks to Slurm. */
#include "daemon/slurm/slurm_way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/log.h"
#include "daemon/io/history.h"

void slurm_way_finish(struct slurm_way *way)
{
	free(way->why);
	*way = (struct slurm_way){0};
}

static const char *words_for(const char *interface)
{
	return strcmp(interface, "commands") == 0 ? "Slurm's commands" : "libslurm";
}

void slurm_way_told(struct slurm_way *way, const json_t *description, int pid)
{
	const char *interface = json_get_text(description, "interface", "?");
	const char *version = json_get_text(description, "version", "?");
	const char *why = json_get_text(description, "why", "?");

	if (*way->interface && strcmp(way->interface, interface) != 0)
		history_note(EVENT_NOTE, "slurm", NULL,
			"from now on by %s of %s, not by %s: %s", words_for(interface), version,
			words_for(way->interface), why);
	else if (json_is_true(json_object_get(description, "broken")) &&
		(!way->why || strcmp(way->why, why) != 0))
		history_note(EVENT_NOTE, "slurm", NULL, "asked by %s of %s: %s",
			words_for(interface), version, why);
	else
		log_info("slurm: draco-slurm runs (pid %d), by %s of %s: %s", pid,
			words_for(interface), version, why);
	snprintf(way->interface, sizeof(way->interface), "%s", interface);
	snprintf(way->version, sizeof(way->version), "%s", version);
	xreplace(&way->why, why);
}
