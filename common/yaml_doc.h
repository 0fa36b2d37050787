/* yaml_doc.h: a YAML document as a tree of nodes with places. Only this file uses libyaml. */
#ifndef DRACO_COMMON_YAML_DOC_H
#define DRACO_COMMON_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct yaml_doc;

/* A node of a document, which must outlive it. */
struct yaml_ref {
	struct yaml_doc *doc;
	int node;
};

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAPPING };

struct yaml_place {
	unsigned line, column; /* beginning at 1 */
};

/* Parse text (size bytes, and a NUL after them) as one document. NULL with err, which says what
 * would be right, and *ret_place: it is invalid. yaml_doc_destroy() accepts NULL. */
struct yaml_doc *yaml_doc_parse(
	const char *text, size_t size, struct yaml_place *ret_place, struct err *err);
struct yaml_doc *yaml_doc_destroy(struct yaml_doc *doc);

/* The top node. Returns false for an empty document. */
bool yaml_doc_root(struct yaml_doc *doc, struct yaml_ref *ret);

enum yaml_kind yaml_kind(struct yaml_ref ref);
struct yaml_place yaml_place(struct yaml_ref ref);

/* The text of a node; NULL: it contains NUL. */
const char *yaml_text(struct yaml_ref ref);

/* Is the node a text without quotes that stands for nothing: empty, ~ or null? */
bool yaml_is_null(struct yaml_ref ref);

/* The number of items of a list or mapping, and each of them. yaml_key() is for mappings only. */
size_t yaml_count(struct yaml_ref ref);
struct yaml_ref yaml_key(struct yaml_ref ref, size_t i);
struct yaml_ref yaml_value(struct yaml_ref ref, size_t i);

#endif
