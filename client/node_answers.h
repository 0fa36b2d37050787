/* node_answers.h: what the job of dracoctl doctor wrote on its node, and what clocks tell. Pure. */
#ifndef DRACO_CLIENT_NODE_ANSWERS_H
#define DRACO_CLIENT_NODE_ANSWERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "client/doctor.h"

/* The lines "doctor NAME VALUE" of the job's log as an object of strings; others, which
 * prologues may have written, and a last line that is not complete are passed over. */
json_t *node_answers_read(const char *text);

/* The difference of a clock to this host's lies between low and high (seconds; positive: it is
 * ahead). The finding, and the text about it; who is "n1". */
enum finding node_clock_judge(
	const char *who, double low, double high, char *ret_text, size_t size);

#endif
