/* login.h: logind: the end of the host is delayed while there are jobs to give back. */
#ifndef DRACO_SYSTEMD_LOGIN_H
#define DRACO_SYSTEMD_LOGIN_H

#include <stdbool.h>

struct login;
struct loop;

/* fn is called from the loop when the host begins to shut down or to restart. */
struct login *login_create(struct loop *loop, void (*fn)(void *arg), void *arg);
struct login *login_destroy(struct login *login); /* ends the delay */

/* From now on, delay the end of the host, or do not. logind waits for some seconds, by its setting
 * InhibitDelayMaxSec. Without logind nothing is delayed. */
void login_delay(struct login *login, bool delay);

#endif
