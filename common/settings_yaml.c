/* settings_yaml.c: settings from a YAML file. The only place that knows libyaml. */
#include "common/settings_yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/settings.h"
#include "common/strv.h"

#define FILE_SIZE_MAX (1024 * 1024)

struct reading {
	const char *path;
	yaml_document_t document;
	struct settings *settings;
};

static const char *scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

static bool has_nul(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE &&
		strlen(scalar(node)) < node->data.scalar.length;
}

static int fault(
	const struct reading *reading, const yaml_node_t *node, int code, struct err *err)
{
	return err_set(err, code, "%s:%zu:%zu: %s", reading->path, node->start_mark.line + 1,
		node->start_mark.column + 1, err ? err->text : "");
}

/* The text that a value stands for: a scalar itself, the items of a list with commas. */
static int node_text(
	struct reading *reading, const yaml_node_t *node, char **ret, struct err *err)
{
	struct strv list = STRV_INIT;

	if (has_nul(node))
		return err_set(err, -EINVAL, "a value must not contain a NUL");
	if (node->type == YAML_SCALAR_NODE) {
		strv_add(&list, scalar(node));
	} else if (node->type == YAML_SEQUENCE_NODE) {
		for (yaml_node_item_t *i = node->data.sequence.items.start;
			i < node->data.sequence.items.top; i++) {
			yaml_node_t *item = yaml_document_get_node(&reading->document, *i);

			if (item->type != YAML_SCALAR_NODE || has_nul(item)) {
				strv_finish(&list);
				return err_set(err, -EINVAL,
					"an item of a list must be one value%s",
					has_nul(item) ? " without a NUL" : "");
			}
			strv_add(&list, scalar(item));
		}
	} else {
		return err_set(err, -EINVAL, "give one value, or a list of values");
	}
	*ret = strv_join(&list, ",");
	strv_finish(&list);
	return 0;
}

static int read_pair(struct reading *reading, const yaml_node_t *key, const yaml_node_t *value,
	struct err *err)
{
	_cleanup_free_ char *text = NULL, *source = NULL;
	int id, r;

	if (key->type != YAML_SCALAR_NODE || has_nul(key)) {
		err_set(err, -EINVAL, "the name of a setting must be a word%s",
			has_nul(key) ? " without a NUL" : "");
		return fault(reading, key, -EINVAL, err);
	}
	id = settings_find(scalar(key), err);
	if (id < 0)
		return fault(reading, key, -EINVAL, err);
	r = node_text(reading, value, &text, err);
	if (r < 0) {
		err_prefix(err, "%s", scalar(key));
		return fault(reading, value, r, err);
	}
	if (asprintf(&source, "%s:%zu", reading->path, key->start_mark.line + 1) < 0)
		return -ENOMEM;
	r = settings_set(reading->settings, id, text, source, err);
	return r < 0 ? fault(reading, value, -EINVAL, err) : 0;
}

static int read_document(struct reading *reading, struct err *err)
{
	yaml_node_t *root = yaml_document_get_root_node(&reading->document);

	if (!root || (root->type == YAML_SCALAR_NODE && !*scalar(root)))
		return 0; /* an empty file */
	if (root->type != YAML_MAPPING_NODE) {
		err_set(err, -EINVAL, "the file must consist of lines \"setting: value\"");
		return fault(reading, root, -EINVAL, err);
	}
	for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
		pair < root->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = yaml_document_get_node(&reading->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(&reading->document, pair->value);
		int r = read_pair(reading, key, value, err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int load_document(
	yaml_parser_t *parser, const char *path, yaml_document_t *document, struct err *err)
{
	if (yaml_parser_load(parser, document))
		return 0;
	return err_set(err, -EINVAL, "%s:%zu:%zu: %s", path, parser->problem_mark.line + 1,
		parser->problem_mark.column + 1,
		parser->problem ? parser->problem : "not YAML");
}

/* What stands in further documents would be passed over in silence. */
static int check_end(yaml_parser_t *parser, const char *path, struct err *err)
{
	yaml_document_t next;
	int r = load_document(parser, path, &next, err);

	if (r < 0)
		return r;
	if (yaml_document_get_root_node(&next))
		r = err_set(err, -EINVAL, "%s:%zu:%zu: there must be only one document", path,
			next.start_mark.line + 1, next.start_mark.column + 1);
	yaml_document_delete(&next);
	return r;
}

int settings_load_file(struct settings *settings, const char *path, struct err *err)
{
	struct reading reading = {.path = path, .settings = settings};
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	yaml_parser_t parser;
	struct stat st;
	int r;

	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (fstat(fileno(file), &st) < 0 || S_ISDIR(st.st_mode))
		return err_set(err, -EISDIR, "cannot read %s: it is a directory", path);
	if (fseek(file, 0, SEEK_END) < 0 || ftell(file) > FILE_SIZE_MAX)
		return err_set(
			err, -EFBIG, "%s is not a settings file: larger than 1 MiB", path);
	rewind(file);
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_file(&parser, file);
	r = load_document(&parser, path, &reading.document, err);
	if (r == 0) {
		r = read_document(&reading, err);
		yaml_document_delete(&reading.document);
	}
	if (r == 0)
		r = check_end(&parser, path, err);
	yaml_parser_delete(&parser);
	return r;
}
