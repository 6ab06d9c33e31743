/* SPDX-License-Identifier: MIT */
/* What is known of implementations that they do not tell. */
#ifndef CLNORM_RUNTIME_QUIRKS_H
#define CLNORM_RUNTIME_QUIRKS_H

#include "runtime/opencl.h"

typedef enum clnorm_quirk_id {
    CLNORM_QUIRK_CLANG, /* the compiler has clang's built-ins for CPUs, which pay */
    CLNORM_QUIRK_SHORT_LOOPS, /* the loops of a work-item end after 65535 iterations in all */
    CLNORM_QUIRK_NO_BINARIES, /* programs are built from source each time */
    CLNORM_QUIRK_NO_SUBGROUPS, /* those that it reports are not for use */
    CLNORM_QUIRK_LONE_ITEMS, /* groups with barriers have one work-item only */
    CLNORM_QUIRK_SLOW, /* a simulator */
    CLNORM_QUIRK_HOST /* it computes on the host's CPUs, and does not say so */
} clnorm_quirk_id;

/* Why the device has it; NULL: it has not. */
const char *clnorm_quirk_reason(const clnorm_device *device, clnorm_quirk_id id);

#endif
