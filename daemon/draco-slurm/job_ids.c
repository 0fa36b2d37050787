/* job_ids.c: groups job ids for libslurm: all tasks of one array in one string. */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/strv.h"
#include "daemon/draco-slurm/slurm_calls.h"

void job_ids_group(const json_t *ids, struct strv *ret)
{
	size_t open = 0; /* length of "42_[" while the last item is such a group, otherwise 0 */

	for (size_t i = 0; i < json_array_size(ids); i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		const char *task = id ? strchr(id, '_') : NULL;

		if (!id)
			continue;
		if (open && task && open == (size_t)(task - id) + 2 &&
			strncmp(ret->item[ret->count - 1], id, open - 1) == 0) {
			char *last = ret->item[ret->count - 1];

			last[strlen(last) - 1] = '\0';
			ret->item[ret->count - 1] = xasprintf("%s,%s]", last, task + 1);
			free(last);
			continue;
		}
		open = task ? (size_t)(task - id) + 2 : 0;
		if (task)
			strv_addf(ret, "%.*s_[%s]", (int)(task - id), id, task + 1);
		else
			strv_add(ret, id);
	}
}
