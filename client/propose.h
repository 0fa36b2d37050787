/* propose.h: values of settings that fit a site, by what Slurm tells of its partitions. Pure. */
#ifndef DRACO_CLIENT_PROPOSE_H
#define DRACO_CLIENT_PROPOSE_H

#include <jansson.h>
#include <stddef.h>

#include "common/settings.h"

struct proposal {
	enum setting_id id;
	char *value;  /* in the form of a file */
	char *reason; /* the fact that it rests on */
};

struct proposals {
	struct proposal item[SETTING_COUNT];
	size_t count;
	char *hindrance; /* why no partition can be proposed; NULL: none is missing */
};

/* Propose another value for each setting that does not fit. partitions: of draco-slurm's answer to
 * "inspect", in which each of them was named. Proposes nothing for what Slurm does not tell. Call
 * proposals_finish(). */
void propose(const json_t *partitions, const struct settings *settings, struct proposals *ret);
void proposals_finish(struct proposals *proposals);

/* The proposal for this setting; NULL: none, also without proposals. */
const struct proposal *proposals_find(const struct proposals *proposals, enum setting_id id);

/* [{setting, value, reason}]. The caller owns it. */
json_t *proposals_to_json(const struct proposals *proposals);

#endif
