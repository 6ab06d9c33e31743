/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/run/run.h"
#include "cli/cache_setting.h"
#include "cli/interrupt.h"
#include "cli/tune/setting.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

/* ---- which --------------------------------------------------------------------------------- */

static bool means_all(const char *selector)
{
    const char *asked = selector && *selector ? selector : getenv("CLNORM_DEVICE");
    return asked && strcasecmp(asked, "all") == 0;
}

bool run_devices_choose(struct run_devices *devices, const char *selector, bool several,
                        clnorm_error *error)
{
    *devices = (struct run_devices){0};
    if (clnorm_devices_list(&devices->list, &devices->count, error) != CLNORM_OK)
        return false;
    devices->chosen = calloc(devices->count + 1, sizeof(devices->chosen[0]));
    if (!devices->chosen) {
        out_of_memory(error, devices->count * sizeof(devices->chosen[0]));
        goto fail;
    }
    if (clnorm_devices_select(devices->list, devices->count, selector, devices->chosen,
                              &devices->n_chosen, error) != CLNORM_OK)
        goto fail;
    if (!several || !means_all(selector))
        devices->n_chosen = 1;
    return true;
fail:
    run_devices_release(devices);
    return false;
}

void run_devices_release(struct run_devices *devices)
{
    clnorm_devices_free(devices->list);
    free(devices->chosen);
    *devices = (struct run_devices){0};
}

/* With --verify every element is proved instead: what is wrong is to be seen. */
static bool set_self_test(clnorm_context *context, const struct run_options *options,
                          clnorm_error *error)
{
    const clnorm_self_test_policy policy =
        options->verify ? CLNORM_SELF_TEST_OFF : CLNORM_SELF_TEST_FIRST_USE;
    return clnorm_context_set_self_test(context, policy, error) == CLNORM_OK;
}

bool run_session_open(struct run_session *session, const struct run_job *job,
                      const clnorm_device *device, clnorm_error *error)
{
    char selector[16];
    snprintf(selector, sizeof(selector), "%u", device->index);
    *session = (struct run_session){0};
    if (clnorm_context_create(selector, log_warnings, NULL, &session->context, error) ==
            CLNORM_OK &&
        cache_setting_use(session->context, error) && tune_setting_use(session->context, error) &&
        set_self_test(session->context, job->options, error) &&
        clnorm_op_create_lazy(session->context, &job->asked, &session->op, error) == CLNORM_OK)
        return true;
    run_session_close(session);
    return false;
}

void run_session_close(struct run_session *session)
{
    clnorm_op_destroy(session->op);
    clnorm_context_destroy(session->context);
    *session = (struct run_session){0};
}

/* ---- what ---------------------------------------------------------------------------------- */

static int on_progress(void *user, uint64_t rows_done, uint64_t rows)
{
    struct run_watch *watch = user;
    (void)rows;
    if (watch->done)
        watch->done(watch->user, watch->rows_before + rows_done);
    progress_update(&watch->progress, watch->rows_before + rows_done);
    return interrupt_pending();
}

static bool interrupted(clnorm_error *error)
{
    refuse(error, "interrupted");
    error->status = CLNORM_CANCELLED;
    return false;
}

bool run_goes_on(clnorm_error *error) { return !interrupt_pending() || interrupted(error); }

bool run_call(const struct run_session *session, const struct run_job *job, uint64_t rows,
              const clnorm_host_args *args, struct run_watch *watch, clnorm_host_report *report,
              clnorm_error *error)
{
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.max_device_bytes = job->options->max_device_bytes;
    options.progress = on_progress;
    options.user = watch;
    const clnorm_status status =
        job->direction == CLNORM_FORWARD
            ? clnorm_forward_host(session->op, rows, args, &options, report, error)
            : clnorm_backward_host(session->op, rows, args, &options, report, error);
    watch->rows_before += rows;
    if (status == CLNORM_OK)
        return run_goes_on(error);
    return status == CLNORM_CANCELLED ? interrupted(error) : false;
}

/* Rows that are compared at once; sums over all rows need all of them. */
static uint64_t verified_at_once(const struct run_job *job, uint64_t rows)
{
    enum { BLOCK_BYTES = 1 << 24 }; /* a fraction of a second: Ctrl-C and progress come between */
    const uint64_t step = run_rows_step(job);
    const uint64_t fitting = BLOCK_BYTES / run_bytes_of_rows(job, job->main, 1);
    if (job->direction == CLNORM_BACKWARD || step >= rows)
        return rows;
    return fitting > step ? fitting / step * step : step;
}

bool run_verify(const struct run_session *session, const struct run_job *job, uint64_t first,
                uint64_t rows, const clnorm_host_args *args, const clnorm_host_args *before,
                struct run_watch *watch, clnorm_verdict *verdict, clnorm_error *error)
{
    const uint64_t block = verified_at_once(job, rows);
    for (uint64_t row = 0; row < rows;) {
        const uint64_t n = rows - row < block ? rows - row : block;
        const clnorm_host_args part = run_later_args(job, args, row);
        const clnorm_host_args part_before = run_later_args(job, before, row);
        if (!run_goes_on(error))
            return false;
        if (clnorm_verify(&job->asked, job->direction, clnorm_op_depth(session->op), n, first + row,
                          &part, &part_before, verdict, error) != CLNORM_OK)
            return false;
        row += n;
        on_progress(watch, row, rows);
    }
    watch->rows_before += rows;
    return run_goes_on(error); /* a signal may have come in the last block */
}

/* ---- what came of it ----------------------------------------------------------------------- */

void run_verdict_json(json_t *object, const clnorm_verdict *verdict)
{
    json_object_set_new(object, "compared", json_integer((json_int_t)verdict->compared));
    json_object_set_new(object, "wrong", json_integer((json_int_t)verdict->wrong));
    json_object_set_new(object, "max_error", json_finite(verdict->max_error));
    json_object_set_new(object, "max_scaled_error", json_finite(verdict->max_scaled_error));
    json_object_set_new(object, "bound_share", json_finite(verdict->max_bound_share));
    json_object_set_new(object, "max_ulp", json_finite(verdict->max_ulp));
    json_object_set_new(object, "verdict", json_string(verdict->wrong ? "failed" : "passed"));
}

/* printf writes NaN in several ways. */
static const char *number_text(char text[32], double value)
{
    snprintf(text, 32, "%.9g", value);
    return isnan(value) ? "NaN" : text;
}

void run_complain_wrong(const clnorm_device *device, const clnorm_verdict *verdict)
{
    char got[32], expected[32], bound[48] = "";
    if (isfinite(verdict->worst_expected))
        snprintf(bound, sizeof(bound), " within %.3g", verdict->worst_bound);
    complain("wrong result: %" PRIu64 " of %" PRIu64 " values from %s; the worst is %s[%" PRIu64
             ", %" PRIu64 "]: %s, must be %s%s",
             verdict->wrong, verdict->compared, device->name, verdict->worst_tensor,
             verdict->worst_row, verdict->worst_col, number_text(got, verdict->worst_got),
             number_text(expected, verdict->worst_expected), bound);
}
