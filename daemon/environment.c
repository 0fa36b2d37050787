/* environment.c: which of a caller's variables scheduler and workers get. Pure. */
#include "daemon/environment.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/alloc.h"
#include "common/strv.h"

/* Names, or beginnings of names where a '*' ends them. */
static const char *const dropped[] = {
	/* a Slurm job around the caller: its allocation is not ours */
	"SLURM_*",
	"SLURMD_*",
	"SBATCH_*",
	"SALLOC_*",
	"SRUN_*",
	"PMI_*",
	"PMIX_*",
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
	/* tokens of a notebook server */
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
};

/* The exception: without it libslurm and Slurm's commands look in the wrong place. */
static const char kept[] = "SLURM_CONF";

static bool is_dropped(const char *name)
{
	if (strcmp(name, kept) == 0)
		return false;
	for (size_t i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		size_t length = strlen(dropped[i]);

		if (dropped[i][length - 1] == '*' ? strncmp(name, dropped[i], length - 1) == 0
						  : strcmp(name, dropped[i]) == 0)
			return true;
	}
	return false;
}

void environment_filter(const json_t *object, struct strv *ret)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(object), name, value)
		if (json_is_string(value) && *name && !strchr(name, '=') && !is_dropped(name))
			strv_addf(ret, "%s=%s", name, json_string_value(value));
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
