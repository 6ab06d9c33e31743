/* SPDX-License-Identifier: MIT */
/* Several documents of clnorm.bench/1 become one. */
#ifndef CLNORM_CLI_RESULT_MERGE_H
#define CLNORM_CLI_RESULT_MERGE_H

#include "cli/cli.h"

struct result_merge {
    json_t *document; /* NULL before the first one is added */
    json_t *devices; /* from result_device_key to the place of the device */
    json_t *results; /* from "PLACE CASE" to the place of the result */
    json_t *runs; /* of each device, an array: see result_run_whole */
};

/* Adds what the document has; *merge starts as {0}. A device is known by its id, which says nothing
 * of the machine, and by the machine's processor, their number, its architecture and its memory in
 * whole GiB; system and kernel may change. Of several that are the same by that in one document the
 * second one is the second one in all. Of results of the same case and device the later one stays,
 * at the place of the first, and a message on stderr says so. */
bool result_merge_add(struct result_merge *merge, const json_t *document, const char *name,
                      clnorm_error *error);
/* Makes merge->document of all that was added. Each result keeps what was true of the run that it
 * was measured in: see about.h. The device itself says what was true of the earliest run that has
 * results left, and the document what was of that of the first device. Its other keys are those of
 * the first document. */
bool result_merge_finish(struct result_merge *merge, clnorm_error *error);
void result_merge_release(struct result_merge *merge);

#endif
