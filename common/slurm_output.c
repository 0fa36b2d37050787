/* slurm_output.c: reads what scontrol(1) prints. Pure. */
#include "common/slurm_output.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/hostlist.h"
#include "common/json.h"
#include "common/parse.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define NODES_MAX     1000000

/* Does " NAME=" begin at the blank? */
static bool is_next_name(const char *blank)
{
	const char *at = blank;

	while (*at == ' ')
		at++;
	if (!isalpha((unsigned char)*at))
		return false;
	while (isalnum((unsigned char)*at) || *at == '_' || *at == ':')
		at++;
	return *at == '=';
}

static char *take_value(const char *value)
{
	static const char *const none[] = {"", "(null)", "N/A", "n/a", "None", "Unknown"};
	_cleanup_free_ char *text = NULL;
	const char *end = value;

	while (*end && *end != '\n' && !(*end == ' ' && is_next_name(end)))
		end++;
	while (end > value && end[-1] == ' ')
		end--;
	text = xstrndup(value, (size_t)(end - value));
	for (size_t i = 0; i < LENGTH(none); i++)
		if (strcmp(text, none[i]) == 0)
			return NULL;
	return TAKE_PTR(text);
}

char *slurm_output_value(const char *line, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = line; (at = strstr(at, name)); at += length)
		if ((at == line || at[-1] == ' ' || at[-1] == '\n') && at[length] == '=')
			return take_value(at + length + 1);
	return NULL;
}

static int64_t number_of(const char *text, int64_t fallback)
{
	int64_t number;

	return text && parse_integer(text, 0, JSON_TIME_MAX, &number, NULL) == 0 ? number
										 : fallback;
}

static int64_t take_number(const char *line, const char *name, int64_t fallback)
{
	_cleanup_free_ char *text = slurm_output_value(line, name);

	return number_of(text, fallback);
}

static bool is_yes(const char *line, const char *name)
{
	_cleanup_free_ char *text = slurm_output_value(line, name);

	return text && strcmp(text, "YES") == 0;
}

/* Read "NAME = VALUE" of "scontrol show config". */
static void read_setting(const char *line, struct slurm_conf_facts *ret)
{
	static const char is[] = " = ";
	const char *value = strstr(line, is);
	size_t length = strcspn(line, " =");

	if (!value)
		return;
	value += strlen(is);
	if (strcmp(value, "(null)") == 0)
		return;
#define NAMED(name) (length == strlen(name) && strncmp(line, name, length) == 0)
	if (NAMED("ClusterName")) {
		xreplace(&ret->cluster, value);
	} else if (NAMED("SLURM_VERSION")) {
		xreplace(&ret->version, value);
	} else if (NAMED("SchedulerParameters")) {
		xreplace(&ret->scheduler_parameters, value);
	} else if (NAMED("SlurmctldPort")) { /* it may be a range, "6817-6820" */
		ret->port = atoi(value);
	} else if (NAMED("MaxArraySize")) {
		ret->array_max = (int)number_of(value, 1);
	} else if (strncmp(line, "SlurmctldHost[", strlen("SlurmctldHost[")) == 0) {
		size_t host = strcspn(value, "("); /* "HOST(ADDRESS)" or "HOST" */
		const char *address = value[host] ? value + host + 1 : value;

		strv_addf(&ret->hosts, "%.*s", (int)host, value);
		strv_addf(&ret->addresses, "%.*s", (int)strcspn(address, ")"), address);
	}
#undef NAMED
}

/* Read "Slurmctld(primary) at HOST is UP", which ends the configuration. */
static void read_ping(const char *line, struct slurm_conf_facts *ret)
{
	static const char at[] = " at ", up[] = " is UP";
	const char *host = strstr(line, at), *end = strstr(line, up);

	if (strncmp(line, "Slurmctld(", strlen("Slurmctld(")) == 0 && host && end > host)
		strv_addf(&ret->up, "%.*s", (int)(end - host - (int)strlen(at)),
			host + strlen(at));
}

int slurm_output_conf(const char *text, struct slurm_conf_facts *ret, struct err *err)
{
	struct strv lines = STRV_INIT;

	*ret = (struct slurm_conf_facts){.array_max = 1};
	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++) {
		read_setting(lines.item[i], ret);
		read_ping(lines.item[i], ret);
	}
	strv_finish(&lines);
	if (!ret->cluster || !ret->version)
		return err_set(err, -EPROTO,
			"scontrol show config prints no ClusterName or no SLURM_VERSION");
	return 0;
}

/* Is a node with these words, such as "IDLE+CLOUD+POWERED_DOWN" or "DOWN*+DRAIN", usable? */
static bool is_usable(const char *state)
{
	static const char *const bad[] = {
		"DOWN", "ERROR", "FUTURE", "DRAIN", "DRAINED", "DRAINING", "FAIL", "FAILING"};
	struct strv words = STRV_INIT;
	bool usable = true;

	strv_split(&words, state ? state : "", '+');
	for (size_t i = 0; i < words.count; i++) {
		words.item[i][strcspn(words.item[i], "*~#!%$@^-")] = '\0';
		for (size_t b = 0; b < LENGTH(bad); b++)
			usable &= strcmp(words.item[i], bad[b]) != 0;
	}
	strv_finish(&words);
	return usable;
}

/* Split into the lines that begin with name; fail if there are others. */
static int split_records(const char *text, const char *name, struct strv *ret, struct err *err)
{
	struct strv lines = STRV_INIT;
	int r = 0;

	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count && r == 0; i++) {
		if (strncmp(lines.item[i], name, strlen(name)) == 0)
			strv_add(ret, lines.item[i]);
		else if (strncmp(lines.item[i], "No ", 3) != 0) /* "No reservations in ..." */
			r = err_set(err, -EPROTO,
				"scontrol prints a line that does not begin with %s: %.200s",
				name, lines.item[i]);
	}
	strv_finish(&lines);
	return r;
}

