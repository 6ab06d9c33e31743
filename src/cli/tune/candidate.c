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
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

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

int candidate_measure(const struct layers *layers, const char *tuning, const char *selector)
{
    json_t *products = json_array();
    clnorm_error error;
    if (!measure_all(layers, tuning, selector, products, &error)) {
        json_decref(products);
        return complain_error(&error);
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

static bool start(char *const argv[], const char *path, pid_t *child, int *output)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const bool ok = posix_spawnp(child, path, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *output = ends[0];
    if (!ok)
        close(ends[0]);
    return ok;
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

static void take_times(const char *text, size_t bytes, size_t n, struct candidate_times *times)
{
    json_t *root = json_loadb(text, bytes, 0, NULL);
    const json_t *products = json_object_get(root, "products");
    if (json_array_size(products) == n)
        times->problem[0] = '\0';
    for (size_t i = 0; !times->problem[0] && i < n; i++) {
        const json_t *product = json_array_get(products, i);
        const bool ok = json_is_true(json_object_get(product, "ok"));
        times->seconds[i] = ok ? json_number_at(product, "seconds") : INFINITY;
        times->share = fmax(times->share, ok ? json_number_at(product, "of_bound") : INFINITY);
    }
    json_decref(root);
}

static void describe_end(int state, bool in_time, double limit, char *problem, size_t room)
{
    if (!in_time)
        snprintf(problem, room, "not done after %.0f seconds", limit);
    else if (WIFSIGNALED(state))
        snprintf(problem, room, "ended by signal %d", WTERMSIG(state));
    else
        snprintf(problem, room, "ended with %d", WEXITSTATUS(state));
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
    *times = (struct candidate_times){.share = 0};
    for (size_t i = 0; i < n; i++)
        times->seconds[i] = INFINITY;
    snprintf(times->problem, sizeof(times->problem), "no child process");
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
    describe_end(state, in_time, limit, times->problem, sizeof(times->problem));
    take_times(printed, bytes, n, times);
    free(printed);
}
