/* SPDX-License-Identifier: MIT */
#include "cli/run.h"
#include "cli/output_file.h"

#include <inttypes.h>

enum { Y = 0, MEAN, RSTD, N_OUTPUTS };

/* ---- the files ----------------------------------------------------------------------------- */

struct outputs {
    const struct run_job *job;
    struct output_file files[N_OUTPUTS]; /* path NULL: not wanted */
};

/* NumPy has no bfloat16: it is kept in uint16. */
static enum npy_type file_type(clnorm_dtype dtype)
{
    static const enum npy_type file_types[] = {[CLNORM_F32] = NPY_F32,
                                               [CLNORM_F16] = NPY_F16,
                                               [CLNORM_BF16] = NPY_U16,
                                               [CLNORM_F64] = NPY_F64};
    return file_types[dtype];
}

static bool is_input(const struct run_job *job, const struct output_file *file, clnorm_error *error)
{
    const struct input_file *inputs[] = {&job->x, &job->weight, &job->bias};
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        if (inputs[i]->path && output_file_is(file, inputs[i]->device, inputs[i]->inode))
            return !refuse(error, "%s: is the same file as the input %s; must be another one",
                           file->path, inputs[i]->path);
    return false;
}

static bool create_outputs(struct outputs *outputs, const struct run_job *job, clnorm_error *error)
{
    const struct run_options *options = job->options;
    const char *const paths[] = {
        [Y] = options->output, [MEAN] = options->mean, [RSTD] = options->rstd};
    const clnorm_dtype stats = clnorm_stats_dtype(&job->desc);
    const clnorm_dtype dtypes[] = {[Y] = job->desc.y_dtype, [MEAN] = stats, [RSTD] = stats};
    struct shape stats_shape = job->x.shape;
    stats_shape.rank -= job->row_axes;
    for (size_t i = 0; i < N_OUTPUTS; i++) {
        struct output_file *file = &outputs->files[i];
        if (!paths[i])
            continue;
        if (!output_file_create(file, paths[i], file_type(dtypes[i]),
                                i == Y ? &job->x.shape : &stats_shape, error) ||
            is_input(job, file, error))
            return false;
        for (size_t k = 0; k < i; k++)
            if (outputs->files[k].path && output_file_same(&outputs->files[k], file))
                return refuse(error, "%s: is named for two outputs", file->path);
    }
    return true;
}

static bool keep_outputs(struct outputs *outputs, clnorm_error *error)
{
    for (size_t i = 0; i < N_OUTPUTS; i++)
        if (outputs->files[i].path && !output_file_sync(&outputs->files[i], error))
            return false;
    for (size_t i = 0; i < N_OUTPUTS; i++)
        if (outputs->files[i].path && !output_file_publish(&outputs->files[i], error))
            return false;
    return true;
}

static void close_outputs(struct outputs *outputs)
{
    for (size_t i = 0; i < N_OUTPUTS; i++)
        output_file_close(&outputs->files[i]);
}

/* The memory of a long run is what lies between the rows that are done and the rows to come. */
static void drop_done(void *user, uint64_t rows)
{
    const struct outputs *outputs = user;
    const clnorm_desc *desc = &outputs->job->desc;
    const uint64_t stats_bytes = rows * clnorm_dtype_bytes(clnorm_stats_dtype(desc));
    input_file_drop(&outputs->job->x, rows * run_x_row_bytes(outputs->job));
    output_file_drop(&outputs->files[Y], rows * run_y_row_bytes(outputs->job));
    output_file_drop(&outputs->files[MEAN], stats_bytes);
    output_file_drop(&outputs->files[RSTD], stats_bytes);
}

/* ---- the run ------------------------------------------------------------------------------- */

static bool normalize(struct outputs *outputs, const struct run_session *session, const char *name,
                      clnorm_host_report *report, clnorm_verdict *verdict, clnorm_error *error)
{
    const struct run_job *job = outputs->job;
    clnorm_host_args args = run_job_args(job, 0);
    args.y = outputs->files[Y].data;
    args.mean = outputs->files[MEAN].data;
    args.rstd = outputs->files[RSTD].data;
    struct run_watch watch = {.done = drop_done, .user = outputs};
    progress_begin(&watch.progress, name, "normalizing", job->rows);
    bool is_done = run_forward(session, job, job->rows, &args, &watch, report, error);
    progress_end(&watch.progress);
    if (!is_done || !job->options->verify)
        return is_done;
    watch.rows_before = 0;
    progress_begin(&watch.progress, name, "verifying", job->rows);
    is_done = run_verify(session, job, 0, job->rows, &args, &watch, verdict, error);
    progress_end(&watch.progress);
    return is_done;
}

static int print_report(const struct run_job *job, const clnorm_device *device,
                        const clnorm_host_report *report, const clnorm_verdict *verdict)
{
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
    json_object_set_new(root, "output", json_text(job->options->output));
    json_object_set_new(root, "results", json_pack("[o]", result));
    return print_json(root);
}

static int run_with_outputs(struct outputs *outputs, const clnorm_device *device,
                            const struct run_session *session)
{
    const struct run_job *job = outputs->job;
    clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    clnorm_error error = {0};
    if (!normalize(outputs, session, device->name, &report, &verdict, &error))
        return complain_error(&error);
    if (verdict.wrong > 0) {
        run_complain_wrong(device, &verdict);
        return CLI_WRONG;
    }
    if (!keep_outputs(outputs, &error))
        return complain_error(&error);
    complain("normalized by device %u: %s (%s)", device->index, device->name,
             device->platform_name);
    return print_report(job, device, &report, &verdict);
}

int run_to_file(const struct run_job *job)
{
    struct outputs outputs = {.job = job};
    struct run_devices devices = {0};
    struct run_session session = {0};
    clnorm_error error = {0};
    int code;
    if (create_outputs(&outputs, job, &error) &&
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
