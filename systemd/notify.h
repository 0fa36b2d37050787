/* notify.h: notifies the systemd that started dracod (sd_notify(3)). Does nothing without
 * systemd. */
#ifndef DRACO_SYSTEMD_NOTIFY_H
#define DRACO_SYSTEMD_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);

/* Set the line that systemctl status shows. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
