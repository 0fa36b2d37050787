/* world_files.c: the files of a dracod without the world around it. */
#include <errno.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/slurm_find.h"
#include "daemon/dask/jobscript.h"
#include "daemon/io/statefile.h"
#include "fuzz.h"
#include "world.h"

json_t *world_file;

int __wrap_slurm_find(const json_t *environment, const char *directory,
	const char *const *places, struct slurm_found *ret, struct err *err);
char *__wrap_part_find(const char *name, const char *installed);
int __wrap_slurp(const char *path, char **ret, size_t *ret_size, struct err *err);
char *__wrap_jobscript_make(const struct jobscript *script);
int __wrap_statefile_write(const char *path, json_t *object, struct err *err);
int __wrap_statefile_load(const char *path, json_t **ret, struct err *err);
int __wrap_statefile_write_passing(const char *path, json_t *object, struct err *err);
void __wrap_statefile_remove(const char *path);
json_t *__wrap_statefile_read(const char *path);
int __wrap_logdir_make(const char *base, char **ret_path, struct err *err);
char *__wrap_logdir_tail(const char *path, int max_lines);

static json_t *files; /* of a world that lasts */

int __wrap_slurm_find(const json_t *environment, const char *directory,
	const char *const *places, struct slurm_found *ret, struct err *err)
{
	(void)environment;
	(void)directory;
	(void)places;
	(void)err;
	*ret = (struct slurm_found)SLURM_FOUND_INIT;
	return 0;
}

char *__wrap_part_find(const char *name, const char *installed)
{
	(void)installed;
	return xasprintf("/nonexistent/%s", name);
}

int __wrap_slurp(const char *path, char **ret, size_t *ret_size, struct err *err)
{
	(void)path;
	(void)ret;
	(void)ret_size;
	(void)err;
	return -ENOENT;
}

char *__wrap_jobscript_make(const struct jobscript *script)
{
	fuzz_require(script->processes > 0 && script->threads > 0 && script->bytes > 0);
	return xstrdup("#!/bin/bash\n");
}

json_t *world_files(void)
{
	if (!files)
		files = json_object();
	return files;
}

int __wrap_statefile_write(const char *path, json_t *object, struct err *err)
{
	(void)err;
	fuzz_require(json_is_object(object));
	if (world_lasts)
		json_object_set_new(world_files(), path, object);
	else
		json_decref(object);
	return 0;
}

int __wrap_statefile_load(const char *path, json_t **ret, struct err *err)
{
	json_t *file = json_object_get(files, path);

	(void)err;
	if (!file)
		return 0;
	*ret = json_deep_copy(file);
	return 1;
}

int __wrap_statefile_write_passing(const char *path, json_t *object, struct err *err)
{
	return __wrap_statefile_write(path, object, err);
}

void __wrap_statefile_remove(const char *path)
{
	json_object_del(files, path);
}

json_t *__wrap_statefile_read(const char *path)
{
	return json_deep_copy(world_lasts ? json_object_get(files, path) : world_file);
}

int __wrap_logdir_make(const char *base, char **ret_path, struct err *err)
{
	(void)base;
	(void)err;
	*ret_path = xstrdup("/nonexistent/logs");
	return 0;
}

char *__wrap_logdir_tail(const char *path, int max_lines)
{
	(void)path;
	(void)max_lines;
	return NULL;
}