int slurm_output_nodes(const char *text, struct slurm_nodes *ret, struct err *err)
{
	struct strv lines = STRV_INIT;
	int r = split_records(text, "NodeName=", &lines, err);

	*ret = (struct slurm_nodes){0};
	for (size_t i = 0; i < lines.count && r == 0; i++) {
		const char *line = lines.item[i];
		_cleanup_free_ char *state = slurm_output_value(line, "State");
		struct slurm_node *node = slurm_nodes_add(ret);

		*node = (struct slurm_node){
			.name = slurm_output_value(line, "NodeName"),
			.address = slurm_output_value(line, "NodeAddr"),
			.cpus = take_number(line, "CPUTot", 0),
			.memory_mib = take_number(line, "RealMemory", 0) -
				take_number(line, "MemSpecLimit", 0),
			.usable = is_usable(state),
		};
	}
	strv_finish(&lines);
	return r;
}

/* A time limit: "1-00:00:00", "01:00:00", "UNLIMITED". */
static int64_t take_limit(const char *line, const char *name)
{
	_cleanup_free_ char *text = slurm_output_value(line, name);
	int64_t seconds;

	return text && parse_walltime(text, &seconds, NULL) == 0 ? seconds : SLURM_UNLIMITED;
}

static enum slurm_partition_state take_partition_state(const char *line)
{
	static const char *const words[] = {
		[SLURM_PARTITION_UP] = "UP",
		[SLURM_PARTITION_DOWN] = "DOWN",
		[SLURM_PARTITION_DRAIN] = "DRAIN",
	};
	_cleanup_free_ char *state = slurm_output_value(line, "State");

	for (size_t i = 0; i < LENGTH(words); i++)
		if (state && strcmp(state, words[i]) == 0)
			return (enum slurm_partition_state)i;
	return SLURM_PARTITION_INACTIVE;
}

static int find_nodes(
	const struct slurm_nodes *nodes, struct slurm_partition *partition, struct err *err)
{
	struct strv names = STRV_INIT;
	size_t near = 0;

	if (partition->node_list && strcmp(partition->node_list, "ALL") == 0) {
		for (size_t i = 0; i < nodes->count; i++)
			slurm_partition_add_node(partition, i);
		return 0;
	}
	if (partition->node_list &&
		hostlist_expand(partition->node_list, NODES_MAX, &names) < 0) {
		strv_finish(&names);
		return err_set(err, -EPROTO,
			"scontrol prints nodes of partition %s in an unknown form: %.200s",
			partition->name, partition->node_list);
	}
	for (size_t i = 0; i < names.count; i++) {
		size_t at = slurm_nodes_find(nodes, names.item[i], near);

		slurm_partition_add_node(partition, at);
		near = at == SLURM_HIDDEN ? near : at + 1;
	}
	strv_finish(&names);
	return 0;
}

int slurm_output_partitions(const char *text, const struct slurm_nodes *nodes,
	struct slurm_partitions *ret, struct err *err)
{
	struct strv lines = STRV_INIT;
	int r = split_records(text, "PartitionName=", &lines, err);

	*ret = (struct slurm_partitions){0};
	for (size_t i = 0; i < lines.count && r == 0; i++) {
		const char *line = lines.item[i];
		struct slurm_partition *partition = slurm_partitions_add(ret);

		*partition = (struct slurm_partition){
			.name = slurm_output_value(line, "PartitionName"),
			.state = take_partition_state(line),
			.is_default = is_yes(line, "Default"),
			.root_only = is_yes(line, "RootOnly"),
			.no_root = is_yes(line, "DisableRootJobs"),
			.allow_groups = slurm_output_value(line, "AllowGroups"),
			.max_time_s = take_limit(line, "MaxTime"),
			.max_cpus = take_number(line, "MaxCPUsPerNode", SLURM_UNLIMITED),
			.total_nodes = take_number(line, "TotalNodes", 0),
			.node_list = slurm_output_value(line, "Nodes"),
		};
		if (nodes)
			r = find_nodes(nodes, partition, err);
	}
	strv_finish(&lines);
	return r;
}

int slurm_output_reservations(const char *text, struct slurm_reservations *ret, struct err *err)
{
	struct strv lines = STRV_INIT;
	int r = split_records(text, "ReservationName=", &lines, err);

	*ret = (struct slurm_reservations){0};
	for (size_t i = 0; i < lines.count && r == 0; i++) {
		const char *line = lines.item[i];
		_cleanup_free_ char *flags_text = slurm_output_value(line, "Flags");
		struct slurm_reservation *one = slurm_reservations_add(ret);
		struct strv flags = STRV_INIT;

		strv_split(&flags, flags_text ? flags_text : "", ',');
		*one = (struct slurm_reservation){
			.name = slurm_output_value(line, "ReservationName"),
			.start = (time_t)take_number(line, "StartTime", 0),
			.end = (time_t)take_number(line, "EndTime", 0),
			.users = slurm_output_value(line, "Users"),
			.groups = slurm_output_value(line, "Groups"),
			.accounts = slurm_output_value(line, "Accounts"),
			.partition = slurm_output_value(line, "PartitionName"),
			.nodes = slurm_output_value(line, "Nodes"),
			.flexible = strv_has(&flags, "FLEX"),
		};
		strv_finish(&flags);
	}
	strv_finish(&lines);
	return r;
}
