/* instances.c: the state directories of a cluster name, one for each Slurm that it is used with. */
#include "common/instances.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/holder.h"
#include "common/json.h"
#include "common/trust.h"
#include "common/visible.h"

#define COUNT_MAX  256
#define NUMBER_MAX 100

static json_t *load(const char *directory, const char *file)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory, file);
	json_t *object = NULL;

	return trust_load(path, &object, NULL) == 0 ? object : NULL;
}

static bool has_jobs_to_end(const char *directory)
{
	_cleanup_json_ json_t *state = load(directory, "state.json");

	return json_array_size(json_object_get(state, "clusters")) > 0;
}

static void read_instance(const char *directory, const char *name, struct instance *ret)
{
	_cleanup_free_ char *own = xasprintf("%s/%s", directory, name);
	_cleanup_free_ char *record = xasprintf("%s/slurm.json", own);
	_cleanup_json_ json_t *daemon = load(own, "daemon.json");
	_cleanup_free_ char *lock = xasprintf("%s/lock", own);
	const char *host = json_get_text(daemon, "host", NULL);
	struct holder holder;

	if (host && !visible_is_clean(host))
		host = NULL;
	holder_look(lock, daemon, &holder);
	*ret = (struct instance){
		.name = xstrdup(name),
		.host = host ? xstrdup(host) : NULL,
		.elsewhere = host && !holder.here &&
			(holder.state == HOLDER_ALIVE || holder.state == HOLDER_UNKNOWN),
		.alive = holder.state == HOLDER_ALIVE,
		.remembers = has_jobs_to_end(own),
	};
	slurm_record_load(record, &ret->record);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct instance *)a)->name, ((const struct instance *)b)->name);
}

void instances_read(const char *directory, const char *name, struct instances *ret)
{
	size_t length = name ? strcspn(name, "@") : 0;
	DIR *stream = opendir(directory);
	const struct dirent *entry;

	*ret = (struct instances){0};
	while (stream && (entry = readdir(stream))) {
		const char *rest =
			strlen(entry->d_name) >= length ? entry->d_name + length : "";

		if (name ? strncmp(entry->d_name, name, length) != 0 || (*rest && *rest != '@')
			 : *entry->d_name == '.' || !visible_is_clean(entry->d_name))
			continue;
		if (ret->count >= COUNT_MAX)
			break;
		ret->items = xrealloc(ret->items, (ret->count + 1) * sizeof(*ret->items));
		read_instance(directory, entry->d_name, &ret->items[ret->count++]);
	}
	if (stream)
		closedir(stream);
	if (ret->count > 1)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_names);
}

void instances_finish(struct instances *instances)
{
	for (size_t i = 0; i < instances->count; i++) {
		free(instances->items[i].name);
		free(instances->items[i].host);
		slurm_record_finish(&instances->items[i].record);
	}
	free(instances->items);
	*instances = (struct instances){0};
}

const struct instance *instances_find(const struct instances *instances, const char *name)
{
	for (size_t i = 0; i < instances->count; i++)
		if (strcmp(instances->items[i].name, name) == 0)
			return &instances->items[i];
	return NULL;
}

const struct instance *instances_seen(const struct instances *instances, const json_t *key)
{
	for (size_t i = 0; i < instances->count; i++)
		if (slurm_record_has_seen(&instances->items[i].record, key))
			return &instances->items[i];
	return NULL;
}

static bool is_bound(const struct instance *instance)
{
	return slurm_site_is_known(&instance->record.site);
}

bool instance_is_free_for(const struct instance *instance, const struct slurm_site *site)
{
	return !is_bound(instance) || slurm_record_fits(&instance->record, site) ||
		(!instance->alive && !instance->remembers && !instance->elsewhere);
}

static int worth(const struct instance *instance)
{
	return instance->alive ? 3 : instance->elsewhere ? 2 : instance->remembers;
}

/* The directory of this Slurm. If only the name of Slurm's cluster is known, several may match: one
 * with a living dracod comes first, then one with jobs to care for, then any. */
static const struct instance *find_same(
	const struct instances *instances, const struct slurm_site *site)
{
	const struct instance *best = NULL;

	for (size_t i = 0; i < instances->count; i++) {
		const struct instance *one = &instances->items[i];

		if (slurm_record_fits(&one->record, site) &&
			(!best || worth(one) > worth(best)))
			best = one;
	}
	return best;
}

/* NAME@CLUSTER, or NAME@CLUSTER.N. Characters that a directory name should not have are replaced.
 * The caller frees. */
