/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/devices/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* YES and NO: exit codes that no driver is likely to use when it ends the process. */
enum { SECONDS = 20, YES = 100, NO = 101 };

/* Drivers print what they think of a machine. */
static void be_silent(void)
{
    const int null = open("/dev/null", O_WRONLY);
    if (null >= 0) {
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
    }
}

static void answer_in_child(int to_parent, probe_fn function, const char *argument)
{
    char text[sizeof(((struct probe_answer *)0)->text)] = "";
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGBUS};
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        signal(handled[i], SIG_DFL);
    alarm(SECONDS);
    be_silent();
    const bool ok = function(argument, text, sizeof(text));
    const size_t length = strlen(text);
    const bool written = write(to_parent, text, length) == (ssize_t)length;
    _exit(written && ok ? YES : NO);
}

static void describe_end(struct probe_answer *answer, int state)
{
    const int number = WIFSIGNALED(state) ? WTERMSIG(state) : 0;
    answer->survived = false;
    if (number == SIGALRM)
        snprintf(answer->text, sizeof(answer->text), "gives no answer in %d s", SECONDS);
    else if (number)
        snprintf(answer->text, sizeof(answer->text), "ends the process with signal %d (%s)", number,
                 strsignal(number));
    else
        snprintf(answer->text, sizeof(answer->text), "ends the process with exit code %d",
                 WEXITSTATUS(state));
}

void probe_run(probe_fn function, const char *argument, struct probe_answer *answer)
{
    int ends[2], state = 0;
    *answer = (struct probe_answer){.survived = true};
    fflush(NULL); /* or the child prints it again */
    if (pipe(ends) != 0) {
        snprintf(answer->text, sizeof(answer->text), "no pipe: %s", strerror(errno));
        return;
    }
    const pid_t child = fork();
    if (child == 0)
        answer_in_child(ends[1], function, argument);
    close(ends[1]);
    if (child < 0) {
        snprintf(answer->text, sizeof(answer->text), "no child process: %s", strerror(errno));
    } else {
        /* The text fits into the pipe, so the child does not wait for a reader; a process that it
         * leaves behind may hold the pipe open, so its end is not waited for either. */
        while (waitpid(child, &state, 0) < 0 && errno == EINTR)
            ;
        const ssize_t length = fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0
                                   ? read(ends[0], answer->text, sizeof(answer->text) - 1)
                                   : -1;
        answer->text[length > 0 ? length : 0] = '\0';
        const int code = WIFEXITED(state) ? WEXITSTATUS(state) : -1;
        answer->ok = code == YES;
        if (code != YES && code != NO)
            describe_end(answer, state);
    }
    close(ends[0]);
}
