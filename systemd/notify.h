/* notify.h: notifies the systemd that started dracod (sd_notify(3)). Does nothing without
 * systemd. */
#ifndef DRACO_SYSTEMD_NOTIFY_H
#define DRACO_SYSTEMD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

void notify_ready(void);
void notify_stopping(void);

/* dracod is well. Without this the service manager ends and restarts it, see below. */
void notify_alive(void);

/* How often the service manager waits for notify_alive() at most, in ms; 0: it does not. */
int64_t notify_watchdog_ms(void);

/* Has the service manager opened listening sockets for this process? */
bool notify_has_socket(void);

/* The first of the listening sockets that the service manager has opened, non-blocking; -1: none.
 * A second call returns the next one. */
int notify_take_socket(void);

/* Set the line that systemctl status shows. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
