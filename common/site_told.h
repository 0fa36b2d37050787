/* site_told.h: tells a user once of the mistakes in the site's file. */
#ifndef DRACO_COMMON_SITE_TOLD_H
#define DRACO_COMMON_SITE_TOLD_H

struct paths;
struct problems;

/* Remove the warnings of what is left out of the site's file, if an earlier start of this cluster
 * has told the user all of them; otherwise note that the user is told now. */
void site_told_once(const struct paths *paths, struct problems *problems);

#endif
