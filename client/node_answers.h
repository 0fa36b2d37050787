/* node_answers.h: reads the job log of dracoctl doctor, and judges clocks. Pure. */
#ifndef DRACO_CLIENT_NODE_ANSWERS_H
#define DRACO_CLIENT_NODE_ANSWERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "client/doctor.h"

/* The lines "doctor NAME VALUE" of the log as an object of strings. Other lines, which prologues
 * may write, and an incomplete last line are skipped. */
json_t *node_answers_read(const char *text);

/* Judge a clock whose difference to this host's is between low and high, in seconds; positive: it
 * is ahead. who names the clock: "n1". Returns the finding, and in ret_text a text about it. */
enum finding node_clock_judge(
	const char *who, double low, double high, char *ret_text, size_t size);

#endif
