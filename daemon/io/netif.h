/* netif.h: which of this host's IPv4 addresses the scheduler listens at. Choosing is pure; the
 * collectors look at the host and neither wait nor send anything. */
#ifndef DRACO_DAEMON_IO_NETIF_H
#define DRACO_DAEMON_IO_NETIF_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/strv.h"

struct err;

struct netif { /* an address of an interface, or an interface without any */
	char name[IF_NAMESIZE];
	bool up; /* switched on, and with a carrier */
	bool infiniband;
	bool has_address;
	struct in_addr address, mask;
};

struct netif_list {
	struct netif *item; /* in the kernel's order */
	size_t count;
};

void netif_list_finish(struct netif_list *list);

struct netif_target { /* what scheduler and workers must reach each other through: a node */
	struct in_addr address;
	struct in_addr source; /* this host's address towards it; INADDR_ANY: no route */
};

struct netif_wish {
	const char
		*interface; /* "auto", an interface, a name of this host; NULL: no InfiniBand */
	struct netif_list list;
	struct netif_target *node; /* one of each partition to try */
	size_t node_count;
	struct in_addr *host; /* the addresses of interface as a host name */
	size_t host_count;
	struct in_addr fallback; /* this host's address towards slurmctld */
};

void netif_wish_finish(struct netif_wish *wish);

struct netif_choice {
	struct in_addr address;
	char name[IF_NAMESIZE]; /* of the interface; "" when the address is on none */
	bool named;		/* wish->interface is that interface's name */
	struct strv passed;	/* InfiniBand interfaces that were not taken, each with why */
};

void netif_choice_finish(struct netif_choice *choice);

/* Choose:
 *
 *	auto   the first InfiniBand interface that is up, has an address, and through which all of
 *	       these nodes are reached; else as none
 *	none   the address towards the nodes, else the one towards slurmctld
 *	NAME   the address of that interface, else the one of this host's addresses that the name
 *	       stands for
 *
 * 0, or -ENODEV (no such interface or host), -ENETDOWN, -EADDRNOTAVAIL (no IPv4 address) with err
 * listing what there is. Pure. netif_choice_finish() frees. */
int netif_choose(const struct netif_wish *wish, struct netif_choice *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Whether an interface is one of InfiniBand (or Omni-Path), by its hardware type (ARPHRD_*) or by
 * the names that the kernel and udev give: ib0, ibp65s0. Pure. */
bool netif_is_infiniband(const char *name, unsigned hardware);

/* The interfaces of this host. netif_list_finish() frees. */
int netif_collect(struct netif_list *ret, struct err *err) __attribute__((warn_unused_result));

/* This host's address towards another; INADDR_ANY without a route. */
struct in_addr netif_source(struct in_addr address);

#endif
