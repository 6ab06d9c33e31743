/* SPDX-License-Identifier: MIT */
/* The examples are programs, not libraries: what goes wrong ends them with a message. */
#ifndef EXAMPLES_COMMON_ERROR_H
#define EXAMPLES_COMMON_ERROR_H

#include <clnorm/clnorm.h>

/* Exit codes, those of the command clnorm. */
enum { EX_WRONG = 1, EX_USAGE = 2, EX_DEVICE = 3, EX_INTERRUPTED = 130 };

/* argv[0] of main: messages begin with its last part. Installs the handlers of ex_interrupted. */
void ex_begin(const char *program);

/* Prints "program: message" on stderr and exits with `code`; a file that is half written goes. */
#ifdef __GNUC__
__attribute__((format(printf, 2, 3)))
#endif
_Noreturn void
ex_die(int code, const char *format, ...);

/* Return if the call went well. */
void ex_must(clnorm_status status, const clnorm_error *error);
void ex_must_cl(cl_int code, const char *call);

/* count * size bytes of zeros, to be freed; size is not 0. */
void *ex_alloc(size_t count, size_t size);

/* Seconds of a clock that never goes back. */
double ex_clock(void);

/* SIGINT, SIGTERM and SIGHUP: the first one sets a flag, so that a program can finish its step and
 * write its checkpoint; a second one ends the process with 130. */
int ex_interrupted(void);
/* Removed where the process is ended by ex_die or a signal; must live until it is set to NULL. */
void ex_remove_at_end(const char *path);

#endif
