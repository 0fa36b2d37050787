/* confirm.h: asking a person before work is lost. */
#ifndef DRACO_CLIENT_CONFIRM_H
#define DRACO_CLIENT_CONFIRM_H

#include <jansson.h>
#include <stdbool.h>

/* "2 tasks run and 5 wait; stop anyway?" for what the scheduler has to do (its load in the status); NULL
 * when nothing would be lost. The caller frees. */
char *confirm_question(const json_t *load);

/* Is there a person at a terminal whom one can ask? */
bool confirm_is_possible(void);

/* Ask on standard error; only "y" and "yes" mean yes. */
bool confirm_ask(const char *question);

#endif
