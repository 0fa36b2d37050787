/* netif.c: chooses the IPv4 address of this host at which the scheduler listens. */
#include "daemon/io/netif.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"

#define ANY_PORT 9 /* discard; no packet is sent */

void netif_list_finish(struct netif_list *list)
{
	free(list->item);
	*list = (struct netif_list){0};
}

void netif_wish_finish(struct netif_wish *wish)
{
	netif_list_finish(&wish->list);
	free(wish->node);
	free(wish->host);
	*wish = (struct netif_wish){0};
}

void netif_choice_finish(struct netif_choice *choice)
{
	strv_finish(&choice->passed);
}

bool netif_is_fabric(const char *name, unsigned hardware)
{
	if (hardware == ARPHRD_INFINIBAND)
		return true;
	if (strncmp(name, "hsn", 3) == 0)
		return isdigit((unsigned char)name[3]);
	if (strncmp(name, "ib", 2) != 0)
		return false;
	/* These are ib0; names by slot: ibp65s0, ibs1, ibo1; names by address: ibx0011... */
	return isdigit((unsigned char)name[2]) ||
		(name[2] && strchr("psox", name[2]) && isxdigit((unsigned char)name[3]));
}

static bool same(struct in_addr a, struct in_addr b)
{
	return a.s_addr == b.s_addr;
}

static bool in_network(const struct netif *netif, struct in_addr address)
{
	return netif->has_address && netif->mask.s_addr != 0 &&
		((netif->address.s_addr ^ address.s_addr) & netif->mask.s_addr) == 0;
}

static bool is_loopback(struct in_addr address)
{
	return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* The interface with this address; NULL: none. All of 127.0.0.0/8 belongs to the loopback
 * interface. */
static const struct netif *owner_of(const struct netif_list *list, struct in_addr address)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct netif *netif = &list->item[i];

		if (netif->has_address &&
			(same(netif->address, address) ||
				(is_loopback(address) && in_network(netif, address))))
			return netif;
	}
	return NULL;
}

static bool reaches_the_nodes(const struct netif_wish *wish, const struct netif *netif)
{
	for (size_t i = 0; i < wish->node_count; i++)
		if (!in_network(netif, wish->node[i].address) &&
			!same(netif->address, wish->node[i].source))
			return false;
	return wish->node_count > 0;
}

/* The interfaces for a person: "lo (127.0.0.1), ib0 (no IPv4 address), ib1 (down)". The caller
 * frees. */
static char *describe(const struct netif_list *list)
{
	struct strv parts = STRV_INIT;
	char address[INET_ADDRSTRLEN];
	char *text;

	for (size_t i = 0; i < list->count; i++) {
		const struct netif *netif = &list->item[i];

		if (netif->has_address)
			inet_ntop(AF_INET, &netif->address, address, sizeof(address));
		strv_addf(&parts, "%s (%s%s)", netif->name,
			netif->has_address ? address : "no IPv4 address",
			netif->up ? "" : ", down");
	}
	text = strv_join(&parts, ", ");
	strv_finish(&parts);
	return text;
}

static void take(const struct netif_list *list, struct in_addr address,
	const struct netif *netif, struct netif_choice *ret)
{
	if (!netif)
		netif = owner_of(list, address);
	ret->address = address;
	snprintf(ret->name, sizeof(ret->name), "%s", netif ? netif->name : "");
}

static void choose_towards_nodes(const struct netif_wish *wish, struct netif_choice *ret)
{
	for (size_t i = 0; i < wish->node_count; i++)
		if (wish->node[i].source.s_addr != INADDR_ANY) {
			take(&wish->list, wish->node[i].source, NULL, ret);
			return;
		}
	take(&wish->list, wish->fallback, NULL, ret);
}

/* Why the interface of a fabric cannot be used; NULL: it can. */
static const char *hindrance(const struct netif_wish *wish, const struct netif *netif)
{
	if (!netif->up)
		return "is down";
	if (!netif->has_address)
		return "has no IPv4 address";
	if (!reaches_the_nodes(wish, netif))
		return "does not lead to the nodes' addresses in Slurm";
	return NULL;
}

static void choose_auto(const struct netif_wish *wish, struct netif_choice *ret)
{
	const struct netif *best = NULL;

	for (size_t i = 0; i < wish->list.count; i++) {
		const struct netif *netif = &wish->list.item[i], *slower = netif;
		const char *why = netif->fabric ? hindrance(wish, netif) : NULL;

		if (why)
			strv_addf(&ret->passed, "%s %s", netif->name, why);
		if (why || !netif->fabric)
			continue;
		if (!best || netif->speed > best->speed) {
			slower = best;
			best = netif;
		}
		if (slower && strcmp(slower->name, best->name) != 0)
			strv_addf(&ret->passed, "%s is %s than %s", slower->name,
				slower->speed < best->speed ? "slower" : "no faster",
				best->name);
	}
	if (best)
		take(&wish->list, best->address, best, ret);
	else
		choose_towards_nodes(wish, ret);
}

