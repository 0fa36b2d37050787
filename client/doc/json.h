/* json.h: the keys of what --json prints, for the page about them. */
#ifndef DRACO_CLIENT_DOC_JSON_H
#define DRACO_CLIENT_DOC_JSON_H

struct doc_key {
	const char *path; /* "jobs[].id": of the objects in the array jobs */
	/* "string", "integer", "number", "boolean", "object", "array", "any", with '?' for null,
	 * too; or a row of word_types */
	const char *type;
	const char *help; /* a phrase in Markdown */
};

/* Of status; a NULL path ends them. */
extern const struct doc_key doc_status_keys[];

#endif
