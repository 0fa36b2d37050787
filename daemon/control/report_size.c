/* report_size.c: the size of the cluster as users and programs see it. */
#include "daemon/control/report_size.h"

#include "common/alloc.h"
#include "common/amount.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/cluster/model.h"
#include "daemon/io/loop.h"
#include "daemon/policy/scaling.h"

static json_t *report_per_job(const struct cluster *cluster)
{
	json_t *object = json_object();

	for (enum amount_unit unit = AMOUNT_WORKERS; unit < AMOUNT_UNIT_COUNT; unit++)
		json_object_set_new(object, amount_name(unit),
			json_integer(amount_per_job(unit, &cluster->request.settings)));
	return object;
}

json_t *report_size(const struct cluster *cluster)
{
	const struct cluster_size *size = &cluster->size;
	struct scaling_state state = size->scaling;
	_cleanup_free_ char *why = NULL, *paused = NULL, *hold = NULL;
	struct scaling_target target;

	if (!cluster_is_up(cluster))
		return json_null();
	/* Decide anew, so that a size that was set a moment ago shows. */
	scaling_decide(&state, &size->limits, &size->demand, loop_now_ms(), &target);
	if (size->paused)
		paused = xasprintf("%s%s", size->paused,
			size->stranded ? "; tasks wait, and no job is left for them" : "");
	why = scaling_explain(&target, &size->limits, &size->demand);
	hold = hold_explain(&size->fleet.hold, cluster->request.settings.idle_hold_ms,
		handover_usual_ms(&size->waits));
	return json_pack("{s:s, s:b, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:I, s:o, s:o}", "mode",
		size->limits.fixed_jobs >= 0 ? "fixed" : "adaptive", "paused",
		size->paused != NULL, "paused_why", json_text(paused), "minimum_jobs",
		(json_int_t)size->limits.minimum_jobs, "maximum_jobs",
		(json_int_t)size->limits.maximum_jobs, "target", (json_int_t)target.jobs,
		"needed", (json_int_t)target.needed, "why", json_text(why), "shortage",
		json_text(cluster->place.shortage), "hold_ms", (json_int_t)size->fleet.hold.ms,
		"hold_why", json_text(hold), "per_job", report_per_job(cluster));
}
