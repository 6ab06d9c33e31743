/* SPDX-License-Identifier: MIT */
/* How far a training is: a line on stderr that is rewritten on a terminal, else a line each half
 * minute. */
#ifndef EXAMPLES_COMMON_PROGRESS_H
#define EXAMPLES_COMMON_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct ex_progress {
    uint64_t first, last; /* the step that this process began with, and where it ends */
    double started, shown; /* seconds */
    bool is_terminal;
};

void ex_progress_begin(struct ex_progress *progress, uint64_t first, uint64_t last);
/* "40 %, 2:03 left: step 400 of 1000, loss 0.3125"; `what` names the number. */
void ex_progress_show(struct ex_progress *progress, uint64_t step, const char *what, double number);
/* Clears the line, so that another may be printed. */
void ex_progress_hide(struct ex_progress *progress);

/* What takes a while before there are steps: on a terminal a line, until any of these functions
 * writes or clears one. NULL: clears it. */
void ex_progress_note(const char *text);

#endif
