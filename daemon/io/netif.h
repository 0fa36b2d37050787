/* netif.h: chooses the IPv4 address of this host at which the scheduler listens. The choice is
 * pure. The collectors look at the host; they neither wait nor send anything. */
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
	bool up;     /* switched on, and with a carrier */
	bool fabric; /* of InfiniBand, Omni-Path or Slingshot */
	int speed;   /* Mbit/s; 0: not known */
	bool has_address;
	struct in_addr address, mask;
};

struct netif_list {
	struct netif *item; /* in the kernel's order */
	size_t count;
};

void netif_list_finish(struct netif_list *list);

struct netif_target { /* a node that the scheduler and the workers must reach */
	struct in_addr address;
	struct in_addr source; /* this host's address towards the node; INADDR_ANY: no route */
};

struct netif_wish {
	const char *interface; /* "auto", an interface or a host name; NULL: no fabric */
	struct netif_list list;
	struct netif_target *node; /* one node of each partition to try */
	size_t node_count;
	struct in_addr *host; /* the addresses of interface, read as a host name */
	size_t host_count;
	struct in_addr fallback; /* this host's address towards slurmctld */
};

void netif_wish_finish(struct netif_wish *wish);

struct netif_choice {
	struct in_addr address;
	char name[IF_NAMESIZE]; /* of the interface; "": no interface has the address */
	bool named;		/* wish->interface names that interface */
	struct strv
		passed; /* interfaces of a fabric that are not taken, each with the reason */
};

void netif_choice_finish(struct netif_choice *choice);

/* Choose the address by wish->interface:
 *
 *	auto   the address of the fastest interface of a fabric that is up, has an address and
 *	       reaches all nodes, the first one of several; otherwise as NULL
 *	NULL   the address towards the nodes, otherwise the address towards slurmctld
 *	NAME   the address of the interface NAME, otherwise the address of this host with the host
 *	       name NAME
 *
 * 0, or with err, which lists the interfaces: -ENODEV (no such interface or host), -ENETDOWN,
 * -EADDRNOTAVAIL (no IPv4 address). Pure. netif_choice_finish() frees. */
int netif_choose(const struct netif_wish *wish, struct netif_choice *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Is this an interface of InfiniBand, Omni-Path or Slingshot? Its hardware type (ARPHRD_*) decides,
 * or a name that the kernel, udev or the vendor gives: ib0, ibp65s0, hsn0. Pure. */
bool netif_is_fabric(const char *name, unsigned hardware);

/* The interfaces of this host. 0, or -errno with err. netif_list_finish() frees. */
int netif_collect(struct netif_list *ret, struct err *err) __attribute__((warn_unused_result));

/* This host's address towards another; INADDR_ANY: no route. */
struct in_addr netif_source(struct in_addr address);

#endif
