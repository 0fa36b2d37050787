/* former.c: the dracod of this name that ended without cleaning up. */
#include "daemon/io/former.h"

#include "common/cleanup.h"
#include "common/holder.h"
#include "common/host.h"
#include "common/json.h"
#include "daemon/io/history.h"

const char *former_socket(const json_t *former)
{
	struct host here;

	host_get(&here);
	return former && holder_is_here(former, &here) ? json_get_text(former, "socket", NULL)
						       : NULL;
}

void former_note(const json_t *former, const char *why)
{
	_cleanup_free_ char *text = former ? holder_ended_text(former) : NULL;

	if (former && holder_is_taken_over(former))
		history_note(EVENT_NOTE, "dracod", NULL,
			"host %s declared the dracod on host %s (process %d) gone: what is "
			"left of its cluster is ended",
			json_get_text(former, "taken_over_by", "?"),
			json_get_text(former, "host", "?"),
			(int)json_get_integer(former, "pid", 0));
	else if (former)
		history_note(EVENT_NOTE, "dracod", NULL,
			"%s%s%s; what is left of its cluster is ended", text,
			why ? ", and " : "", why ? why : "");
}
