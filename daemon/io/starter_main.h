/* starter_main.h: dracod --starter, the process that starts processes for one dracod, outside its
 * sandbox. systemd executes it for a connection, as its standard input: draco-starter@.service. */
#ifndef DRACO_DAEMON_IO_STARTER_MAIN_H
#define DRACO_DAEMON_IO_STARTER_MAIN_H

/* Serve until dracod closes the connection. Returns an exit status. */
int starter_main(void);

#endif
