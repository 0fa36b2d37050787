/* notify.h: what dracod tells the systemd that started it (sd_notify(3)); without one, nothing. */
#ifndef DRACO_SYSTEMD_NOTIFY_H
#define DRACO_SYSTEMD_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);

/* One line for systemctl status. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
