/* SPDX-License-Identifier: MIT */
/* Several documents of clnorm.bench/1 become one. */
#ifndef CLNORM_CLI_RESULT_MERGE_H
#define CLNORM_CLI_RESULT_MERGE_H

#include "cli/cli.h"

struct result_merge {
    json_t *document; /* NULL before the first one is added */
    json_t *devices; /* from "ID, how many of this id came before" to the place of the device */
    json_t *results; /* from "PLACE CASE" to the place of the result */
};

/* Adds what the document has; *merge starts as {0}. A device is known by its id, and of several
 * with the same id in one document the second one is the second one in all. Of results of the same
 * case and device the later one stays, at the place of the first, and a message on stderr says so.
 * A device of another host, tool or time than the first document's gets these keys of its own.
 * Other keys are those of the first document. */
bool result_merge_add(struct result_merge *merge, const json_t *document, const char *name,
                      clnorm_error *error);
void result_merge_release(struct result_merge *merge);

/* The key of the document that is true of this device: the device's own, if it was merged. */
const json_t *result_about(const json_t *document, const json_t *device, const char *key);

/* Writes "ID, how many of the same id are before it" of the device at this place. false: too long.
 */
bool result_device_key(const json_t *devices, size_t place, char *key, size_t room);

#endif
