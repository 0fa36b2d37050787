/* names.h: dracod's names on the user bus. */
#ifndef DRACO_SYSTEMD_NAMES_H
#define DRACO_SYSTEMD_NAMES_H

#define MANAGER_NAME "org.draco.Manager1" /* also of the interface */
#define MANAGER_PATH "/org/draco/Manager1"

#endif
