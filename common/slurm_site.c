/* slurm_site.c: the identity of a Slurm: its cluster name and its controllers. Pure. */
#include "common/slurm_site.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"

#define CONTROLLER_MAX 300 /* characters */

void slurm_site_finish(struct slurm_site *site)
{
	free(site->cluster);
	strv_finish(&site->controllers);
	*site = (struct slurm_site)SLURM_SITE_INIT;
}

void slurm_site_copy(struct slurm_site *site, const struct slurm_site *from)
{
	xreplace(&site->cluster, from->cluster);
	strv_copy(&site->controllers, &from->controllers);
}

/* Texts become part of messages and of file names. */
static bool is_sound(const char *text, size_t max)
{
	size_t length = strlen(text);

	for (const char *c = text; *c; c++)
		if (!isgraph((unsigned char)*c))
			return false;
	return length > 0 && length <= max;
}

void slurm_site_set_cluster(struct slurm_site *site, const char *cluster)
{
	if (!cluster || !is_sound(cluster, SLURM_SITE_CLUSTER_MAX))
		return;
	xreplace(&site->cluster, cluster);
	for (char *c = site->cluster; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

static bool is_loopback(const char *host)
{
	return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static void add(struct slurm_site *site, char *controller)
{
	if (strv_has(&site->controllers, controller) ||
		site->controllers.count >= SLURM_SITE_CONTROLLERS_MAX ||
		!is_sound(controller, CONTROLLER_MAX))
		free(controller);
	else
		strv_take(&site->controllers, controller);
}

void slurm_site_add(struct slurm_site *site, const char *host, int port)
{
	if (host && *host && !is_loopback(host))
		add(site, xasprintf("%s:%d", host, port));
}

/* Are these the same host, such as "head:6817" and "head.cluster.example.org:6817"? */
static bool same_controller(const char *a, const char *b)
{
	const char *port_a = strrchr(a, ':'), *port_b = strrchr(b, ':');
	size_t length_a, length_b, shorter;

	if (!port_a || !port_b || strcmp(port_a, port_b) != 0)
		return false;
	length_a = (size_t)(port_a - a);
	length_b = (size_t)(port_b - b);
	shorter = length_a < length_b ? length_a : length_b;
	if (shorter == 0 || strncasecmp(a, b, shorter) != 0)
		return false;
	if (length_a == length_b)
		return true;
	/* The rest must be a domain: 10.0.0 plus ".1" is no host with its domain. */
	return !isdigit((unsigned char)*a) && (length_a > length_b ? a : b)[shorter] == '.';
}

static bool have_common(const struct strv *a, const struct strv *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (same_controller(a->item[i], b->item[j]))
				return true;
	return false;
}

bool slurm_site_same(const struct slurm_site *a, const struct slurm_site *b)
{
	if (!a->cluster || !b->cluster || strcmp(a->cluster, b->cluster) != 0)
		return false;
	return a->controllers.count == 0 || b->controllers.count == 0 ||
		have_common(&a->controllers, &b->controllers);
}

char *slurm_site_text(const struct slurm_site *site)
{
	if (!site->cluster)
		return xstrdup("an unknown Slurm");
	if (site->controllers.count == 0)
		return xasprintf("\"%s\"", site->cluster);
	return xasprintf("\"%s\" (slurmctld at %s)", site->cluster, site->controllers.item[0]);
}

json_t *slurm_site_encode(const struct slurm_site *site)
{
	json_t *controllers;

	if (!site->cluster)
		return json_null();
	controllers = json_array();
	for (size_t i = 0; i < site->controllers.count; i++)
		json_array_append_new(controllers, json_text(site->controllers.item[i]));
	return json_pack(
		"{s:o, s:o}", "cluster", json_text(site->cluster), "controllers", controllers);
}

void slurm_site_decode(const json_t *object, struct slurm_site *ret)
{
	const json_t *item;
	size_t i;

	*ret = (struct slurm_site)SLURM_SITE_INIT;
	slurm_site_set_cluster(ret, json_get_text(object, "cluster", NULL));
	json_array_foreach (json_object_get(object, "controllers"), i, item)
		if (ret->cluster && json_is_string(item))
			add(ret, xstrdup(json_string_value(item)));
}
