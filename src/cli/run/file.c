/* SPDX-License-Identifier: MIT */
#include "cli/run/run.h"

#include <inttypes.h>
#include <string.h>

/* ---- the files ----------------------------------------------------------------------------- */

struct outputs {
    const struct run_job *job;
    struct output_file files[TENSOR_COUNT]; /* path NULL: not wanted */
};

/* NumPy has no bfloat16 and no 8-bit floats: they are kept in unsigned integers. */
static enum npy_type file_type(clnorm_dtype dtype)
{
    static const enum npy_type file_types[] = {
        [CLNORM_F32] = NPY_F32, [CLNORM_F16] = NPY_F16, [CLNORM_BF16] = NPY_U16,
        [CLNORM_F64] = NPY_F64, [CLNORM_I8] = NPY_I8,   [CLNORM_E4M3] = NPY_U8,
        [CLNORM_E5M2] = NPY_U8, [CLNORM_I32] = NPY_I32,
    };
    return file_types[dtype];
}

/* NULL: this tensor is not written. */
static const char *output_path(const struct run_job *job, clnorm_tensor_id id)
{
    char *const *paths = job->options->tensors;
    switch (run_use(job, id).role) {
    case CLNORM_OUTPUT:
        return job->paths[id];
    case CLNORM_IN_OUT:
        return paths[id == TENSOR_running_mean ? RUN_NEW_RUNNING_MEAN : RUN_NEW_RUNNING_VAR];
    default:
        return NULL;
    }
}

static bool spares_inputs(const struct run_job *job, const struct output_file *file,
                          clnorm_error *error)
{
    for (size_t i = 0; i < TENSOR_COUNT; i++)
        if (job->files[i].path && !output_file_spares(file, job->files[i].path, error))
            return false;
    return true;
}

static bool create_output(struct outputs *outputs, clnorm_tensor_id id, clnorm_error *error)
{
    const struct run_job *job = outputs->job;
    const char *path = output_path(job, id);
    struct output_file *file = &outputs->files[id];
    const struct shape shape = run_shape_of(job, id);
    if (!path)
        return true;
    if (!output_file_create(file, path, file_type(run_use(job, id).dtype), &shape, error) ||
        !spares_inputs(job, file, error))
        return false;
    for (size_t k = 0; k < (size_t)id; k++)
        if (outputs->files[k].path && output_file_same(&outputs->files[k], file))
            return refuse(error, "%s: is named for two outputs", file->path);
    if (job->files[id].path) /* updated */
        memcpy(file->data, job->files[id].data, (size_t)job->files[id].bytes);
    return true;
}

static bool create_outputs(struct outputs *outputs, clnorm_error *error)
{
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (!create_output(outputs, (clnorm_tensor_id)id, error))
            return false;
    return true;
}

static bool sync_outputs(struct outputs *outputs, clnorm_error *error)
{
    for (size_t i = 0; i < TENSOR_COUNT; i++)
        if (outputs->files[i].path && !output_file_sync(&outputs->files[i], error))
            return false;
    return true;
}

static bool publish_outputs(struct outputs *outputs, clnorm_error *error)
{
    for (size_t i = 0; i < TENSOR_COUNT; i++)
        if (outputs->files[i].path && !output_file_publish(&outputs->files[i], error))
            return false;
    return true;
}

static void close_outputs(struct outputs *outputs)
{
    for (size_t i = 0; i < TENSOR_COUNT; i++)
        output_file_close(&outputs->files[i]);
}

/* The memory of a long run is what lies between the rows that are done and the rows to come. */
static void drop_done(void *user, uint64_t rows)
{
    const struct outputs *outputs = user;
    run_drop_inputs(outputs->job, rows);
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const uint64_t bytes = run_bytes_of_rows(outputs->job, (clnorm_tensor_id)id, rows);
        if (bytes > 0 && outputs->files[id].path)
            output_file_drop(&outputs->files[id], bytes);
    }
}

/* ---- the run ------------------------------------------------------------------------------- */

