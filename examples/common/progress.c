/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "common/progress.h"
#include "common/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static const double terminal_interval = 0.2, log_interval = 30; /* seconds */

void ex_progress_begin(struct ex_progress *progress, uint64_t first, uint64_t last)
{
    *progress = (struct ex_progress){
        .first = first, .last = last, .started = ex_clock(), .is_terminal = isatty(STDERR_FILENO)};
    progress->shown = progress->started;
}

/* "1:02:03", or "2:03" below an hour */
static void format_time(char *text, size_t bytes, double seconds)
{
    const unsigned long whole = (unsigned long)(seconds + 0.5);
    if (whole >= 3600)
        snprintf(text, bytes, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, bytes, "%lu:%02lu", whole / 60, whole % 60);
}

void ex_progress_show(struct ex_progress *progress, uint64_t step, const char *what, double number)
{
    const double now = ex_clock();
    if (now - progress->shown < (progress->is_terminal ? terminal_interval : log_interval))
        return;
    progress->shown = now;
    char left[32] = "?";
    if (step > progress->first)
        format_time(left, sizeof(left),
                    (now - progress->started) * (double)(progress->last - step) /
                        (double)(step - progress->first));
    fprintf(stderr, "%s%.0f %%, %s left: step %" PRIu64 " of %" PRIu64 ", %s %.4g%s",
            progress->is_terminal ? "\r\033[K" : "", 100.0 * (double)step / (double)progress->last,
            left, step, progress->last, what, number, progress->is_terminal ? "" : "\n");
    fflush(stderr);
}

void ex_progress_hide(struct ex_progress *progress)
{
    if (progress->is_terminal)
        fputs("\r\033[K", stderr);
}

void ex_progress_note(const char *text)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%s", text ? text : "");
}
