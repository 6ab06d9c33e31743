/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/interrupt.h"
#include "cli/cli.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILES = 24 };
/* Read by signal handlers: lock-free atomics are what C11 allows there. */
static _Atomic(const char *) files[MAX_FILES];
static volatile sig_atomic_t is_pending;

static void remove_files(void)
{
    for (size_t i = 0; i < MAX_FILES; i++) {
        const char *path = atomic_exchange(&files[i], NULL);
        if (path)
            unlink(path);
    }
}

static void on_interrupt(int signal)
{
    (void)signal;
    if (is_pending) {
        remove_files();
        _exit(CLI_INTERRUPTED);
    }
    is_pending = 1;
}

static void on_lost_page(int signal)
{
    static const char text[] = "clnorm: a file was cut short, or its disk failed, while in use\n";
    (void)signal;
    remove_files();
    const ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)written;
    _exit(CLI_USAGE);
}

void interrupt_install(void)
{
    static const struct {
        int signal;
        void (*handler)(int);
    } handlers[] = {
        {SIGINT, on_interrupt},
        {SIGTERM, on_interrupt},
        {SIGHUP, on_interrupt},
        {SIGBUS, on_lost_page},
        /* a limit on file sizes is told by the call that meets it */
        {SIGXFSZ, SIG_IGN},
    };
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        struct sigaction action = {.sa_flags = SA_RESTART}, old;
        action.sa_handler = handlers[i].handler;
        sigemptyset(&action.sa_mask);
        /* nohup, and shells that start background jobs, ignore signals on purpose */
        if (sigaction(handlers[i].signal, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(handlers[i].signal, &action, NULL);
    }
}

bool interrupt_pending(void) { return is_pending; }

void interrupt_ask(void) { is_pending = 1; }

bool interrupt_remove_file(const char *path)
{
    for (size_t i = 0; i < MAX_FILES; i++) {
        const char *expected = NULL;
        if (atomic_compare_exchange_strong(&files[i], &expected, path))
            return true;
    }
    return false;
}

void interrupt_forget_file(const char *path)
{
    for (size_t i = 0; i < MAX_FILES; i++) {
        const char *expected = path;
        atomic_compare_exchange_strong(&files[i], &expected, NULL);
    }
}