static bool calculate(struct outputs *outputs, const struct run_session *session, const char *name,
                      clnorm_host_report *report, clnorm_verdict *verdict, clnorm_error *error)
{
    const struct run_job *job = outputs->job;
    const char *const work = job->direction == CLNORM_FORWARD ? "normalizing" : "differentiating";
    const clnorm_host_args before = run_job_args(job);
    clnorm_host_args args = before;
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (outputs->files[id].path)
            clnorm_host_array_set(&args, (clnorm_tensor_id)id, outputs->files[id].data, 0);
    struct run_watch watch = {.done = drop_done, .user = outputs};
    progress_begin(&watch.progress, name, work, "rows", job->rows);
    bool is_done = run_call(session, job, job->rows, &args, &watch, report, error);
    progress_end(&watch.progress);
    if (!is_done || !job->options->verify)
        return is_done;
    watch.rows_before = 0;
    progress_begin(&watch.progress, name, "verifying", "rows", job->rows);
    is_done = run_verify(session, job, 0, job->rows, &args, &before, &watch, verdict, error);
    progress_end(&watch.progress);
    return is_done;
}

static json_t *outputs_json(const struct outputs *outputs)
{
    json_t *object = json_object();
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (outputs->files[id].path)
            json_object_set_new(object, clnorm_tensor_name((clnorm_tensor_id)id),
                                json_text(outputs->files[id].path));
    return object;
}

static int print_report(const struct outputs *outputs, const clnorm_device *device,
                        const clnorm_host_report *report, const clnorm_verdict *verdict)
{
    const struct run_job *job = outputs->job;
    const bool is_verified = job->options->verify;
    if (!job->options->json) {
        if (is_verified)
            printf("verified: %" PRIu64 " values, max error %.3g, %.0f %% of its bound\n",
                   verdict->compared, verdict->max_error, 100 * verdict->max_bound_share);
        return CLI_OK;
    }
    json_t *root = run_job_json(job);
    json_t *result = json_pack("{s:o, s:o, s:I, s:I, s:b}", "device", json_text(device->name),
                               "platform", json_text(device->platform_name), "chunks",
                               (json_int_t)report->chunks, "rows_per_chunk",
                               (json_int_t)report->rows_per_chunk, "zero_copy", report->zero_copy);
    if (is_verified)
        run_verdict_json(result, verdict);
    json_object_set_new(root, "outputs", outputs_json(outputs));
    json_object_set_new(root, "results", json_pack("[o]", result));
    return print_json(root);
}

static int run_with_outputs(struct outputs *outputs, const clnorm_device *device,
                            const struct run_session *session)
{
    clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    clnorm_error error = {0};
    if (!calculate(outputs, session, device->name, &report, &verdict, &error))
        return complain_error(&error);
    if (verdict.wrong > 0) {
        run_complain_wrong(device, &verdict);
        return CLI_WRONG;
    }
    if (!sync_outputs(outputs, &error))
        return complain_error(&error);
    const int code = print_report(outputs, device, &report, &verdict);
    if (code != CLI_OK || fflush(stdout) != 0) /* which main complains of */
        return code;
    if (!run_goes_on(&error) || !publish_outputs(outputs, &error))
        return complain_error(&error);
    complain("%s by device %u: %s (%s)",
             outputs->job->direction == CLNORM_FORWARD ? "normalized" : "gradients", device->index,
             device->name, device->platform_name);
    return CLI_OK;
}

int run_to_file(const struct run_job *job)
{
    struct outputs outputs = {.job = job};
    struct run_devices devices = {0};
    struct run_session session = {0};
    clnorm_error error = {0};
    int code;
    if (create_outputs(&outputs, &error) &&
        run_devices_choose(&devices, job->options->device, false, &error) &&
        run_session_open(&session, job, &devices.list[devices.chosen[0]], &error))
        code = run_with_outputs(&outputs, &devices.list[devices.chosen[0]], &session);
    else
        code = complain_error(&error);
    close_outputs(&outputs);
    run_session_close(&session);
    run_devices_release(&devices);
    return code;
}
