/* binding.c: ties this dracod to one Slurm, which slurm.json records. */
#include "daemon/slurm/binding.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/instances.h"
#include "common/json.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/slurm_find.h"
#include "common/slurm_record.h"
#include "common/slurm_variables.h"
#include "daemon/io/instance.h"
#include "daemon/io/statefile.h"
#include "daemon/io/statequeue.h"

#define TRIES 5

struct binding {
	char *path;
	struct slurm_record record;
	bool by_file;	  /* a slurm.conf identified the Slurm; otherwise only slurmctld can */
	bool own_by_file; /* the same, for this program's own environment */
	json_t *key;	  /* of the last start's environment; NULL: it has none */
};

static void on_saved(void *arg, const struct err *err)
{
	(void)arg;
	if (err)
		log_error(
			"%s: programs that use another Slurm may take this directory for theirs",
			err->text);
}

static void save(const struct binding *binding)
{
	statequeue_write(
		binding->path, slurm_record_encode(&binding->record), true, on_saved, NULL);
}

static void learn(struct binding *binding, const struct slurm_site *site,
	const struct slurm_site *told, const json_t *key)
{
	if (slurm_record_add(&binding->record, site, told, key))
		save(binding);
}

static void replace_key(struct binding *binding, const json_t *key)
{
	json_decref(binding->key);
	binding->key = json_is_array(key) ? json_incref(UNCONST(key)) : NULL;
}

const char *binding_cluster(const struct binding *binding)
{
	return binding->record.site.cluster;
}

/* Called with the lock held. Does the directory belong to this Slurm? If it belongs to another one
 * but lists no clusters, this Slurm takes it. */
static bool claim(struct binding *binding, const struct paths *paths,
	const struct slurm_site *site, const json_t *key)
{
	_cleanup_json_ json_t *state = NULL;

	slurm_record_finish(&binding->record);
	slurm_record_load(binding->path, &binding->record);
	binding->by_file = binding->own_by_file = slurm_site_is_known(site);
	replace_key(binding, key);
	if (!binding->by_file)
		return true;
	if (slurm_site_is_known(&binding->record.site) &&
		!slurm_record_fits(&binding->record, site)) {
		state = statefile_read(paths->state_file);
		if (json_array_size(json_object_get(state, "clusters")) > 0)
			return false;
		slurm_record_finish(&binding->record);
		unlink(paths->nodes_file); /* its nodes are of the other Slurm */
	}
	learn(binding, site, NULL, key);
	return true;
}

static int choose(const char *name, const struct slurm_site *site, char **ret, struct err *err)
{
	_cleanup_free_ char *root = paths_state_root();
	struct instances instances;
	int r;

	if (!root) { /* paths_init() reports this error */
		*ret = xstrdup(name);
		return 0;
	}
	instances_read(root, name, &instances);
	r = instances_choose(&instances, name, site, ret, err);
	instances_finish(&instances);
	return r;
}

/* Identify the Slurm by the argument slurm, or by slurm_find() if that is NULL. */
static int find_site(
	const json_t *slurm, struct slurm_site *ret, json_t **ret_key, struct err *err)
{
	struct slurm_found found;
	int r = slurm_find(NULL, NULL, slurm_find_places, &found, err);

	if (r == 0 && !slurm)
		r = slurm_found_check_start(&found, err);
	if (r == 0 && json_is_object(slurm))
		slurm_site_decode(slurm, ret);
	else if (r == 0)
		slurm_found_meant(&found, ret);
	*ret_key = r == 0 && found.key ? json_incref(found.key) : NULL;
	slurm_found_finish(&found);
	return r;
}

static int occupy(struct binding *binding, const char *name, const struct slurm_site *site,
	const json_t *key, struct paths *ret_paths, struct tenure **ret_tenure, struct err *err)
{
	int r = paths_init(ret_paths, name, err);

	if (r == 0)
		r = paths_make(ret_paths, err);
	if (r < 0)
		return r;
	*ret_tenure = instance_acquire(ret_paths, err);
	if (!*ret_tenure)
		return err->code;
	xreplace(&binding->path, ret_paths->slurm_file);
	if (claim(binding, ret_paths, site, key))
		return 0;
	*ret_tenure = instance_release(*ret_tenure);
	return err_set(err, -EAGAIN,
		"%s has just been taken for the Slurm cluster \"%s\", where jobs may be left",
		ret_paths->state_dir, binding_cluster(binding));
}

/* Another process may be faster; then choose once more. */
static int choose_and_occupy(struct binding *binding, const char *name,
	const struct slurm_site *site, const json_t *key, struct paths *ret_paths,
	struct tenure **ret_tenure, struct err *err)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		_cleanup_free_ char *chosen = NULL;

		paths_finish(ret_paths);
		r = choose(name, site, &chosen, err);
		if (r == 0)
			r = occupy(binding, chosen, site, key, ret_paths, ret_tenure, err);
	}
	return r;
}

