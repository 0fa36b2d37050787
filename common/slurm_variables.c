/* slurm_variables.c: selects the user's variables for draco-slurm. Pure. */
#include "common/slurm_variables.h"

#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/strv.h"

/* Beginnings of names. */
static const char *const of_slurm[] = {
	"SLURM_",
	"SLURMD_",
	"SBATCH_",
	"SALLOC_",
	"SCANCEL_",
	"SINFO_",
	"SQUEUE_",
	"SRUN_",
	"PMI_",
	"PMIX_",
};

/* Exceptions: the path of Slurm's settings and the server for them. */
#define CONF   "SLURM_CONF"
#define SERVER "SLURM_CONF_SERVER"
/* Exception: the user's token for Slurm. */
#define TOKEN "SLURM_JWT"

bool slurm_variable_is_of_slurm(const char *name)
{
	for (size_t i = 0; i < sizeof(of_slurm) / sizeof(of_slurm[0]); i++)
		if (strncmp(name, of_slurm[i], strlen(of_slurm[i])) == 0)
			return true;
	return false;
}

bool slurm_variable_is_inherited(const char *variable)
{
	static const char limit[] = "SLURM_RLIMIT_";
	static const char *const names[] = {"SLURM_UMASK", "SLURM_PRIO_PROCESS"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcspn(variable, "=") == strlen(names[i]) &&
			strncmp(variable, names[i], strlen(names[i])) == 0)
			return true;
	return strncmp(variable, limit, strlen(limit)) == 0;
}

void slurm_variables_pick(const json_t *environment, const char *directory, struct strv *ret)
{
	const char *conf = json_get_text(environment, CONF, "");
	const char *server = json_get_text(environment, SERVER, "");
	const char *token = json_get_text(environment, TOKEN, "");

	if (*conf && *conf != '/' && directory)
		strv_addf(ret, CONF "=%s/%s", directory, conf);
	else if (*conf)
		strv_addf(ret, CONF "=%s", conf);
	if (*server)
		strv_addf(ret, SERVER "=%s", server);
	if (*token)
		strv_addf(ret, TOKEN "=%s", token);
}

static bool has(const struct strv *list, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->item[i], name, length) == 0 && list->item[i][length] == '=')
			return true;
	return false;
}

static bool is_kept(const char *name, const struct strv *start)
{
	if (strcmp(name, CONF) == 0 || strcmp(name, SERVER) == 0 ||
		strcmp(name, SLURM_VARIABLE_INTERFACE) == 0)
		return !start;
	if (strcmp(name, TOKEN) == 0)
		return !start || !has(start, TOKEN);
	return !slurm_variable_is_of_slurm(name);
}

void slurm_variables_make(char *const *own, const struct strv *start, struct strv *ret)
{
	for (; *own; own++) {
		_cleanup_free_ char *name = xstrndup(*own, strcspn(*own, "="));

		if (is_kept(name, start))
			strv_add(ret, *own);
	}
	for (size_t i = 0; start && i < start->count; i++)
		strv_add(ret, start->item[i]);
}
