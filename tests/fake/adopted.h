/* adopted.h: what must hold of a cluster of four workers once the next dracod has adopted it. */
#ifndef DRACO_TESTS_ADOPTED_H
#define DRACO_TESTS_ADOPTED_H

#include <stdbool.h>

/* Is there a record of a cluster? */
bool adopted_has_record(void);

/* The cluster runs with its two jobs, none was submitted twice, and none was ended. Stops it. */
void check_adopted_jobs(void);

#endif
