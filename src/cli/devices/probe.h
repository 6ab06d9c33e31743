/* SPDX-License-Identifier: MIT */
/* Work that may abort, hang or print: done in a child process. */
#ifndef CLNORM_CLI_DEVICES_PROBE_H
#define CLNORM_CLI_DEVICES_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct probe_answer {
    bool survived; /* false: the text says how the child ended */
    bool ok; /* what the function returned */
    char text[2048];
};

/* Runs in the child: writes at most `capacity` bytes of text, with its final 0. */
typedef bool (*probe_fn)(const char *argument, char *text, size_t capacity);

void probe_run(probe_fn function, const char *argument, struct probe_answer *answer);

#endif
