/* check_netif.c: tests of daemon/io/netif.c: which interface is chosen, and what is said where
 * none is. */
#include "unit.h"

#include <arpa/inet.h>

#include "common/alloc.h"
#include "daemon/io/netif.h"

#define HARDWARE_ETHERNET   1
#define HARDWARE_INFINIBAND 32

static struct in_addr ip(const char *text)
{
	struct in_addr address;

	ck_assert_int_eq(inet_pton(AF_INET, text, &address), 1);
	return address;
}

/* "lo 127.0.0.1/8", "ib0 down", "ib0 down 10.2.0.1/16", "ib0", "hsn0@200 10.3.0.1/16" (speed) */
static struct netif interface(const char *text)
{
	struct netif netif = {.up = true};
	char word[3][32] = {"", "", ""};
	int words = sscanf(text, "%31s %31s %31s", word[0], word[1], word[2]);
	const char *address = word[1];
	int bits;

	ck_assert_int_ge(words, 1);
	snprintf(netif.name, sizeof(netif.name), "%s", word[0]);
	if (strchr(netif.name, '@')) {
		netif.speed = atoi(strchr(netif.name, '@') + 1);
		*strchr(netif.name, '@') = '\0';
	}
	netif.fabric = netif_is_fabric(netif.name, HARDWARE_ETHERNET);
	if (strcmp(word[1], "down") == 0) {
		netif.up = false;
		address = word[2];
	}
	if (*address) {
		bits = atoi(strchr(address, '/') + 1);
		*strchr(UNCONST(address), '/') = '\0';
		netif.has_address = true;
		netif.address = ip(address);
		netif.mask.s_addr = htonl(~(uint32_t)0 << (32 - bits));
	}
	return netif;
}

#define MANY 6

struct row {
	const char *wanted;	      /* NULL: none */
	const char *interfaces[MANY]; /* as interface() reads them */
	const char *nodes[MANY];      /* "ADDRESS", or "ADDRESS from SOURCE" */
	const char *hosts[MANY];      /* what the name wanted stands for */
	int code;		      /* 0, or the error */
	const char *name;	      /* the interface, or in the error's text */
	const char *address;	      /* or also in the error's text */
	const char *passed;	      /* in the reason for which InfiniBand is not taken */
};

#define LO  "lo 127.0.0.1/8"
#define ETH "eth0 10.1.0.1/16"
#define IB  "ib0 10.2.0.1/16"

