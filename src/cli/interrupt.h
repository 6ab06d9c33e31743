/* SPDX-License-Identifier: MIT */
/* Ctrl-C and its kind end a command in order: no temporary file stays behind. */
#ifndef CLNORM_CLI_INTERRUPT_H
#define CLNORM_CLI_INTERRUPT_H

#include <stdbool.h>

/* The first SIGINT, SIGTERM or SIGHUP only sets a flag; a second one removes the temporary files
 * and ends the process with 130. SIGBUS, which is what a mapped file that was cut short while in
 * use gives, does so with a message and 2. */
void interrupt_install(void);
bool interrupt_pending(void);
/* As if a signal had come: what was done so far is all. */
void interrupt_ask(void);

/* `path` is removed when the process is ended by a signal; it must live until interrupt_forget.
 * false if too many are kept. */
bool interrupt_remove_file(const char *path);
void interrupt_forget_file(const char *path);

#endif
