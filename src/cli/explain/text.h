/* SPDX-License-Identifier: MIT */
/* Parts of the text of clnorm explain (explain_changes.c). */
#ifndef CLNORM_CLI_EXPLAIN_TEXT_H
#define CLNORM_CLI_EXPLAIN_TEXT_H

#include "cli/explain/print.h"

/* What the edits moved. */
void explain_tell_edits(struct printer *printer, const struct explain *all);
/* What becomes of the first sample when the batch shrinks. */
void explain_tell_batch(struct printer *printer, const struct explain *all);
/* device: or NULL. */
void explain_tell_cancel(struct printer *printer, const struct explain_cancel *cancel,
                         const clnorm_device *device);

#endif
