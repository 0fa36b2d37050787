/* former.h: the dracod of this name that ended without cleaning up. */
#ifndef DRACO_DAEMON_IO_FORMER_H
#define DRACO_DAEMON_IO_FORMER_H

#include <jansson.h>

/* former: its daemon.json, from instance_former(); NULL: there was none. */

/* Its socket, if it crashed on this host; NULL: none. Borrowed. */
const char *former_socket(const json_t *former);

/* Tell the user that it crashed, and why its cluster cannot go on (NULL: it had none). */
void former_note(const json_t *former, const char *why);

#endif
