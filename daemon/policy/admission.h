/* admission.h: how much of dracod the strangers at its port get: limits that hold whatever they
 * do. Pure: the clock is an argument, and what work has cost is told.
 *
 * Those who knock (common/knock.h) can read the user's files. Others may be the user's, too, by
 * an older program, but a flood consists of nothing but them: they get a little, and each
 * address of it a part. */
#ifndef DRACO_DAEMON_POLICY_ADMISSION_H
#define DRACO_DAEMON_POLICY_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A stock that fills with time, and is taken from. */
struct budget {
	int64_t level; /* in thousandths; below 0: that was too much */
	int64_t at_ms;
};

#define WORK_US_PER_S	  200000 /* of CPU time, for accepting and looking: a fifth of a core */
#define WORK_US_BURST	  200000
#define WORK_REST_MIN_MS  10
#define KNOCKS_PER_S	  100 /* handshakes with those who knock; ... */
#define KNOCKS_BURST	  400
#define GUESTS_PER_S	  20 /* ... with others; ... */
#define GUESTS_BURST	  40
#define GUESTS_PER_S_EACH 4 /* ... and of them with one address */
#define GUESTS_BURST_EACH 10
#define ADMISSION_ADDRESSES \
	64 /* with a budget; the one that took least lately is forgotten for another */
#define ADMISSION_NONCES 4096
#define ADMISSION_GROUPS 256 /* of addresses, by a hash */

struct admission_address {
	uint32_t address;
	struct budget guests;
};

struct admission {
	struct budget work, knocks, guests;
	struct admission_address each[ADMISSION_ADDRESSES];
	size_t count;			   /* of each */
	uint64_t nonces[ADMISSION_NONCES]; /* the last ones, for a name is good once */
	size_t next_nonce;
	uint16_t silent[ADMISSION_GROUPS]; /* how many have not said anything yet */
};

void admission_init(struct admission *admission, int64_t now_ms);

/* Accepting and looking took so many microseconds of CPU time. */
void admission_worked(struct admission *admission, int64_t now_ms, int64_t us);

/* For how long to leave the port alone; 0: go on. */
int64_t admission_rest_ms(struct admission *admission, int64_t now_ms);

/* May there be a handshake with somebody who has knocked with this nonce? NULL, or why not. */
const char *admission_knock(struct admission *admission, int64_t now_ms, uint64_t nonce);

/* May there be a handshake with somebody of this address who has not? NULL, or why not. */
const char *admission_guest(struct admission *admission, int64_t now_ms, uint32_t address);

/* Somebody of this address has connected and has not said enough; is counted until
 * admission_wait_no_more(). */
void admission_wait(struct admission *admission, uint32_t address);
void admission_wait_no_more(struct admission *admission, uint32_t address);

/* Are there at least as many of this address as of any other? (Of its group, to be exact.) When
 * there are too many in all, those are the ones to part from. */
bool admission_waits_most(struct admission *admission, uint32_t address);

#endif
