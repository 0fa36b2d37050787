/* bad_nodes.c: counts the failures of jobs on nodes, and excludes bad nodes for a while. Pure. */
#include "daemon/policy/bad_nodes.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/strv.h"

#define LAST (BAD_NODE_FAILURES - 1)

void bad_nodes_clear(struct bad_nodes *nodes)
{
	for (size_t i = 0; i < nodes->count; i++)
		free(nodes->node[i].name);
	*nodes = (struct bad_nodes){0};
}

/* Only a name that is safe in --exclude: another text would make Slurm refuse every job. */
static bool is_name(const char *name)
{
	return *name && *name != '-' &&
		!name[strspn(name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789._-")];
}

static struct bad_node *oldest(struct bad_nodes *nodes)
{
	struct bad_node *found = &nodes->node[0];

	for (size_t i = 1; i < nodes->count; i++)
		if (nodes->node[i].failed_ms[LAST] < found->failed_ms[LAST])
			found = &nodes->node[i];
	return found;
}

static struct bad_node *get(struct bad_nodes *nodes, const char *name)
{
	struct bad_node *node;

	for (size_t i = 0; i < nodes->count; i++)
		if (strcmp(nodes->node[i].name, name) == 0)
			return &nodes->node[i];
	if (nodes->count < BAD_NODES_MAX) {
		node = &nodes->node[nodes->count++];
	} else {
		node = oldest(nodes);
		free(node->name);
	}
	*node = (struct bad_node){.name = xstrdup(name)};
	return node;
}

bool bad_nodes_blame(
	struct bad_nodes *nodes, const char *name, int64_t since_ms, int64_t now_ms)
{
	struct bad_node *node = is_name(name) ? get(nodes, name) : NULL;
	int64_t *times = node ? node->failed_ms : NULL;

	if (!node)
		return false;
	if (now_ms < node->excluded_until_ms || (times[LAST] && times[LAST] >= since_ms))
		return false;
	memmove(&times[0], &times[1], LAST * sizeof(times[0]));
	times[LAST] = now_ms;
	if (!times[0] || now_ms - times[0] >= BAD_NODE_WITHIN_MS)
		return false;
	node->excluded_until_ms = now_ms + BAD_NODE_FOR_MS;
	return true;
}

void bad_nodes_exclude_until(struct bad_nodes *nodes, const char *name, int64_t until_ms)
{
	if (is_name(name))
		get(nodes, name)->excluded_until_ms = until_ms;
}

int64_t bad_nodes_excluded_until_ms(
	const struct bad_nodes *nodes, const char *name, int64_t now_ms)
{
	for (size_t i = 0; name && i < nodes->count; i++)
		if (strcmp(nodes->node[i].name, name) == 0 &&
			now_ms < nodes->node[i].excluded_until_ms)
			return nodes->node[i].excluded_until_ms;
	return 0;
}

void bad_nodes_list(const struct bad_nodes *nodes, int64_t now_ms, struct strv *names)
{
	for (size_t i = 0; i < nodes->count; i++)
		if (now_ms < nodes->node[i].excluded_until_ms)
			strv_add(names, nodes->node[i].name);
}

bool bad_nodes_may_choose(const struct strv *directives)
{
	return !directives_find(directives, "nodelist");
}

void bad_nodes_exclude(const struct bad_nodes *nodes, int64_t now_ms, struct strv *directives)
{
	struct strv names = STRV_INIT;
	_cleanup_free_ char *list = NULL;
	char **given, *both;

	bad_nodes_list(nodes, now_ms, &names);
	list = strv_join(&names, ",");
	strv_finish(&names);
	if (!*list || !bad_nodes_may_choose(directives))
		return;
	given = directives_find(directives, "exclude");
	if (!given) {
		strv_addf(directives, "exclude=%s", list);
		return;
	}
	both = xasprintf("%s,%s", *given, list);
	free(*given);
	*given = both;
}

char *bad_nodes_given(const struct strv *directives)
{
	const char *given = directives_value(directives, "exclude");

	return given ? xstrdup(given) : NULL;
}
