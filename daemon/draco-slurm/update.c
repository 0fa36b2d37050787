/* update.c: draco-slurm's request "update": changes the partitions and the reservation, or the
 * excluded nodes, of pending jobs. The jobs keep their ids and their age. */
#include <errno.h>

#include "common/err.h"
#include "common/json.h"
#include "common/strv.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

enum slurm_outcome call_update(const json_t *params, json_t **ret_result, struct err *err)
{
	const char *partition = json_get_text(params, "partition", NULL);
	const char *reservation = json_get_text(params, "reservation", NULL);
	const char *exclude = json_get_text(params, "exclude", NULL);
	enum slurm_outcome outcome = OUTCOME_DONE;
	struct strv groups = STRV_INIT;

	if (!partition && !exclude) {
		err_set(err, -EPROTO, "update: no member \"partition\" or \"exclude\"");
		return OUTCOME_REFUSED;
	}
	job_ids_group(json_object_get(params, "jobs"), &groups);
	for (size_t i = 0; i < groups.count && outcome == OUTCOME_DONE; i++)
		outcome = way()->update(groups.item[i], partition, reservation, exclude, err);
	strv_finish(&groups);
	if (outcome == OUTCOME_DONE)
		*ret_result = json_object();
	return outcome;
}