static char *qualified(const char *base, const char *cluster, int number)
{
	_cleanup_free_ char *clean = xstrdup(cluster);

	for (char *c = clean; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
			*c = '_';
	return number == 1 ? xasprintf("%s@%s", base, clean)
			   : xasprintf("%s@%s.%d", base, clean, number);
}

static char *choose_by_slurm(
	const struct instances *instances, const char *base, const struct slurm_site *site)
{
	const struct instance *one = find_same(instances, site);

	if (one)
		return xstrdup(one->name);
	one = instances_find(instances, base);
	if (!one || instance_is_free_for(one, site))
		return xstrdup(base);
	for (int number = 1;; number++) {
		char *name = qualified(base, site->cluster, number);

		one = instances_find(instances, name);
		if (!one || instance_is_free_for(one, site) || number == NUMBER_MAX)
			return name;
		free(name);
	}
}

/* "NAME@CLUSTER.1" means NAME itself if another directory is NAME@CLUSTER. */
static const struct instance *find_first(
	const struct instances *instances, const char *base, const char *cluster)
{
	const struct instance *one = instances_find(instances, base);
	_cleanup_free_ char *first =
		one && is_bound(one) ? xasprintf("%s.1", one->record.site.cluster) : NULL;

	return first && strcasecmp(first, cluster) == 0 ? one : NULL;
}

/* Add the name by which the directory can be named in any Slurm. */
static void add_address(
	const struct instances *instances, const struct instance *one, struct strv *names)
{
	_cleanup_free_ char *full = NULL;

	if (is_bound(one) && !strchr(one->name, '@')) {
		full = qualified(one->name, one->record.site.cluster, 1);
		strv_addf(names, "%s%s", full, instances_find(instances, full) ? ".1" : "");
	} else {
		strv_addf(names, "%s", one->name);
	}
}

/* For a program without a Slurm: choose the directory with a living dracod. cluster limits the
 * choice to one Slurm cluster; NULL: all. */
static int choose_alive(const struct instances *instances, const char *base,
	const char *cluster, const struct instance **ret, struct err *err)
{
	struct strv names = STRV_INIT;
	_cleanup_free_ char *list = NULL;
	int r = 0;

	*ret = NULL;
	for (size_t i = 0; i < instances->count; i++) {
		const struct instance *one = &instances->items[i];

		if (!one->alive ||
			(cluster &&
				(!is_bound(one) ||
					strcasecmp(one->record.site.cluster, cluster) != 0)))
			continue;
		add_address(instances, one, &names);
		*ret = one;
	}
	list = strv_join(&names, " or ");
	if (names.count > 1)
		r = err_set(err, -ENOTUNIQ,
			"\"%s\" runs for several Slurm clusters, and nothing here says which is "
			"meant (no slurm.conf): give %s as the name",
			base, list);
	strv_finish(&names);
	return r;
}

/* Choose for a name such as "NAME@CLUSTER". */
static int choose_qualified(const struct instances *instances, const char *name,
	const char *base, const struct slurm_site *site, char **ret, struct err *err)
{
	const char *cluster = strchr(name, '@') + 1;
	const struct instance *one = instances_find(instances, name);
	struct slurm_site wanted = SLURM_SITE_INIT;
	int r;

	if (!one)
		one = find_first(instances, base, cluster);
	slurm_site_set_cluster(&wanted, cluster);
	if (!one && wanted.cluster && site->cluster &&
		strcmp(wanted.cluster, site->cluster) == 0) {
		slurm_site_finish(&wanted);
		*ret = choose_by_slurm(instances, base, site);
		return 0;
	}
	r = one ? 0 : choose_alive(instances, base, cluster, &one, err);
	if (!one)
		one = find_same(instances, &wanted);
	slurm_site_finish(&wanted);
	if (r == 0)
		*ret = xstrdup(one ? one->name : name);
	return r;
}

int instances_choose(const struct instances *instances, const char *name,
	const struct slurm_site *site, char **ret, struct err *err)
{
	_cleanup_free_ char *base = xstrndup(name, strcspn(name, "@"));
	const struct instance *one = NULL;
	int r;

	if (strchr(name, '@'))
		return choose_qualified(instances, name, base, site, ret, err);
	if (slurm_site_is_known(site)) {
		*ret = choose_by_slurm(instances, base, site);
		return 0;
	}
	r = choose_alive(instances, base, NULL, &one, err);
	if (r == 0)
		*ret = xstrdup(one ? one->name : base);
	return r;
}