/* slurmctld is reached from 10.1.0.1 in all of them. */
static const struct row rows[] = {
	/* auto: no InfiniBand */
	{"auto", {LO, ETH}, {"10.1.0.7"}, {0}, 0, "eth0", "10.1.0.1", NULL},
	{"auto", {LO, ETH}, {"127.0.0.1 from 127.0.0.1"}, {0}, 0, "lo", "127.0.0.1", NULL},
	{"auto", {LO, ETH}, {0}, {0}, 0, "eth0", "10.1.0.1", NULL},
	{"AUTO", {LO, ETH}, {0}, {0}, 0, "eth0", "10.1.0.1", NULL},
	/* auto: the nodes' addresses are those of InfiniBand */
	{"auto", {LO, ETH, IB}, {"10.2.0.7"}, {0}, 0, "ib0", "10.2.0.1", NULL},
	{"auto", {LO, IB, ETH}, {"10.2.0.7", "10.2.9.9"}, {0}, 0, "ib0", "10.2.0.1", NULL},
	{"auto", {LO, "ibp65s0 10.2.0.1/16"}, {"10.2.0.7"}, {0}, 0, "ibp65s0", "10.2.0.1",
		NULL},
	/* ... or are reached through it by a router */
	{"auto", {LO, ETH, IB}, {"10.77.0.7 from 10.2.0.1"}, {0}, 0, "ib0", "10.2.0.1", NULL},
	/* auto: InfiniBand that leads elsewhere, or to some of the nodes only */
	{"auto", {LO, ETH, IB}, {"10.1.0.7 from 10.1.0.1"}, {0}, 0, "eth0", "10.1.0.1",
		"ib0 does not lead to"},
	{"auto", {LO, ETH, IB}, {"10.1.0.7 from 10.1.0.1", "10.2.0.7"}, {0}, 0, "eth0",
		"10.1.0.1", "ib0 does not lead to"},
	{"auto", {LO, ETH, IB}, {0}, {0}, 0, "eth0", "10.1.0.1", "ib0 does not lead to"},
	/* auto: InfiniBand that is down, or has no address */
	{"auto", {LO, ETH, "ib0"}, {"10.1.0.7 from 10.1.0.1"}, {0}, 0, "eth0", "10.1.0.1",
		"ib0 has no IPv4 address"},
	{"auto", {LO, ETH, "ib0 down"}, {"10.1.0.7 from 10.1.0.1"}, {0}, 0, "eth0", "10.1.0.1",
		"ib0 is down"},
	{"auto", {LO, ETH, "ib0 down 10.2.0.1/16"}, {"10.2.0.7 from 10.1.0.1"}, {0}, 0, "eth0",
		"10.1.0.1", "ib0 is down"},
	/* auto: the first that will do */
	{"auto", {LO, ETH, "ib0 down", "ib1 10.3.0.1/16", IB, "ib2 10.2.0.2/16"}, {"10.2.0.7"},
		{0}, 0, "ib0", "10.2.0.1", "ib0 is down"},
	/* auto: Slingshot, and the fastest of several */
	{"auto", {LO, ETH, "hsn0 10.3.0.1/16"}, {"10.3.0.7"}, {0}, 0, "hsn0", "10.3.0.1", NULL},
	{"auto", {LO, "hsn0@100 10.3.0.1/16", "hsn1@200 10.3.0.2/16"}, {"10.3.0.7"}, {0}, 0,
		"hsn1", "10.3.0.2", "hsn0 is slower than hsn1"},
	{"auto", {LO, "hsn0@200 10.3.0.1/16", "hsn1@200 10.3.0.2/16"}, {"10.3.0.7"}, {0}, 0,
		"hsn0", "10.3.0.1", "hsn1 is no faster than hsn0"},
	{"auto", {LO, "ib0@100 10.3.0.1/16", "hsn1@200 10.4.0.2/16"}, {"10.3.0.7"}, {0}, 0,
		"ib0", "10.3.0.1", "hsn1 does not lead to"},
	/* auto: a name that only looks like it */
	{"auto", {LO, ETH, "ibridge0 10.2.0.1/16"}, {"10.2.0.7 from 10.1.0.1"}, {0}, 0, "eth0",
		"10.1.0.1", NULL},
	/* none: never InfiniBand by itself */
	{NULL, {LO, ETH, IB}, {"10.1.0.7 from 10.1.0.1"}, {0}, 0, "eth0", "10.1.0.1", NULL},
	{NULL, {LO, ETH, IB}, {"10.9.9.9", "10.1.0.7 from 10.1.0.1"}, {0}, 0, "eth0",
		"10.1.0.1", NULL},
	{NULL, {LO, ETH, IB}, {0}, {0}, 0, "eth0", "10.1.0.1", NULL},
	{NULL, {LO}, {0}, {0}, 0, "", "10.1.0.1", NULL},
	/* an interface by name, whether or not it leads to the nodes */
	{"ib0", {LO, ETH, IB}, {"10.1.0.7 from 10.1.0.1"}, {0}, 0, "ib0", "10.2.0.1", NULL},
	{"eth0", {LO, ETH, IB}, {"10.2.0.7"}, {0}, 0, "eth0", "10.1.0.1", NULL},
	{"ib0", {LO, "ib0 10.4.0.1/16", IB}, {0}, {0}, 0, "ib0", "10.4.0.1", NULL},
	/* ... that cannot be used */
	{"ib0", {LO, ETH, "ib0"}, {0}, {0}, -EADDRNOTAVAIL, "ib0 has no IPv4 address",
		"lo (127.0.0.1), eth0 (10.1.0.1), ib0 (no IPv4 address)", NULL},
	{"ib0", {LO, ETH, "ib0 down"}, {0}, {0}, -ENETDOWN, "ib0 is down",
		"ib0 (no IPv4 address, down)", NULL},
	{"ib0", {LO, "ib0 down 10.2.0.1/16"}, {0}, {0}, -ENETDOWN, "ib0 is down",
		"ib0 (10.2.0.1, down)", NULL},
	{"ib7", {LO, ETH, IB}, {0}, {0}, -ENODEV, "\"ib7\" is neither an interface nor a name",
		"lo (127.0.0.1), eth0 (10.1.0.1), ib0 (10.2.0.1)", NULL},
	/* a name of this host */
	{"login1-ib", {LO, ETH, IB}, {0}, {"10.2.0.1"}, 0, "ib0", "10.2.0.1", NULL},
	{"login1", {LO, ETH, IB}, {0}, {"10.9.9.9", "10.1.0.1"}, 0, "eth0", "10.1.0.1", NULL},
	{"debian", {LO, ETH}, {0}, {"127.0.1.1"}, 0, "lo", "127.0.1.1", NULL},
	/* ... that is another one's, or on an interface that is down */
	{"login2", {LO, ETH, IB}, {0}, {"10.1.0.2"}, -EADDRNOTAVAIL, "login2 has the address",
		"10.1.0.2", NULL},
	{"login1-ib", {LO, ETH, "ib0 down 10.2.0.1/16"}, {0}, {"10.2.0.1"}, -EADDRNOTAVAIL,
		"login1-ib has the address", "ib0 (10.2.0.1, down)", NULL},
};

