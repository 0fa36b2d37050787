/* confirm.h: asks the user before work is lost, or others lose the cluster. */
#ifndef DRACO_CLIENT_CONFIRM_H
#define DRACO_CLIENT_CONFIRM_H

#include <jansson.h>
#include <stdbool.h>

/* The question for a status, which lists the tasks and the users of the cluster: "2 tasks run and 5
 * wait, 1 Client() is connected; stop anyway?" NULL: there are none. The caller frees. */
char *confirm_question(const json_t *status);

/* Can a user at a terminal be asked? */
bool confirm_is_possible(void);

/* Ask on standard error. Returns true only for "y" and "yes". */
bool confirm_ask(const char *question);

#endif
