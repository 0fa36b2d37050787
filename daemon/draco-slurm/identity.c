/* identity.c: checks that the Slurm which answers is the one that dracod expects.
 *
 * This process reads slurm.conf only once, so one question to slurmctld is enough for its whole
 * life. */
#include "daemon/draco-slurm/identity.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/slurm_site.h"
#include "daemon/draco-slurm/slurm_calls.h"
#include "daemon/draco-slurm/way.h"

static struct slurm_site expected = SLURM_SITE_INIT; /* not known: any Slurm may answer */
static bool checked;

void identity_expect(const json_t *slurm)
{
	slurm_site_finish(&expected);
	slurm_site_decode(slurm, &expected);
	checked = false;
}

static void describe(const struct slurm_conf_facts *conf, struct slurm_site *ret)
{
	*ret = (struct slurm_site)SLURM_SITE_INIT;
	slurm_site_set_cluster(ret, conf->cluster);
	for (size_t i = 0; i < conf->hosts.count; i++) {
		slurm_site_add(ret, conf->hosts.item[i], conf->port);
		slurm_site_add(ret, conf->addresses.item[i], conf->port);
	}
}

json_t *identity_of(const struct slurm_conf_facts *conf)
{
	struct slurm_site site;
	json_t *object;

	describe(conf, &site);
	object = slurm_site_encode(&site);
	slurm_site_finish(&site);
	return object;
}

static enum slurm_outcome compare(const struct slurm_site *site, struct err *err)
{
	_cleanup_free_ char *is = slurm_site_text(site);
	_cleanup_free_ char *wanted = slurm_site_text(&expected);

	if (slurm_site_same(&expected, site))
		return OUTCOME_DONE;
	err_set(err, -EXDEV,
		"it is the Slurm cluster %s that answers here, and this dracod is for that of %s",
		is, wanted);
	return OUTCOME_FOREIGN;
}

enum slurm_outcome identity_check(struct err *err)
{
	enum slurm_outcome outcome;
	struct slurm_conf_facts conf;
	struct slurm_site site;

	if (checked || !slurm_site_is_known(&expected))
		return OUTCOME_DONE;
	outcome = way_conf(&conf, err);
	if (outcome == OUTCOME_DONE) {
		describe(&conf, &site);
		outcome = compare(&site, err);
		slurm_site_finish(&site);
	}
	checked = outcome == OUTCOME_DONE;
	slurm_conf_facts_finish(&conf);
	return outcome;
}

enum slurm_outcome call_identify(const json_t *params, json_t **ret_result, struct err *err)
{
	struct slurm_conf_facts conf;
	enum slurm_outcome outcome = way_conf(&conf, err);

	(void)params;
	if (outcome == OUTCOME_DONE)
		*ret_result = identity_of(&conf);
	slurm_conf_facts_finish(&conf);
	return outcome;
}
