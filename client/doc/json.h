/* json.h: the keys in the output of --json, for the page about them. */
#ifndef DRACO_CLIENT_DOC_JSON_H
#define DRACO_CLIENT_DOC_JSON_H

struct doc_key {
	const char *path; /* "jobs[].id": of the objects in the array jobs */
	/* One of "string", "integer", "number", "boolean", "object", "array", "any", with '?' if
	 * null is possible; or a row of word_types. */
	const char *type;
	const char *help; /* a phrase in Markdown */
};

/* The keys of status, ending with a NULL path. */
extern const struct doc_key doc_status_keys[];

#endif
