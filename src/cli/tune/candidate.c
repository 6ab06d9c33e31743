/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L
#include "cli/tune/candidate.h"

#include "check/clock.h"
#include "cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

/* ---- in the child -------------------------------------------------------------------------- */

static bool parse_tuning(const char *text, clnorm_gemm_tuning *tuning, clnorm_error *error)
{
    clnorm_field field;
    clnorm_status status = CLNORM_OK;
    memset(tuning, 0, sizeof(*tuning));
    while (status == CLNORM_OK && clnorm_field_next(&text, &field, error))
        if (!clnorm_gemm_tuning_field(&field, tuning, &status, error))
            return refuse(error,
                          "--candidate: unknown '%s'; allowed are gemm, gemm_direct, gemv, gemv_t, "
                          "min_indirect, gemv_rows and gemv_rows_t",
                          field.name);
    return status == CLNORM_OK && error->status == CLNORM_OK;
}

static json_t *product_json(const clnorm_gemm_case *c, const clnorm_gemm_timing *timing)
{
    const bool right = timing->share <= 1;
    return json_pack("{s:I, s:I, s:I, s:b, s:b, s:b, s:o, s:o}", "m", (json_int_t)c->m, "n",
                     (json_int_t)c->n, "k", (json_int_t)c->k, "a_transposed", c->a_transposed,
                     "b_transposed", c->b_transposed, "ok", right, "of_bound",
                     json_finite(timing->share), "seconds",
                     right ? json_finite(timing->seconds) : json_null());
}

static bool measure_all(const struct layers *layers, const char *text, const char *selector,
                        json_t *products, clnorm_error *error)
{
    clnorm_context *context = NULL;
    clnorm_gemm_tuning tuning;
    clnorm_gemm_timing timing;
    error->status = CLNORM_OK;
    bool ok = parse_tuning(text, &tuning, error) &&
              clnorm_context_create(selector, log_warnings, NULL, &context, error) == CLNORM_OK &&
              clnorm_gemm_use(context, &tuning, error) == CLNORM_OK;
    for (size_t i = 0; ok && i < layers->n * PRODUCTS_OF_LAYER; i++) {
        const clnorm_gemm_case c = layers_product(layers, i);
        ok = clnorm_gemm_time(context, &c, &timing, error) == CLNORM_OK;
        if (ok)
            json_array_append_new(products, product_json(&c, &timing));
    }
    clnorm_context_destroy(context);
    return ok;
}

/* On stderr, and in JSON for the search, which reads that only. */
static int tell_error(const char *tuning, const clnorm_error *error)
{
    const int code = complain_error(error);
    char line[ERROR_LINE];
    error_line(error, line);
    print_json(
        json_pack("{s:s, s:o, s:i}", "candidate", tuning, "error", json_text(line), "code", code));
    return code;
}

int candidate_measure(const struct layers *layers, const char *tuning, const char *selector)
{
    json_t *products = json_array();
    clnorm_error error;
    if (!measure_all(layers, tuning, selector, products, &error)) {
        json_decref(products);
        return tell_error(tuning, &error);
    }
    bool right = true;
    for (size_t i = 0; i < json_array_size(products); i++)
        right &= json_is_true(json_object_get(json_array_get(products, i), "ok"));
    const int code = print_json(json_pack("{s:s, s:o}", "candidate", tuning, "products", products));
    return code == CLI_OK && !right ? CLI_WRONG : code;
}

/* ---- in the parent ------------------------------------------------------------------------- */

static void own_path(char *path, size_t room)
{
    const ssize_t length = readlink("/proc/self/exe", path, room - 1);
    if (length > 0)
        path[length] = '\0';
    else
        snprintf(path, room, "clnorm"); /* of the search path */
}

/* After fork(): calls only what may be called there. */
static void become(char *const argv[], const char *path, int output, pid_t parent)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    const int nowhere = open("/dev/null", O_WRONLY);
    if (getppid() == parent && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(nowhere, STDERR_FILENO) >= 0)
        execvp(path, argv);
    _exit(CLI_DEVICE);
}

