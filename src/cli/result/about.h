/* SPDX-License-Identifier: MIT */
/* What a document says of one of its devices: where, how and by what it was measured. */
#ifndef CLNORM_CLI_RESULT_ABOUT_H
#define CLNORM_CLI_RESULT_ABOUT_H

#include "cli/cli.h"

/* The keys of a document that may differ from device to device, and from run to run: host, tool,
 * settings, created, command. The list ends with NULL. */
extern const char *const result_run_keys[];

/* What was measured in several runs has, for each of them but the first, an object in the device's
 * "runs": the keys of the device, and of the document, that are not the same in that run; null is
 * what is not there in it. The "run" of a result is a place in them. */

/* What is true of this run, by the first of the run, the device and the document that has the key.
 * device and run may be NULL. */
const json_t *result_about(const json_t *document, const json_t *device, const json_t *run,
                           const char *key);
/* The same of what the result was measured in. */
const json_t *result_fact(const json_t *document, const json_t *result, const char *key);

/* A copy of the device as it was in this run, with what the document says as keys of its own. NULL:
 * out of memory. */
json_t *result_run_whole(const json_t *document, const json_t *device, const json_t *run);
/* Takes what result_run_whole gave, and keeps what is not the same in `document`: it is then the
 * device as that document is to have it. */
json_t *result_device_in(const json_t *document, json_t *whole);

/* How bytes are counted; 1 where the settings do not say. */
json_int_t result_traffic_model(const json_t *settings);

enum { RESULT_HOST_TEXT = 320, RESULT_DEVICE_KEY = 1536 };
/* What tells the machine of this device from others: "AMD EPYC, 2 processors, x86_64, 24 GiB"; what
 * is not known is "?" or 0. An update of the system changes none of it. */
void result_host_text(const json_t *document, const json_t *device, char text[RESULT_HOST_TEXT]);
/* Writes what tells the device at this place from others, here and in other documents: its id, its
 * machine if `with_host`, and how many of the same are before it. false: too long. */
bool result_device_key(const json_t *document, size_t place, bool with_host,
                       char key[RESULT_DEVICE_KEY]);

#endif
