/* where.h: which state directory, and so which dracod, a cluster's name means in this
 * environment. */
#ifndef DRACO_CLIENT_WHERE_H
#define DRACO_CLIENT_WHERE_H

struct ctl;
struct err;

/* Find out, for ctl->name: fills ctl->paths and ctl->slurm, anew at each call. 0; -ENOENT without
 * a home; -ENOTUNIQ when it could be several; -EINVAL and others for a name that cannot be.
 * where_forget() frees. */
int where_find(struct ctl *ctl, struct err *err) __attribute__((warn_unused_result));
void where_forget(struct ctl *ctl);

/* After where_find(): 0 when a cluster of that name can be started from here; else -EXDEV, with
 * err, because it is of another Slurm. */
int where_check_start(const struct ctl *ctl, struct err *err)
	__attribute__((warn_unused_result));

#endif
