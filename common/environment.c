/* environment.c: selects the caller's variables for the scheduler and the workers. Pure. */
#include "common/environment.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/slurm_variables.h"
#include "common/strv.h"
#include "common/tls_fix.h"

/* Both tables hold names, or beginnings of names that end with '*'. */

/* Variables that only a Slurm job around the caller can have set, with values for its own node. */
static const char *const of_its_node[] = {
	"TMPDIR",
	"CUDA_VISIBLE_DEVICES",
	"GPU_DEVICE_ORDINAL",
	"ROCR_VISIBLE_DEVICES",
	"ZE_AFFINITY_MASK",
	"ENVIRONMENT", /* "BATCH" */
	"HYDRA_*",
	"I_MPI_HYDRA_*",
	"OMPI_MCA_*",
	"PRTE_MCA_*",
	NULL,
};

static const char *const dropped[] = {
	/* the host */
	"HOSTNAME",
	/* the caller's login session and terminal */
	"XDG_RUNTIME_DIR",
	"XDG_SESSION_*",
	"DBUS_SESSION_BUS_ADDRESS",
	"DISPLAY",
	"WAYLAND_DISPLAY",
	"XAUTHORITY",
	"SSH_*",
	"TMUX",
	"TMUX_PANE",
	"STY",
	"WINDOWID",
	"TERM*",
	"COLUMNS",
	"LINES",
	"SHLVL",
	"OLDPWD",
	"PWD",
	"_",
	/* a service around dracod */
	"NOTIFY_SOCKET",
	"WATCHDOG_*",
	"LISTEN_*",
	"INVOCATION_ID",
	"JOURNAL_STREAM",
	"MAINPID",
	"MANAGERPID",
	"SYSTEMD_EXEC_PID",
	"CREDENTIALS_DIRECTORY",
	/* tokens of Slurm and of a notebook server */
	"SLURM_JWT",
	"JUPYTERHUB_API_TOKEN",
	"JPY_API_TOKEN",
	"JPY_PARENT_PID",
	"JPY_SESSION_NAME",
	/* another cluster that the caller is connected to: dracoctl env */
	"DASK_SCHEDULER_ADDRESS",
	"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION",
	"DASK_DISTRIBUTED__COMM__TLS__CA_FILE",
	"DASK_DISTRIBUTED__COMM__TLS__SCHEDULER__*",
	"DASK_DISTRIBUTED__COMM__TLS__WORKER__*",
	"DASK_DISTRIBUTED__COMM__TLS__CLIENT__*",
	"DASK_DISTRIBUTED__DASHBOARD__LINK",
	/* settings of draco itself */
	"DRACO_*",
	NULL,
};

/* The only variable of Slurm that the scheduler and the workers get: the path of its settings. */
static const char conf[] = "SLURM_CONF";

static bool is_in(const char *const *table, const char *name)
{
	for (; *table; table++) {
		size_t length = strlen(*table);

		if ((*table)[length - 1] == '*' ? strncmp(name, *table, length - 1) == 0
						: strcmp(name, *table) == 0)
			return true;
	}
	return false;
}

/* Is this a variable from "dracoctl env"? Its value decides, because a user may set it, too. */
static bool is_of_cluster(const char *name, const char *value)
{
	return strcmp(name, TLS_FIX_VARIABLE) == 0 && tls_fix_is_own(value);
}

/* A variable of Slurm that the programs here, or sbatch, need. */
static bool is_kept(const char *name)
{
	return strcmp(name, conf) == 0 || strncmp(name, "SBATCH_", 7) == 0 ||
		slurm_variable_is_inherited(name);
}

void environment_filter(const json_t *object, struct strv *ret)
{
	bool inside_job = json_object_get(object, "SLURM_JOB_ID");
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(object), name, value) {
		if (!json_is_string(value) || !*name || strchr(name, '='))
			continue;
		/* The variables of an allocation around the caller do not apply to draco's jobs. */
		if (is_in(dropped, name) ||
			(slurm_variable_is_of_slurm(name) && !is_kept(name)) ||
			(inside_job && is_in(of_its_node, name)) ||
			is_of_cluster(name, json_string_value(value)))
			continue;
		strv_addf(ret, "%s=%s", name, json_string_value(value));
	}
}

void environment_set(struct strv *environment, const char *assignment)
{
	size_t length = strcspn(assignment, "=") + 1;

	for (size_t i = 0; i < environment->count; i++)
		if (strncmp(environment->item[i], assignment, length) == 0) {
			xreplace(&environment->item[i], assignment);
			return;
		}
	strv_add(environment, assignment);
}

const char *environment_get(const struct strv *environment, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < environment->count; i++)
		if (strncmp(environment->item[i], name, length) == 0 &&
			environment->item[i][length] == '=')
			return environment->item[i] + length + 1;
	return NULL;
}

bool environment_is_supervised(void)
{
	const char *pid = getenv("SYSTEMD_EXEC_PID"); /* not by systemd before version 248 */

	return getenv("NOTIFY_SOCKET") && (!pid || atoi(pid) == (int)getpid());
}
