/* parse.h: strict reading and writing of numbers, durations, sizes and walltimes.
 *
 * The whole text must match: "10x" is no number. Functions return 0; -EINVAL: the text has another
 * form; -ERANGE: the value is out of bounds. err->text then names the text and what would be right,
 * and ret is unchanged. */
#ifndef DRACO_COMMON_PARSE_H
#define DRACO_COMMON_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define PARSE_CHECKED __attribute__((warn_unused_result))

/* A decimal number from minimum to maximum. */
PARSE_CHECKED int parse_integer(
	const char *text, int64_t minimum, int64_t maximum, int64_t *ret, struct err *err);

/* true, yes, on, 1, or false, no, off, 0, in upper or lower case. */
PARSE_CHECKED int parse_boolean(const char *text, bool *ret, struct err *err);

/* A time span in milliseconds, rounded up: "300" and "300 s" (seconds), "5 min", "1h 30m", "250
 * ms", "14 days". At most ten years. */
PARSE_CHECKED int parse_duration(const char *text, int64_t *ret_ms, struct err *err);

/* An amount of memory in MiB, rounded up: "80 GiB", "80G" (binary, as in Slurm), "80 GB"
 * (decimal, as in Dask), "1.5 TiB", "500000000 B". A unit is required, because Slurm and Dask
 * differ in what a bare number means. At most 1 EiB. */
PARSE_CHECKED int parse_size(const char *text, int64_t *ret_mib, struct err *err);

/* A walltime in seconds, in each form of sbatch(1) --time: minutes, minutes:seconds,
 * hours:minutes:seconds, days-hours, days-hours:minutes, days-hours:minutes:seconds.
 * Zero and unlimited are refused. At most ten years. */
PARSE_CHECKED int parse_walltime(const char *text, int64_t *ret_seconds, struct err *err);

/* These write into buffer (FORMAT_MAX bytes are enough) and return it. */
#define FORMAT_MAX 48
char *format_duration(int64_t ms, char buffer[FORMAT_MAX]);	 /* "4 min 10 s" */
char *format_size(int64_t mib, char buffer[FORMAT_MAX]);	 /* "80 GiB" */
char *format_bytes(int64_t bytes, char buffer[FORMAT_MAX]);	 /* "2.3 GiB", "900 KiB" */
char *format_walltime(int64_t seconds, char buffer[FORMAT_MAX]); /* "1-00:00:00", "01:30:00" */

#endif