struct binding *binding_occupy(const char *name, bool exact, const json_t *slurm,
	struct paths *ret_paths, struct tenure **ret_tenure, struct err *err)
{
	struct binding *binding = xcalloc(1, sizeof(*binding));
	struct slurm_site site = SLURM_SITE_INIT;
	_cleanup_json_ json_t *key = NULL;
	int r = find_site(slurm, &site, &key, err);

	if (r == 0 && exact)
		r = occupy(binding, name, &site, key, ret_paths, ret_tenure, err);
	else if (r == 0)
		r = choose_and_occupy(binding, name, &site, key, ret_paths, ret_tenure, err);
	slurm_site_finish(&site);
	return r == 0 ? binding : binding_destroy(binding);
}

struct binding *binding_destroy(struct binding *binding)
{
	if (!binding)
		return NULL;
	slurm_record_finish(&binding->record);
	json_decref(binding->key);
	free(binding->path);
	free(binding);
	return NULL;
}

void binding_start_finish(struct binding_start *start)
{
	strv_finish(&start->variables);
	json_decref(start->site);
	json_decref(start->key);
	*start = (struct binding_start){0};
}

static int refuse(const struct binding *binding, const struct slurm_site *meant,
	const struct slurm_found *found, struct err *err)
{
	_cleanup_free_ char *own = slurm_site_text(&binding->record.site);
	_cleanup_free_ char *other = slurm_site_text(meant);

	return err_set(err, -EXDEV,
		"this dracod is for the Slurm cluster %s, and the start is for that of %s%s%s",
		own, other, found->conf ? ", by " : "", found->conf ? found->conf : "");
}

/* A start that knows no Slurm, such as one inside a container, uses this program's own
 * environment. */
static void lend_variables(struct binding_start *start)
{
	static const char *const names[] = {SLURM_VARIABLE_CONF, SLURM_VARIABLE_SERVER};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]))
			strv_addf(&start->variables, "%s=%s", names[i], getenv(names[i]));
}

int binding_check(const struct binding *binding, const json_t *environment,
	const char *directory, struct binding_start *ret, struct err *err)
{
	struct slurm_site meant = SLURM_SITE_INIT;
	struct slurm_found found;
	int r;

	*ret = (struct binding_start){0};
	r = slurm_find(environment, directory, slurm_find_places, &found, err);
	if (r == 0)
		r = slurm_found_check_start(&found, err);
	if (r == 0)
		slurm_found_meant(&found, &meant);
	if (r == 0 && slurm_site_is_known(&meant) && binding_cluster(binding) &&
		!slurm_record_fits(&binding->record, &meant))
		r = refuse(binding, &meant, &found, err);
	if (r == 0) {
		slurm_variables_pick(environment, directory, &ret->variables);
		ret->site = slurm_site_encode(&meant);
		ret->key = found.key ? json_incref(found.key) : NULL;
		ret->silent = !environment || (!found.conf && !found.server && !found.other);
		if (ret->silent)
			lend_variables(ret);
	}
	slurm_site_finish(&meant);
	slurm_found_finish(&found);
	return r;
}

void binding_begin(struct binding *binding, const struct binding_start *start)
{
	struct slurm_site site;

	slurm_site_decode(start->site, &site);
	binding->by_file = start->silent ? binding->own_by_file : slurm_site_is_known(&site);
	replace_key(binding, start->silent ? NULL : start->key);
	if (binding->by_file && !start->silent)
		learn(binding, &site, NULL, start->key);
	slurm_site_finish(&site);
}

void binding_told(struct binding *binding, const json_t *slurm)
{
	struct slurm_site told;

	slurm_site_decode(slurm, &told);
	/* The slurm.json of the former Slurm listed no clusters. */
	if (!binding->by_file && !slurm_record_fits_told(&binding->record, &told))
		slurm_record_finish(&binding->record);
	learn(binding, NULL, &told, binding->key);
	slurm_site_finish(&told);
}

json_t *binding_expected(const struct binding *binding, bool pledged)
{
	struct slurm_site site = {.cluster = binding->record.site.cluster};

	if (!site.cluster || (!binding->by_file && !pledged))
		return NULL;
	/* slurm.conf and slurmctld may name the controllers in different ways. With a slurm.conf,
	 * the name of Slurm's cluster identifies it. Without one, everything that slurmctld says
	 * counts. */
	if (!binding->by_file)
		site.controllers = binding->record.told;
	return slurm_site_encode(&site);
}