static int choose_interface(
	const struct netif_wish *wish, struct netif_choice *ret, struct err *err)
{
	_cleanup_free_ char *known = describe(&wish->list);
	const struct netif *found = NULL;

	for (size_t i = 0; i < wish->list.count; i++) {
		const struct netif *netif = &wish->list.item[i];

		if (strcmp(netif->name, wish->interface) != 0)
			continue;
		found = netif;
		if (!netif->up || !netif->has_address)
			continue;
		take(&wish->list, netif->address, netif, ret);
		ret->named = true;
		return 0;
	}
	if (!found)
		return -ENODEV;
	if (!found->up)
		return err_set(err, -ENETDOWN,
			"interface: %s is down on this host; the interfaces here are %s",
			found->name, known);
	return err_set(err, -EADDRNOTAVAIL,
		"interface: %s has no IPv4 address on this host; the interfaces here are %s",
		found->name, known);
}

static int choose_host(const struct netif_wish *wish, struct netif_choice *ret, struct err *err)
{
	_cleanup_free_ char *known = describe(&wish->list);
	char address[INET_ADDRSTRLEN];

	if (wish->host_count == 0)
		return err_set(err, -ENODEV,
			"interface: \"%s\" is neither an interface nor a name of this host; the "
			"interfaces here are %s",
			wish->interface, known);
	for (size_t i = 0; i < wish->host_count; i++) {
		const struct netif *netif = owner_of(&wish->list, wish->host[i]);

		if (!netif || !netif->up)
			continue;
		take(&wish->list, wish->host[i], netif, ret);
		return 0;
	}
	inet_ntop(AF_INET, &wish->host[0], address, sizeof(address));
	return err_set(err, -EADDRNOTAVAIL,
		"interface: the host %s has the address %s, and no interface of this host that "
		"is up has it; the interfaces here are %s",
		wish->interface, address, known);
}

int netif_choose(const struct netif_wish *wish, struct netif_choice *ret, struct err *err)
{
	int r;

	*ret = (struct netif_choice){0};
	if (!wish->interface) {
		choose_towards_nodes(wish, ret);
		return 0;
	}
	if (strcasecmp(wish->interface, "auto") == 0) {
		choose_auto(wish, ret);
		return 0;
	}
	r = choose_interface(wish, ret, err);
	return r == -ENODEV ? choose_host(wish, ret, err) : r;
}

static struct netif *add(struct netif_list *list, const struct netif *netif)
{
	list->item = xrealloc(list->item, (list->count + 1) * sizeof(*list->item));
	list->item[list->count] = *netif;
	return &list->item[list->count++];
}

/* The hardware type of an interface. getifaddrs(3) does not tell it for an interface without a
 * hardware address. */
static unsigned hardware_of(const char *name)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return ARPHRD_VOID;
	return request.ifr_hwaddr.sa_family;
}

/* In Mbit/s; 0: not known. */
static int speed_of(const char *name)
{
	_cleanup_free_ char *path = xasprintf("/sys/class/net/%s/speed", name);
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	int speed;

	return file && fscanf(file, "%d", &speed) == 1 && speed > 0 ? speed : 0;
}

/* The interface of an entry. getifaddrs(3) has one entry for the link and one for each address. */
static struct netif *find_or_add(struct netif_list *list, const struct ifaddrs *entry)
{
	struct netif netif = {
		.up = (entry->ifa_flags & IFF_UP) && (entry->ifa_flags & IFF_RUNNING)};

	snprintf(netif.name, sizeof(netif.name), "%s", entry->ifa_name);
	/* The address of an alias in the old style ("eth0:1") belongs to its interface. */
	netif.name[strcspn(netif.name, ":")] = '\0';
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i].name, netif.name) == 0)
			return &list->item[i];
	netif.fabric = netif_is_fabric(netif.name, hardware_of(netif.name));
	netif.speed = netif.fabric ? speed_of(netif.name) : 0;
	return add(list, &netif);
}

static void add_address(struct netif_list *list, const struct ifaddrs *entry)
{
	const struct sockaddr_in *address = (const void *)entry->ifa_addr;
	const struct sockaddr_in *mask = (const void *)entry->ifa_netmask;
	struct netif *netif = find_or_add(list, entry);
	struct netif first = *netif;

	if (first.has_address)
		netif = add(list, &first);
	netif->has_address = true;
	netif->address = address->sin_addr;
	netif->mask.s_addr = mask ? mask->sin_addr.s_addr : INADDR_NONE;
}

int netif_collect(struct netif_list *ret, struct err *err)
{
	struct ifaddrs *all;

	*ret = (struct netif_list){0};
	if (getifaddrs(&all) < 0)
		return err_set(
			err, -errno, "cannot list the network interfaces: %s", strerror(errno));
	for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next)
		if (!entry->ifa_addr || entry->ifa_addr->sa_family == AF_PACKET)
			find_or_add(ret, entry);
	for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next)
		if (entry->ifa_addr && entry->ifa_addr->sa_family == AF_INET)
			add_address(ret, entry);
	freeifaddrs(all);
	return 0;
}

struct in_addr netif_source(struct in_addr address)
{
	struct sockaddr_in there = {
		.sin_family = AF_INET, .sin_addr = address, .sin_port = htons(ANY_PORT)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in here = {0};
	socklen_t length = sizeof(here);

	if (fd < 0 || connect(fd, (struct sockaddr *)&there, sizeof(there)) < 0 ||
		getsockname(fd, (struct sockaddr *)&here, &length) < 0)
		here.sin_addr.s_addr = INADDR_ANY;
	return here.sin_addr;
}
