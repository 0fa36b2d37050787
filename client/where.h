/* where.h: finds the state directory, and so the dracod, that a cluster's name means in this
 * environment. */
#ifndef DRACO_CLIENT_WHERE_H
#define DRACO_CLIENT_WHERE_H

struct ctl;
struct err;
struct instances;

/* Find the directory for ctl->name, and set ctl->paths and ctl->slurm again. 0, or -errno with err.
 * -ENOENT: there is no home. -ENOTUNIQ: several are possible. -EINVAL and others: the name is
 * invalid. where_forget() frees. */
int where_find(struct ctl *ctl, struct err *err) __attribute__((warn_unused_result));
void where_forget(struct ctl *ctl);

/* instances_read(), with a word to the user when the file system does not answer. */
void where_read(
	const struct ctl *ctl, const char *directory, const char *name, struct instances *ret);

/* After where_find(): can a cluster of that name be started from here? 0, or -EXDEV with err: the
 * directory belongs to another Slurm. */
int where_check_start(const struct ctl *ctl, struct err *err)
	__attribute__((warn_unused_result));

#endif
