/* yaml_doc.h: a YAML document as a tree of nodes with their places. The only home of libyaml. */
#ifndef DRACO_COMMON_YAML_DOC_H
#define DRACO_COMMON_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct yaml_doc;

/* A node of a document; its document must live as long. */
struct yaml_ref {
	struct yaml_doc *doc;
	int node;
};

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAPPING };

struct yaml_place {
	unsigned line, column; /* from 1 */
};

/* Read text (size bytes, and a NUL behind them) as one document. NULL, with err and *ret_place,
 * when it is none: err says what would be right. yaml_doc_destroy() takes NULL, too. */
struct yaml_doc *yaml_doc_parse(
	const char *text, size_t size, struct yaml_place *ret_place, struct err *err);
struct yaml_doc *yaml_doc_destroy(struct yaml_doc *doc);

/* The node that holds all others; false for an empty document. */
bool yaml_doc_root(struct yaml_doc *doc, struct yaml_ref *ret);

enum yaml_kind yaml_kind(struct yaml_ref ref);
struct yaml_place yaml_place(struct yaml_ref ref);

/* Of a text: NULL when it has a NUL character inside. */
const char *yaml_text(struct yaml_ref ref);

/* Whether it is a text that stands for nothing: empty, ~ or null, without quotes. */
bool yaml_is_null(struct yaml_ref ref);

/* Of a list or mapping: how many, and each. yaml_key() is for mappings only. */
size_t yaml_count(struct yaml_ref ref);
struct yaml_ref yaml_key(struct yaml_ref ref, size_t i);
struct yaml_ref yaml_value(struct yaml_ref ref, size_t i);

#endif