static void make_wish(const struct row *row, struct netif_wish *wish)
{
	*wish = (struct netif_wish){.interface = row->wanted, .fallback = ip("10.1.0.1")};
	wish->list.item = xcalloc(MANY, sizeof(*wish->list.item));
	wish->node = xcalloc(MANY, sizeof(*wish->node));
	wish->host = xcalloc(MANY, sizeof(*wish->host));
	for (int i = 0; i < MANY && row->interfaces[i]; i++)
		wish->list.item[wish->list.count++] = interface(row->interfaces[i]);
	for (int i = 0; i < MANY && row->nodes[i]; i++) {
		char address[32], source[32] = "0.0.0.0";

		sscanf(row->nodes[i], "%31s from %31s", address, source);
		wish->node[wish->node_count++] = (struct netif_target){ip(address), ip(source)};
	}
	for (int i = 0; i < MANY && row->hosts[i]; i++)
		wish->host[wish->host_count++] = ip(row->hosts[i]);
}

START_TEST(choose)
{
	const struct row *row = &rows[_i];
	struct netif_choice choice;
	struct netif_wish wish;
	struct err err = ERR_INIT;
	char address[INET_ADDRSTRLEN];
	int r;

	make_wish(row, &wish);
	r = netif_choose(&wish, &choice, &err);
	ck_assert_msg(
		r == row->code, "row %d: %d instead of %d (%s)", _i, r, row->code, err.text);
	if (r == 0) {
		inet_ntop(AF_INET, &choice.address, address, sizeof(address));
		ck_assert_str_eq(choice.name, row->name);
		ck_assert_str_eq(address, row->address);
		ck_assert_int_eq(choice.named, row->wanted && !strcmp(row->wanted, row->name));
	} else {
		ck_assert_int_eq(err.code, r);
		ck_assert_msg(strstr(err.text, row->name) && strstr(err.text, row->address),
			"row %d: %s", _i, err.text);
		ck_assert_int_eq(netif_choose(&wish, &choice, NULL), r);
	}
	if (row->passed) {
		ck_assert_uint_ge(choice.passed.count, 1);
		ck_assert_ptr_nonnull(strstr(choice.passed.item[0], row->passed));
	} else {
		ck_assert_uint_eq(choice.passed.count, 0);
	}
	netif_choice_finish(&choice);
	netif_wish_finish(&wish);
}
END_TEST

static const struct {
	const char *name;
	unsigned hardware;
	bool fabric;
} names[] = {
	{"ib0", HARDWARE_ETHERNET, true},
	{"ib12", HARDWARE_ETHERNET, true},
	{"ib0.8001", HARDWARE_ETHERNET, true},
	{"ibp65s0", HARDWARE_ETHERNET, true},
	{"ibp1s0f1", HARDWARE_ETHERNET, true},
	{"ibs2", HARDWARE_ETHERNET, true},
	{"ibo1", HARDWARE_ETHERNET, true},
	{"ibx0002c9", HARDWARE_ETHERNET, true},
	{"hsn0", HARDWARE_ETHERNET, true},
	{"hsn12", HARDWARE_ETHERNET, true},
	{"hsn", HARDWARE_ETHERNET, false},
	{"hsname0", HARDWARE_ETHERNET, false},
	{"fabric0", HARDWARE_INFINIBAND, true},
	{"ib", HARDWARE_INFINIBAND, true},
	{"ib", HARDWARE_ETHERNET, false},
	{"ibp", HARDWARE_ETHERNET, false},
	{"ibridge0", HARDWARE_ETHERNET, false},
	{"ibpipe", HARDWARE_ETHERNET, false},
	{"eth0", HARDWARE_ETHERNET, false},
	{"lib0", HARDWARE_ETHERNET, false},
	{"", HARDWARE_ETHERNET, false},
};

START_TEST(name)
{
	ck_assert_msg(netif_is_fabric(names[_i].name, names[_i].hardware) == names[_i].fabric,
		"%s, %u", names[_i].name, names[_i].hardware);
}
END_TEST

START_TEST(this_host)
{
	struct netif_list list;
	bool found = false;

	ck_assert_int_eq(netif_collect(&list, NULL), 0);
	for (size_t i = 0; i < list.count; i++)
		if (list.item[i].has_address &&
			list.item[i].address.s_addr == htonl(INADDR_LOOPBACK)) {
			found = true;
			ck_assert_str_eq(list.item[i].name, "lo");
			ck_assert(list.item[i].up && !list.item[i].fabric);
			ck_assert_uint_eq(list.item[i].mask.s_addr, htonl(0xff000000u));
		}
	ck_assert(found);
	netif_list_finish(&list);
	ck_assert_uint_eq(netif_source(ip("127.9.9.9")).s_addr, htonl(INADDR_LOOPBACK));
	ck_assert_uint_eq(netif_source(ip("255.255.255.255")).s_addr, INADDR_ANY);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("netif");
	TCase *choice = tcase_create("choice"), *host = tcase_create("host");

	tcase_add_loop_test(choice, choose, 0, LENGTH(rows));
	tcase_add_loop_test(choice, name, 0, LENGTH(names));
	tcase_add_test(host, this_host);
	suite_add_tcase(suite, choice);
	suite_add_tcase(suite, host);
	return suite;
}
