/* when.h: points in time as sbatch(1) --begin and --deadline have them. Pure.
 *
 *	now, now+90 (seconds), now+2hours, now+3days, now+1week
 *	16:00, 4pm, 16:00:30, midnight, noon, fika, teatime		the next time it is so late
 *	2030-12-24, 2030-12-24T18:00, today, tomorrow, tomorrow 08:00	a day without a time: 00:00
 */
#ifndef DRACO_COMMON_WHEN_H
#define DRACO_COMMON_WHEN_H

#include <time.h>

struct err;

/* The time that text means in the local time zone when it is now. -EINVAL or -ERANGE with err
 * naming the text and the forms; ret is untouched then. */
int parse_when(const char *text, time_t now, time_t *ret, struct err *err)
	__attribute__((warn_unused_result));

#endif
