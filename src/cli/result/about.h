/* SPDX-License-Identifier: MIT */
/* What a document says of one of its devices: where, how and by what it was measured. */
#ifndef CLNORM_CLI_RESULT_ABOUT_H
#define CLNORM_CLI_RESULT_ABOUT_H

#include "cli/cli.h"

/* The key of the document that is true of this device: the device's own, if it was merged. device
 * may be NULL. */
const json_t *result_about(const json_t *document, const json_t *device, const char *key);
/* A copy of the document's device as another document, the whole, is to have it: with what is not
 * true of the whole as keys of its own. NULL: out of memory. */
json_t *result_device_in(const json_t *whole, const json_t *document, const json_t *device);
/* How bytes are counted; 1 where the settings do not say. device may be NULL. */
json_int_t result_traffic_model(const json_t *document, const json_t *device);

enum { RESULT_HOST_TEXT = 320, RESULT_DEVICE_KEY = 1536 };
/* What tells the machine of this device from others: "AMD EPYC, 2 processors, x86_64, 24 GiB"; what
 * is not known is "?" or 0. An update of the system changes none of it. */
void result_host_text(const json_t *document, const json_t *device, char text[RESULT_HOST_TEXT]);
/* Writes what tells the device at this place from others, here and in other documents: its id, its
 * machine if `with_host`, and how many of the same are before it. false: too long. */
bool result_device_key(const json_t *document, size_t place, bool with_host,
                       char key[RESULT_DEVICE_KEY]);

#endif
