/* journal.h: dracod's log in the systemd journal, with fields (docs/administrators.md). */
#ifndef DRACO_SYSTEMD_JOURNAL_H
#define DRACO_SYSTEMD_JOURNAL_H

/* Where the journal reads standard error, send each line of the log to it with fields. Each has
 * DRACO_CLUSTER=cluster. */
void journal_open(const char *cluster);

#endif
