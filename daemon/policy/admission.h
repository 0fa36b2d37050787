/* admission.h: limits on the share of dracod that strangers at its port can use. They hold whatever
 * the strangers do. Pure: the clock and the cost of the work are arguments.
 *
 * A peer that knocks (common/knock.h) can read the user's files. A peer that does not, a guest, may
 * be an older program of the user, but a flood consists of guests only. So all guests together get
 * a small share, and each address only a part of it. */
#ifndef DRACO_DAEMON_POLICY_ADMISSION_H
#define DRACO_DAEMON_POLICY_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A store that fills with time and is drawn from. */
struct budget {
	int64_t level; /* in thousandths; below 0: overdrawn */
	int64_t at_ms;
};

/* CPU time for accepting and reading hellos: a fifth of a core. */
#define WORK_US_PER_S	  200000
#define WORK_US_BURST	  200000
#define WORK_REST_MIN_MS  10
#define KNOCKS_PER_S	  100 /* handshakes with peers that knock */
#define KNOCKS_BURST	  400
#define GUESTS_PER_S	  20 /* handshakes with guests */
#define GUESTS_BURST	  40
#define GUESTS_PER_S_EACH 4 /* handshakes with guests of one address */
#define GUESTS_BURST_EACH 10
/* Addresses with a budget; the one that was used least lately makes room for another. */
#define ADMISSION_ADDRESSES 64
#define ADMISSION_NONCES    4096
#define ADMISSION_GROUPS    256 /* groups of addresses, by a hash */

struct admission_address {
	uint32_t address;
	struct budget guests;
};

struct admission {
	struct budget work, knocks, guests;
	struct admission_address each[ADMISSION_ADDRESSES];
	size_t count;			   /* entries of each */
	uint64_t nonces[ADMISSION_NONCES]; /* the last ones: a nonce is good once */
	size_t next_nonce;
	uint16_t silent[ADMISSION_GROUPS]; /* connected peers that have not said enough yet */
};

void admission_init(struct admission *admission, int64_t now_ms);

/* Accepting and reading hellos has cost this much CPU time, in microseconds. */
void admission_worked(struct admission *admission, int64_t now_ms, int64_t us);

/* How long, in ms, to accept nothing at the port; 0: go on. */
int64_t admission_rest_ms(struct admission *admission, int64_t now_ms);

/* May there be a handshake with a peer that has knocked with this nonce? Returns NULL, or why
 * not. */
const char *admission_knock(struct admission *admission, int64_t now_ms, uint64_t nonce);

/* May there be a handshake with a guest of this address? Returns NULL, or why not. */
const char *admission_guest(struct admission *admission, int64_t now_ms, uint32_t address);

/* A peer of this address has connected and has not said enough yet. It counts until
 * admission_wait_no_more(). */
void admission_wait(struct admission *admission, uint32_t address);
void admission_wait_no_more(struct admission *admission, uint32_t address);

/* Does no other group of addresses have more waiting peers than the group of this one? If there are
 * too many peers in all, disconnect from those. */
bool admission_waits_most(struct admission *admission, uint32_t address);

#endif
