/* SPDX-License-Identifier: MIT */
/* One line on stderr that tells how far the work is; nothing where stderr is no terminal. It shows
 * no speed: a speed is printed only beside a result that was checked. */
#ifndef CLNORM_CLI_PROGRESS_H
#define CLNORM_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *device, *work, *unit;
    uint64_t count; /* 0: nobody knows */
    double started, shown; /* seconds */
    bool is_on;
};

/* Such as "llvmpipe", "verifying", "rows"; all are borrowed. */
void progress_begin(struct progress *progress, const char *device, const char *work,
                    const char *unit, uint64_t count);
void progress_update(struct progress *progress, uint64_t done);
/* Clears the line before another is printed; the next update shows it again. */
void progress_hide(struct progress *progress);
/* Clears the line. */
void progress_end(struct progress *progress);

#endif