static bool start(char *const argv[], const char *path, pid_t *child, int *output)
{
    const pid_t parent = getpid();
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    *child = fork();
    if (*child == 0)
        become(argv, path, ends[1], parent);
    close(ends[1]);
    *output = ends[0];
    if (*child < 0)
        close(ends[0]);
    return *child > 0;
}

/* Until the end of what it prints, the limit, or a signal. Returns how many bytes. */
static size_t listen_to(int output, double limit, char *text, size_t room)
{
    const double end = clnorm_clock() + limit;
    struct pollfd wait = {.fd = output, .events = POLLIN};
    size_t used = 0;
    while (used < room && clnorm_clock() < end && !interrupt_pending()) {
        if (poll(&wait, 1, 100) <= 0)
            continue;
        const ssize_t got = read(output, text + used, room - used);
        if (got == 0 || (got < 0 && errno != EINTR))
            break;
        used += got > 0 ? (size_t)got : 0;
    }
    return used;
}

static void note(struct candidate_times *times, int code, const char *problem)
{
    times->code = code;
    snprintf(times->problem, sizeof(times->problem), "%s", problem);
}

static void take_times(const json_t *products, struct candidate_times *times)
{
    note(times, CLI_OK, "");
    for (size_t i = 0; i < json_array_size(products); i++) {
        const json_t *product = json_array_get(products, i);
        if (json_is_true(json_object_get(product, "ok")))
            times->seconds[i] = json_number_at(product, "seconds");
        else
            note(times, CLI_WRONG, "a wrong result");
    }
}

static void take_answer(const char *text, size_t bytes, size_t n, struct candidate_times *times)
{
    json_t *root = json_loadb(text, bytes, 0, NULL);
    const json_t *products = json_object_get(root, "products");
    const char *error = json_text_at(root, "error");
    if (error[0])
        note(times, (int)json_number_at(root, "code"), error);
    else if (json_array_size(products) == n)
        take_times(products, times);
    json_decref(root);
}

/* For one that gave no answer. */
static void describe_end(int state, bool in_time, double limit, struct candidate_times *times)
{
    char text[80];
    if (!in_time)
        snprintf(text, sizeof(text), "not done after %g seconds", limit);
    else if (WIFSIGNALED(state))
        snprintf(text, sizeof(text), "ended by signal %d", WTERMSIG(state));
    else
        snprintf(text, sizeof(text), "ended with %d", WEXITSTATUS(state));
    note(times, in_time ? CLI_DEVICE : CLI_USAGE, text);
}

void candidate_run(const struct layers *layers, const clnorm_gemm_tuning *tuning, unsigned device,
                   double limit, struct candidate_times *times)
{
    enum { ROOM = 1 << 16 };
    char path[4096], list[LAYERS_TEXT], text[CLNORM_GEMM_TUNING_TEXT], selector[16];
    char *argv[] = {"clnorm", "tune",     "--gemm", list, "--candidate",
                    text,     "--device", selector, NULL};
    char *printed = malloc(ROOM);
    int output, state = 0;
    pid_t child;
    const size_t n = layers->n * PRODUCTS_OF_LAYER;
    for (size_t i = 0; i < n; i++)
        times->seconds[i] = INFINITY;
    note(times, CLI_DEVICE, "no child process");
    own_path(path, sizeof(path));
    layers_text(layers, list);
    clnorm_gemm_tuning_text(tuning, text);
    snprintf(selector, sizeof(selector), "%u", device);
    if (!printed || !start(argv, path, &child, &output)) {
        free(printed);
        return;
    }
    const double begun = clnorm_clock();
    const size_t bytes = listen_to(output, limit, printed, ROOM);
    const bool in_time = clnorm_clock() - begun < limit;
    kill(child, SIGKILL); /* one that has printed all has nothing left to do */
    while (waitpid(child, &state, 0) < 0 && errno == EINTR)
        ;
    close(output);
    describe_end(state, in_time, limit, times);
    take_answer(printed, bytes, n, times);
    free(printed);
}
