/* place.h: places where jobs may run, as settings name them. Pure.
 *
 * A place is the name of a partition, which options of sbatch may follow that jobs have there
 * alone: "short qos=debug account=a". Words are separated and quoted as in common/argv.h. In JSON
 * and YAML a place with options is a mapping, {partition: short, qos: debug, account: a}. */
#ifndef DRACO_COMMON_PLACE_H
#define DRACO_COMMON_PLACE_H

#include <jansson.h>

struct err;
struct strv;

/* Check a place, and bring it into its one form in *ret, which the caller frees. -EINVAL with err:
 * it names no partition, or has a word that is no option. -EPERM: draco sets this option itself. */
int place_read(const char *text, char **ret, struct err *err)
	__attribute__((warn_unused_result));

/* The same, from JSON. partition: the name, if it is not in value; or NULL. */
int place_read_json(const json_t *value, const char *partition, char **ret, struct err *err)
	__attribute__((warn_unused_result));

/* place_read() for all items of a list, which is unchanged after an error. */
int places_read(struct strv *places, struct err *err) __attribute__((warn_unused_result));

/* The first place with this partition; NULL: none. */
char **places_find(const struct strv *places, const char *partition);

/* Put the places of more into places, each instead of the one with the same partition. */
void places_merge(struct strv *places, const struct strv *more);

/* Split a place that place_read() has written into the name of the partition, which the caller
 * frees, and its options, as directives (common/directives.h). Either may be NULL. */
void place_split(const char *place, char **ret_partition, struct strv *ret_options);

/* The name of its partition. The caller frees. */
char *place_partition(const char *place);

#endif
