/* yaml_doc.c: a YAML document as a tree of nodes with places. Only this file uses libyaml. */
#include "common/yaml_doc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"

#define NESTING_MAX 64 /* libyaml needs quadratic time for nested brackets */
#define QUOTE_MAX   60

struct yaml_doc {
	yaml_document_t document;
};

static struct yaml_place place_of(const yaml_mark_t *mark)
{
	return (struct yaml_place){(unsigned)mark->line + 1, (unsigned)mark->column + 1};
}

static struct yaml_place place_of_byte(const char *text, size_t offset)
{
	struct yaml_place place = {1, 1};

	for (size_t i = 0; i < offset; i++) {
		place.column = text[i] == '\n' ? 1 : place.column + 1;
		place.line += text[i] == '\n';
	}
	return place;
}

/* The offset at which brackets are nested too deep; size: nowhere. Brackets in texts count, too. */
static size_t find_nesting(const char *text, size_t size)
{
	size_t depth = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '[' || text[i] == '{')
			depth++;
		else if ((text[i] == ']' || text[i] == '}') && depth > 0)
			depth--;
		if (depth > NESTING_MAX)
			return i;
	}
	return size;
}

/* A line, quoted for an error. A long one is truncated. The caller frees. */
static char *quote_line(const char *text, unsigned line)
{
	size_t length;

	for (; line > 1 && *text; line--)
		text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
	length = strcspn(text, "\n");
	return xstrndup(text, length < QUOTE_MAX ? length : QUOTE_MAX);
}

/* What would be right, for this problem of libyaml. */
static const char *remedy_of(const char *problem, const char *line)
{
	static const char indent[] = "give lines of one kind the same indentation";
	static const struct {
		const char *problem, *remedy;
	} remedies[] = {
		{"could not find expected ':'", "the \":\" after the setting is missing"},
		{"mapping values are not allowed",
			"give lines of one kind the same indentation, and a value with \": \" "
			"in it quotes"},
		{"expected <document start>", indent},
		{"did not find expected key", indent},
		{"cannot start any token", "a value that begins with this needs quotes"},
		{"undefined alias", "a value that begins with \"*\" needs quotes"},
		{"unexpected end of stream", "a quote is missing"},
		{"expected ',' or ']'", "a \"]\" is missing"},
		{"expected ',' or '}'", "a \"}\" is missing"},
	};

	if (strchr(line, '\t'))
		return "indent with spaces, not tabs";
	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++)
		if (strstr(problem, remedies[i].problem))
			return remedies[i].remedy;
	return "give lines \"setting: value\"";
}

static void explain(const yaml_parser_t *parser, const char *text, struct yaml_place *ret_place,
	struct err *err)
{
	const char *context = parser->context;
	/* For a text without an end, and for a key without a colon, libyaml's place is where it
	 * noticed the fault. The context is where the text or key began. */
	bool at_context =
		context && (strstr(context, "simple key") || strstr(context, "quoted"));
	struct yaml_place began = place_of(&parser->context_mark);
	_cleanup_free_ char *line = NULL, *where = NULL;

	if (parser->error == YAML_READER_ERROR) {
		*ret_place = place_of_byte(text, parser->problem_offset);
		err_set(err, -EINVAL, "%s: the file must be text in UTF-8", parser->problem);
		return;
	}
	*ret_place = at_context ? began : place_of(&parser->problem_mark);
	line = quote_line(text, ret_place->line);
	where = context ? xasprintf(" %s of line %u", context, began.line) : xstrdup("");
	err_set(err, -EINVAL, "not YAML: %s%s, at \"%s\": %s", parser->problem, where, line,
		remedy_of(parser->problem, line));
}

/* Check that nothing follows the document. */
static int check_end(
	yaml_parser_t *parser, const char *text, struct yaml_place *ret_place, struct err *err)
{
	yaml_document_t next;
	int r = 0;

	if (!yaml_parser_load(parser, &next)) {
		explain(parser, text, ret_place, err);
		return -EINVAL;
	}
	if (yaml_document_get_root_node(&next)) {
		*ret_place = place_of(&next.start_mark);
		r = err_set(err, -EINVAL,
			"another document begins here (\"---\"): the file must be one document");
	}
	yaml_document_delete(&next);
	return r;
}

struct yaml_doc *yaml_doc_parse(
	const char *text, size_t size, struct yaml_place *ret_place, struct err *err)
{
	size_t deep = find_nesting(text, size);
	struct yaml_doc *doc;
	yaml_parser_t parser;

	if (deep < size) {
		*ret_place = place_of_byte(text, deep);
		err_set(err, -EINVAL,
			"brackets are nested more than %d deep: settings need two at most",
			NESTING_MAX);
		return NULL;
	}
	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	doc = xcalloc(1, sizeof(*doc));
	if (!yaml_parser_load(&parser, &doc->document)) {
		explain(&parser, text, ret_place, err);
		free(doc);
		doc = NULL;
	} else if (check_end(&parser, text, ret_place, err) < 0) {
		doc = yaml_doc_destroy(doc);
	}
	yaml_parser_delete(&parser);
	return doc;
}

struct yaml_doc *yaml_doc_destroy(struct yaml_doc *doc)
{
	if (doc)
		yaml_document_delete(&doc->document);
	free(doc);
	return NULL;
}

static yaml_node_t *get(struct yaml_ref ref)
{
	return yaml_document_get_node(&ref.doc->document, ref.node);
}

bool yaml_doc_root(struct yaml_doc *doc, struct yaml_ref *ret)
{
	*ret = (struct yaml_ref){doc, 1}; /* libyaml's node numbers begin at 1 */
	return yaml_document_get_root_node(&doc->document);
}

enum yaml_kind yaml_kind(struct yaml_ref ref)
{
	switch (get(ref)->type) {
	case YAML_SEQUENCE_NODE:
		return YAML_LIST;
	case YAML_MAPPING_NODE:
		return YAML_MAPPING;
	default:
		return YAML_TEXT;
	}
}

struct yaml_place yaml_place(struct yaml_ref ref)
{
	return place_of(&get(ref)->start_mark);
}

const char *yaml_text(struct yaml_ref ref)
{
	const yaml_node_t *node = get(ref);
	const char *text = (const char *)node->data.scalar.value;

	return strlen(text) == node->data.scalar.length ? text : NULL;
}

bool yaml_is_null(struct yaml_ref ref)
{
	const char *text;

	if (yaml_kind(ref) != YAML_TEXT ||
		get(ref)->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	text = (const char *)get(ref)->data.scalar.value;
	return !*text || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

size_t yaml_count(struct yaml_ref ref)
{
	const yaml_node_t *node = get(ref);

	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return (size_t)(node->data.sequence.items.top -
			node->data.sequence.items.start);
	case YAML_MAPPING_NODE:
		return (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
	default:
		return 0;
	}
}

struct yaml_ref yaml_key(struct yaml_ref ref, size_t i)
{
	return (struct yaml_ref){ref.doc, get(ref)->data.mapping.pairs.start[i].key};
}

struct yaml_ref yaml_value(struct yaml_ref ref, size_t i)
{
	const yaml_node_t *node = get(ref);

	if (node->type == YAML_SEQUENCE_NODE)
		return (struct yaml_ref){ref.doc, node->data.sequence.items.start[i]};
	return (struct yaml_ref){ref.doc, node->data.mapping.pairs.start[i].value};
}
