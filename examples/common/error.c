/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L
#include "common/error.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *program_name = "example";
static _Atomic(const char *) half_written;
static volatile sig_atomic_t is_interrupted;

static void remove_half_written(void)
{
    const char *path = atomic_exchange(&half_written, NULL);
    if (path)
        unlink(path);
}

static void on_signal(int signal)
{
    (void)signal;
    if (is_interrupted) {
        remove_half_written();
        _exit(EX_INTERRUPTED);
    }
    is_interrupted = 1;
}

void ex_begin(const char *program)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    const char *slash = strrchr(program, '/');
    program_name = slash ? slash + 1 : program;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction action = {.sa_flags = SA_RESTART}, old;
        action.sa_handler = on_signal;
        sigemptyset(&action.sa_mask);
        /* nohup, and shells that start background jobs, ignore signals on purpose */
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is told by the call that meets it */
}

int ex_interrupted(void) { return is_interrupted; }

void ex_remove_at_end(const char *path) { atomic_store(&half_written, path); }

void ex_die(int code, const char *format, ...)
{
    va_list values;
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr); /* a line of progress may be there */
    fprintf(stderr, "%s: ", program_name);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    remove_half_written();
    exit(code);
}

void ex_must(clnorm_status status, const clnorm_error *error)
{
    if (status == CLNORM_OK)
        return;
    const int is_asked_wrong = status == CLNORM_BAD_DESC || status == CLNORM_BAD_ARGS;
    ex_die(is_asked_wrong ? EX_USAGE : EX_DEVICE, "%s", error->text);
}

void ex_must_cl(cl_int code, const char *call)
{
    if (code != CL_SUCCESS)
        ex_die(EX_DEVICE, "%s failed with OpenCL error %d", call, code);
}

void *ex_alloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        ex_die(EX_DEVICE, "no host memory for %zu elements of %zu bytes", count, size);
    return memory;
}

double ex_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
