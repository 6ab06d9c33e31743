/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/progress.h"
#include "check/clock.h"
#include "cli/cli.h"

#include <inttypes.h>
#include <unistd.h>

static const double interval = 0.1; /* seconds: often enough to look alive */

void progress_begin(struct progress *progress, const char *device, const char *work,
                    const char *unit, uint64_t count)
{
    *progress = (struct progress){.device = device,
                                  .work = work,
                                  .unit = unit,
                                  .count = count,
                                  .is_on = isatty(STDERR_FILENO)};
    if (!progress->is_on)
        return;
    progress->started = clnorm_clock();
    progress_update(progress, 0);
}

/* "1:02:03", or "2:03" below an hour. */
static void format_time(char *text, size_t bytes, double seconds)
{
    const unsigned long whole = (unsigned long)(seconds + 0.5);
    if (whole >= 3600)
        snprintf(text, bytes, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, bytes, "%lu:%02lu", whole / 60, whole % 60);
}

/* "7 %, 2:03 left, checking: 5 of 70 cases on llvmpipe" */
static void format_line(const struct progress *progress, uint64_t done, double seconds, char *line,
                        size_t bytes)
{
    char time[32] = "?";
    if (progress->count == 0) {
        format_time(time, sizeof(time), seconds);
        snprintf(line, bytes, "%s, %s: %" PRIu64 " %s on %s", time, progress->work, done,
                 progress->unit, progress->device);
        return;
    }
    const double share = (double)done / (double)progress->count;
    if (done > 0)
        format_time(time, sizeof(time), seconds * (1 - share) / share);
    snprintf(line, bytes, "%.0f %%, %s left, %s: %" PRIu64 " of %" PRIu64 " %s on %s", 100 * share,
             time, progress->work, done, progress->count, progress->unit, progress->device);
}

void progress_update(struct progress *progress, uint64_t done)
{
    const double time = progress->is_on ? clnorm_clock() : 0;
    if (!progress->is_on || (progress->shown > 0 && time - progress->shown < interval))
        return;
    progress->shown = time;
    /* a line that wraps could not be cleared: the end of a long device name may be cut */
    const unsigned width = terminal_width(stderr);
    char line[256];
    format_line(progress, done, time - progress->started, line, sizeof(line));
    fprintf(stderr, "\r\033[K%.*s", width > 1 ? (int)width - 1 : 79, line);
    fflush(stderr);
}

void progress_hide(struct progress *progress)
{
    if (progress->is_on)
        fputs("\r\033[K", stderr);
    progress->shown = 0;
}

void progress_end(struct progress *progress)
{
    progress_hide(progress);
    progress->is_on = false;
}
