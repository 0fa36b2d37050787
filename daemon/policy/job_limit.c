/* job_limit.c: learns the site's limit on a user's jobs. Pure. */
#include "daemon/policy/job_limit.h"

#include "common/number.h"

static void forget(struct job_limit *limit)
{
	limit->refused = limit->pause_ms = 0;
	limit->sure = false;
}

int64_t job_limit_room(struct job_limit *limit, int64_t have, int64_t wanted, int64_t now_ms)
{
	int64_t room;

	if (limit->refused && have >= limit->refused) {
		/* Jobs of a refused array were accepted one by one: the site refuses arrays. */
		limit->singly |= !limit->sure;
		forget(limit);
	}
	if (!limit->refused)
		return wanted;
	if (!limit->sure)
		room = max_of((limit->refused - have) / 2, 1);
	else if (now_ms < limit->again_ms)
		room = limit->refused - 1 - have;
	else
		room = max_of(limit->refused - 1 - have, 1);
	return min_of(room, wanted);
}

bool job_limit_refused(struct job_limit *limit, int64_t have, int64_t asked)
{
	if (asked > 1) {
		limit->refused = have + asked;
		limit->sure = false;
		return true;
	}
	if (!limit->sure)
		forget(limit); /* the next place may take more jobs */
	return false;
}

void job_limit_reached(struct job_limit *limit, int64_t have, bool refused, int64_t now_ms)
{
	limit->pause_ms = refused && limit->sure && limit->pause_ms
		? min_of(2 * limit->pause_ms, JOB_LIMIT_AGAIN_MAX_MS)
		: JOB_LIMIT_AGAIN_MS;
	limit->again_ms = now_ms + limit->pause_ms;
	limit->refused = have + 1;
	limit->sure = true;
}

int64_t job_limit_jobs(const struct job_limit *limit)
{
	return limit->sure ? limit->refused - 1 : -1;
}
