/* fuzz_state.c: the files that the next dracod reads: the events, where the first line of an input
 * is one; else nodes.json, pauses.json and state.json, each with that line in it. What is wrong
 * there does not count. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/strv.h"
#include "daemon/cluster/cluster.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/nodes.h"
#include "daemon/control/report.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/policy/bad_nodes.h"
#include "daemon/policy/hold.h"
#include "daemon/slurm/leftover.h"
#include "world.h"

#define ROUNDS	    64
#define MOST_MS	    60000
#define EVENTS_SIZE 100000

const char fuzz_name[] = "state";
const char *const fuzz_words[] = {"version", "excluded", "node", "until", "pauses", "jobs",
	"ms", "clusters", "n1", "bb28a768", "1796001000", "id", "time", "kind", "subject",
	"text", "from", "to", "after_s", "log", "tail", "note", "phase", "decision", "failure",
	NULL};

/* The nodes become a value of sbatch's --exclude. */
static void check_nodes(const struct cluster *cluster)
{
	const struct bad_nodes *nodes = &cluster->nodes;
	struct strv directives = STRV_INIT;
	json_t *report = cluster_nodes_report(cluster);

	fuzz_require(nodes->count <= BAD_NODES_MAX);
	for (size_t i = 0; i < nodes->count; i++)
		fuzz_require(
			nodes->node[i].excluded_until_ms - loop_now_ms() <= BAD_NODE_FOR_MS);
	bad_nodes_exclude(nodes, loop_now_ms(), &directives);
	fuzz_require(directives.count <= 1);
	fuzz_require(directives.count == (json_array_size(report) > 0));
	if (directives.count > 0) {
		const char *names = directives_value(&directives, "exclude");

		fuzz_require(names);
		/* One name each: neither a list nor an expression. */
		fuzz_require(!strpbrk(names, "[] \t\n") || !*names);
		fuzz_took();
	}
	strv_finish(&directives);
	json_decref(report);
}

static void check_pauses(struct cluster *cluster)
{
	struct hold_state *hold = &cluster->size.fleet.hold;

	hold_choose(hold, MOST_MS, 5000);
	fuzz_require(hold->ms > 0 && hold->ms <= MOST_MS);
	free(hold_explain(hold, MOST_MS, 5000));
	for (int64_t i = 0; i < HOLD_PAUSES && i < hold->pauses; i++)
		fuzz_require(hold->pause[i].jobs > 0 && hold->pause[i].ms >= HOLD_MIN_MS);
}

static void check_cluster(void)
{
	static const struct cluster_ops ops = {0};
	static char name[] = "default", nowhere[] = "/nonexistent/file";
	struct paths paths = {.name = name,
		.dask_socket = nowhere,
		.nodes_file = nowhere,
		.pauses_file = nowhere};
	struct cluster *cluster = cluster_create(NULL, NULL, NULL, &paths, nowhere, &ops, NULL);

	check_nodes(cluster);
	check_pauses(cluster);
	cluster_destroy(cluster);
}

/* Where the queue shows no jobs, nothing is left of any cluster, whatever its id is. */
static void check_leftover(void)
{
	_cleanup_json_ json_t *nothing = json_pack("{s:[]}", "jobs");
	struct leftover *leftover = leftover_create(NULL, NULL, "default", "/nonexistent/file");

	for (int i = 0; i < ROUNDS && leftover_has_any(leftover); i++) {
		world_pass(MOST_MS);
		world_answer_slurm("query", OUTCOME_DONE, nothing, NULL);
		fuzz_took();
	}
	fuzz_require(!leftover_has_any(leftover));
	leftover_destroy(leftover);
}

static void check_events(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *path = fuzz_file(data, size);
	json_t *list;

	history_open(path);
	fuzz_require(events_next(history_events()) > 0);
	list = events_list(history_events(), 1, -1, EVENTS_SIZE);
	if (json_array_size(json_object_get(list, "events")) > 0)
		fuzz_took();
	history_note(EVENT_NOTE, "dracod", NULL, "goes on");
	fuzz_require(strcmp(events_last(history_events())->text, "goes on") == 0);
	history_close();
	json_decref(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	_cleanup_json_ json_t *file = json_loadb(
		(const char *)data, newline ? (size_t)(newline - data) : size, 0, NULL);

	world_reset();
	if (json_object_get(file, "id")) {
		check_events(data, size);
	} else if (file) {
		world_file = file;
		check_cluster();
		check_leftover();
		world_file = NULL;
	}
	world_reset();
	return 0;
}
