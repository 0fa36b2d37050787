/* memory_use.c: judges how near a process is to being killed by the kernel for memory. Pure. */
#include "daemon/policy/memory_use.h"

#include "common/alloc.h"
#include "common/parse.h"

#define SHORT_PERCENT  10 /* of the limit is left: short ... */
#define ENOUGH_PERCENT 20 /* ... until this much is left */
#define SHORT_PART     4  /* the process could use up what is left by growing by a fourth ... */
#define ENOUGH_PART    2  /* ... or, once it was short, by a half */

bool memory_is_short(const struct memory_use *use, bool was_short)
{
	int64_t percent = was_short ? ENOUGH_PERCENT : SHORT_PERCENT;
	int64_t part = was_short ? ENOUGH_PART : SHORT_PART;

	return use->used > 0 && use->room < use->limit / 100 * percent &&
		use->room < use->used / part;
}

char *memory_room_text(const struct memory_use *use)
{
	char room[FORMAT_MAX], limit[FORMAT_MAX];

	return xasprintf("%s of the %s of %s", format_bytes(use->room, room),
		format_bytes(use->limit, limit), use->of_cgroup ? "its cgroup" : "this host");
}
