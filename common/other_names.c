/* other_names.c: the names of sbatch, Dask and dask-jobqueue for what a setting of draco does. A
 * user who types one learns the setting. */
#include "common/other_names.h"

#include <stdbool.h>
#include <stddef.h>

#define WORKERS	   "in workers; dracoctl scale and adapt change it later"
#define PER_JOB	   "of one job, divided among its processes"
#define DIRECTIVES "it takes any option of sbatch"
#define ONLY_SET   "not needed, because draco gives Slurm only the options that are set"
#define REPLACED   "not needed, because a job is replaced before its walltime ends"
#define BY_DRACO   "draco sets it for each job"

static const struct other_name names[] = {
	/* dask-jobqueue and Dask */
	{"n_workers", "minimum", WORKERS},
	{"num_workers", "minimum", WORKERS},
	{"workers", "minimum", WORKERS},
	{"min_workers", "minimum", WORKERS},
	{"minimum_workers", "minimum", WORKERS},
	{"max_workers", "maximum", WORKERS},
	{"maximum_workers", "maximum", WORKERS},
	{"n_jobs", "minimum", WORKERS},
	{"num_jobs", "minimum", WORKERS},
	{"jobs", "minimum", WORKERS},
	{"minimum_jobs", "minimum", WORKERS},
	{"maximum_jobs", "maximum", WORKERS},
	{"queue", "queues_to_try", NULL},
	{"queues", "queues_to_try", NULL},
	{"project", "account", NULL},
	{"job_cpu", "cores", PER_JOB},
	{"ncpus", "cores", PER_JOB},
	{"cpus", "cores", PER_JOB},
	{"nthreads", "threads", "of each worker"},
	{"threads_per_worker", "threads", NULL},
	{"nprocs", "processes", NULL},
	{"n_procs", "processes", NULL},
	{"nworkers", "processes", NULL},
	{"workers_per_job", "processes", NULL},
	{"job_mem", "memory", PER_JOB},
	{"memory_limit", "memory", PER_JOB},
	{"job_extra", "directives", DIRECTIVES},
	{"job_extra_directives", "directives", DIRECTIVES},
	{"job_directives_skip", NULL, ONLY_SET},
	{"header_skip", NULL, ONLY_SET},
	{"job_script_prologue", "prologue", NULL},
	{"env_extra", "prologue", NULL},
	{"job_script_epilogue", "epilogue", NULL},
	{"env", "environment", NULL},
	{"worker_extra_args", "worker_options", NULL},
	{"extra", "worker_options", NULL},
	{"scheduler_kwargs", "scheduler_options", NULL},
	{"local_directory", "scratch_directory", NULL},
	{"shared_temp_directory", NULL,
		"not needed, because the certificate is in the state directory"},
	{"death_timeout", "worker_timeout", NULL},
	{"lifetime", NULL, REPLACED},
	{"lifetime_stagger", NULL, REPLACED},
	{"nanny", NULL, "not needed, because each worker has one"},
	{"worker_class", "worker_options", "such as --worker-class=package.MyWorker"},
	{"worker_command", NULL,
		"draco runs dask worker, and gives each worker GPUs of its own (gpus)"},
	{"scheduler_cls", NULL, "the scheduler is a process of its own"},
	{"silence_logs", NULL, "not needed, because the logs are files"},
	{"protocol", "security", NULL},
	{"host", "interface", NULL},
	{"port", "scheduler_port", NULL},
	{"shebang", NULL, "the script of a job is for bash"},
	{"config_name", "profile", NULL},
	/* sbatch */
	{"partition", "queues_to_try", NULL},
	{"partitions", "queues_to_try", NULL},
	{"time", "walltime", NULL},
	{"time_limit", "walltime", NULL},
	{"time_min", "least_walltime", NULL},
	{"mem", "memory", PER_JOB},
	{"mem_per_cpu", "memory", PER_JOB},
	{"cpus_per_task", "cores", PER_JOB},
	{"ntasks", "processes", NULL},
	{"ntasks_per_node", "processes", NULL},
	{"nodes", "maximum", "in workers; each job is on one node"},
	{"gpus_per_node", "gpus", NULL},
	{"export", "environment", NULL},
	{"output", "log_directory", NULL},
	{"error", "log_directory", NULL},
	{"job_name", NULL, BY_DRACO},
	{"array", NULL, BY_DRACO},
	{"chdir", NULL, "jobs run in the directory of dracoctl start"},
	{"wrap", NULL, BY_DRACO},
	{"sbatch_options", "directives", DIRECTIVES},
	{"begin", "directives", DIRECTIVES},
	{"comment", "directives", DIRECTIVES},
	{"dependency", "directives", DIRECTIVES},
	{"hint", "directives", DIRECTIVES},
	{"nice", "directives", DIRECTIVES},
	{"priority", "directives", DIRECTIVES},
	{"signal", "directives", DIRECTIVES},
	{"switches", "directives", DIRECTIVES},
	{"threads_per_core", "directives", DIRECTIVES},
	{"tmp", "directives", DIRECTIVES},
	{"wckey", "directives", DIRECTIVES},
};

static const struct {
	char letter;
	const char *name;
} letters[] = {
	{'A', "account"},
	{'C', "constraint"},
	{'D', "chdir"},
	{'G', "gpus"},
	{'J', "job_name"},
	{'L', "licenses"},
	{'N', "nodes"},
	{'a', "array"},
	{'c', "cpus_per_task"},
	{'d', "dependency"},
	{'e', "error"},
	{'n', "ntasks"},
	{'o', "output"},
	{'p', "partition"},
	{'t', "time"},
	{'w', "nodelist"},
	{'x', "exclude"},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static bool is_same(const char *typed, const char *name)
{
	for (; *typed && *name; typed++, name++)
		if (*typed != *name && !(*typed == '-' && *name == '_'))
			return false;
	return !*typed && !*name;
}

const struct other_name *other_name_find(const char *name)
{
	for (size_t i = 0; i < LENGTH(names); i++)
		if (is_same(name, names[i].name))
			return &names[i];
	return NULL;
}

const char *other_name_of_letter(char letter)
{
	for (size_t i = 0; i < LENGTH(letters); i++)
		if (letters[i].letter == letter)
			return letters[i].name;
	return NULL;
}
