/* fuzz_slurm_conf.c: common/slurm_conf.c with any bytes for slurm.conf and the files that it
 * includes, which a form feed divides: it ends, however they include each other, and what it finds
 * can be compared, written and read again. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/slurm_conf.h"
#include "common/slurm_site.h"

#define READS_MAX 65 /* of files, for one input */

const char fuzz_name[] = "slurm_conf";
const char *const fuzz_words[] = {"ClusterName=", "SlurmctldHost=", "ControlMachine=",
	"SlurmctldPort=", "BackupController=", "Include ", "include ", "%c", "%m", "\\\n", "#",
	"\f", "\"", "(10.0.0.1)", "host1,host2", "6817", "6817-6820", "cluster", "\r\n", "=",
	" ", "\t", NULL};

struct files {
	const uint8_t *data;
	size_t size;
	int reads;
};

/* The files follow each other, and begin anew behind the last one. */
static char *read_file(void *arg, const char *path)
{
	struct files *files = arg;
	const uint8_t *begin = files->data, *end = begin + files->size, *feed;
	int skip = files->reads++ % 4;

	fuzz_require(path[0] == '/' && files->reads < READS_MAX);
	while ((feed = memchr(begin, '\f', (size_t)(end - begin))) && skip-- > 0)
		begin = feed + 1;
	return fuzz_text(begin, (size_t)((feed ? feed : end) - begin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct files files = {data, size, 0};
	struct slurm_site site, again;
	json_t *encoded, *twice;

	if (size == 0)
		return 0;
	slurm_conf_parse("/etc/slurm/slurm.conf", read_file, &files, &site);
	if (slurm_site_is_known(&site))
		fuzz_took();
	encoded = slurm_site_encode(&site);
	slurm_site_decode(encoded, &again);
	twice = slurm_site_encode(&again);
	fuzz_require(json_equal(encoded, twice));
	free(slurm_site_text(&site));
	json_decref(encoded);
	json_decref(twice);
	slurm_site_finish(&site);
	slurm_site_finish(&again);
	return 0;
}
