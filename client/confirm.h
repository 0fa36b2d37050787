/* confirm.h: asking a person before work is lost. */
#ifndef DRACO_CLIENT_CONFIRM_H
#define DRACO_CLIENT_CONFIRM_H

#include <jansson.h>
#include <stdbool.h>

/* "2 tasks run and 5 wait, 1 Client() is connected; stop anyway?" for a status: what would be
 * lost, and who uses the cluster. NULL: nothing and nobody. The caller frees. */
char *confirm_question(const json_t *status);

/* Is there a person at a terminal whom one can ask? */
bool confirm_is_possible(void);

/* Ask on standard error; only "y" and "yes" mean yes. */
bool confirm_ask(const char *question);

#endif
