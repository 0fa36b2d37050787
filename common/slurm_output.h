/* slurm_output.h: reads what scontrol(1) prints with --oneliner, and "scontrol show config". Pure.
 *
 * The commands run with SLURM_TIME_FORMAT=%s, so that times are seconds since the epoch. The forms
 * are those of Slurm 22.05 to 26.05. */
#ifndef DRACO_COMMON_SLURM_OUTPUT_H
#define DRACO_COMMON_SLURM_OUTPUT_H

#include "common/slurm_facts.h"

struct err;

/* The value of a name in a line of "NAME=VALUE NAME=VALUE ..."; values may contain blanks. NULL:
 * there is no such name, or its value is one of Slurm's words for none. The caller frees. */
char *slurm_output_value(const char *line, const char *name);

/* Each fills *ret, which must be finished in all cases. 0, or -EPROTO with err: the output has
 * another form. */
int slurm_output_conf(const char *text, struct slurm_conf_facts *ret, struct err *err)
	__attribute__((warn_unused_result));
int slurm_output_nodes(const char *text, struct slurm_nodes *ret, struct err *err)
	__attribute__((warn_unused_result));
int slurm_output_partitions(const char *text, const struct slurm_nodes *nodes,
	struct slurm_partitions *ret, struct err *err) __attribute__((warn_unused_result));
int slurm_output_reservations(const char *text, struct slurm_reservations *ret, struct err *err)
	__attribute__((warn_unused_result));

#endif
