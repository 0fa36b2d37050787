/* pauses.c: the pauses in the user's work, and the file that remembers them. Part of the
 * cluster. */
#include "daemon/cluster/pauses.h"

#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "daemon/cluster/model.h"
#include "daemon/io/statefile.h"
#include "daemon/io/statequeue.h"
#include "daemon/policy/hold.h"

#define STATE_VERSION 1

static void on_saved(void *arg, const struct err *err)
{
	(void)arg;
	if (err)
		log_error("%s: another dracod would not know the pauses", err->text);
}

void cluster_pauses_save(const struct cluster *cluster)
{
	const struct hold_state *hold = &cluster->size.fleet.hold;
	json_t *array = json_array();

	for (int64_t i = max_of(hold->pauses - HOLD_PAUSES, 0); i < hold->pauses; i++)
		json_array_append_new(array,
			json_pack("{s:I, s:I}", "jobs",
				(json_int_t)hold->pause[i % HOLD_PAUSES].jobs, "ms",
				(json_int_t)hold->pause[i % HOLD_PAUSES].ms));
	if (!cluster->pauses_file || json_array_size(array) == 0)
		json_decref(array);
	else
		statequeue_write(cluster->pauses_file,
			json_pack("{s:i, s:o}", "version", STATE_VERSION, "pauses", array),
			true, on_saved, NULL);
}

void cluster_pauses_load(struct cluster *cluster)
{
	_cleanup_json_ json_t *state = statefile_read(cluster->pauses_file);
	const json_t *item;
	size_t i;

	json_array_foreach (json_object_get(state, "pauses"), i, item)
		hold_remember(&cluster->size.fleet.hold, json_get_integer(item, "jobs", 0),
			json_get_integer(item, "ms", 0));
}
