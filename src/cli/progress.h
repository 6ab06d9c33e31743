/* SPDX-License-Identifier: MIT */
/* One line on stderr that tells how far the work is; nothing where stderr is no terminal. It shows
 * no speed: a speed is printed only beside a result that was checked. */
#ifndef CLNORM_CLI_PROGRESS_H
#define CLNORM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *device, *work;
    uint64_t rows;
    double started, shown; /* seconds */
    bool is_on;
};

/* Such as "llvmpipe", "verifying"; both are borrowed. */
void progress_begin(struct progress *progress, const char *device, const char *work, uint64_t rows);
void progress_update(struct progress *progress, uint64_t rows_done);
/* Clears the line. */
void progress_end(struct progress *progress);

#endif
