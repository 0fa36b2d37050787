/* queue.h: <sys/queue.h> with the safe loops that glibc leaves out. */
#ifndef DRACO_COMMON_QUEUE_H
#define DRACO_COMMON_QUEUE_H

#include <sys/queue.h>

#ifndef TAILQ_FOREACH_SAFE
#define TAILQ_FOREACH_SAFE(var, head, field, next)                                     \
	for ((var) = TAILQ_FIRST(head); (var) && ((next) = TAILQ_NEXT(var, field), 1); \
		(var) = (next))
#endif

#endif
