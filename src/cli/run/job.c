/* SPDX-License-Identifier: MIT */
#include "cli/run/run.h"

#include "base/desc.h"
#include "base/kind.h"

#include <inttypes.h>
#include <string.h>

/* ---- which tensors ------------------------------------------------------------------------- */

static bool name_tensor(struct run_job *job, size_t i, clnorm_error *error)
{
    const clnorm_tensor_id id = run_tensor_options[i].id;
    if (job->names[id])
        return refuse(error, "%s and %s are given; allowed is one of them", job->names[id],
                      run_tensor_options[i].name);
    job->names[id] = i == RUN_OUTPUT ? "-o" : run_tensor_options[i].name;
    job->paths[id] = job->options->tensors[i];
    return true;
}

static bool name_tensors(struct run_job *job, clnorm_error *error)
{
    char *const *paths = job->options->tensors;
    job->direction = paths[RUN_BACKWARD] ? CLNORM_BACKWARD : CLNORM_FORWARD;
    job->main = job->options->from_output ? TENSOR_y : TENSOR_x;
    for (size_t i = 0; i < RUN_TENSOR_OPTIONS; i++)
        if (paths[i] && i != RUN_NEW_RUNNING_MEAN && i != RUN_NEW_RUNNING_VAR &&
            !name_tensor(job, i, error))
            return false;
    if (paths[RUN_OUTPUT] && job->direction == CLNORM_BACKWARD)
        return refuse(error, "-o is given and --backward, which has gradients to write: --dx and "
                             "so on");
    if (!paths[RUN_NEW_RUNNING_MEAN] != !paths[RUN_NEW_RUNNING_VAR])
        return refuse(error, "of --new-running-mean and --new-running-var one is given; allowed "
                             "are both or none");
    if (paths[RUN_NEW_RUNNING_MEAN] && !job->paths[TENSOR_running_mean])
        return refuse(error, "--new-running-mean needs --running-mean, which it updates");
    if (paths[RUN_NEW_RUNNING_MEAN] && job->direction == CLNORM_BACKWARD)
        return refuse(error, "--new-running-mean and --backward are given; allowed is one of them");
    job->names[job->main] = "INPUT";
    job->paths[job->main] = job->options->input;
    return true;
}

/* Where statistics are given, --given-mean is what is missing, else --mean. */
static const char *missing_option(const struct run_job *job, clnorm_tensor_id id)
{
    const char *name = NULL;
    for (size_t i = 0; i < RUN_TENSOR_OPTIONS; i++)
        if (run_tensor_options[i].id == id && (!name || job->desc.stats != CLNORM_STATS_GIVEN))
            name = run_tensor_options[i].name;
    return name;
}

static bool check_tensor(const struct run_job *job, clnorm_tensor_id id, clnorm_error *error)
{
    const bool is_forward = job->direction == CLNORM_FORWARD;
    const clnorm_direction other = is_forward ? CLNORM_BACKWARD : CLNORM_FORWARD;
    const clnorm_tensor_use use = run_use(job, id);
    const bool is_written =
        use.role == CLNORM_OUTPUT ||
        (use.role == CLNORM_IN_OUT && job->options->tensors[RUN_NEW_RUNNING_MEAN]);
    const char *const kind = clnorm_kind_name(job->desc.kind);
    if (!job->paths[id]) {
        const bool is_dropped = use.role == CLNORM_OUTPUT && !job->paths[TENSOR_y];
        if (is_dropped || !use.required)
            return true;
        return refuse(error, "%s is missing; %s with these options needs it",
                      missing_option(job, id), kind);
    }
    if (is_written && is_forward && !job->paths[TENSOR_y])
        return refuse(error, "%s needs -o OUT",
                      use.role == CLNORM_IN_OUT ? "--new-running-mean" : job->names[id]);
    if (use.role != CLNORM_UNUSED)
        return true;
    if (clnorm_tensor_use_of(&job->desc, other, id, 1).role == CLNORM_UNUSED)
        return refuse(error, "%s is given, and %s with these options has no use for it",
                      job->names[id], kind);
    if (is_forward)
        return refuse(error, "%s needs --backward DY.npy", job->names[id]);
    return refuse(error, "%s and --backward are given; allowed is one of them", job->names[id]);
}

/* Tensors that the call has no use for, and those that it cannot do without; outputs only where
 * they are kept. */
static bool check_tensors(const struct run_job *job, clnorm_error *error)
{
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (!check_tensor(job, (clnorm_tensor_id)id, error))
            return false;
    return true;
}

/* ---- files --------------------------------------------------------------------------------- */

static bool open_file(struct run_job *job, clnorm_tensor_id id, clnorm_error *error)
{
    const bool bf16 = job->options->dtype == CLNORM_BF16 || job->options->bf16;
    struct input_file *file = &job->files[id];
    return input_file_open(file, job->paths[id], bf16, error) &&
           (file->dtype != CLNORM_I8 || id == TENSOR_qzero ||
            refuse(error, "%s: holds int8; allowed for --qzero only", file->path));
}

static bool open_input(struct run_job *job, clnorm_error *error)
{
    const struct run_options *options = job->options;
    const struct input_file *file = &job->files[job->main];
    if (!open_file(job, job->main, error))
        return false;
    if (options->dtype >= 0 && (clnorm_dtype)options->dtype != file->dtype)
        return refuse(error, "%s: holds %s; --dtype %s must be the same", options->input,
                      clnorm_dtype_name(file->dtype),
                      clnorm_dtype_name((clnorm_dtype)options->dtype));
    return true;
}

static bool is_read(const struct run_job *job, clnorm_tensor_id id)
{
    return job->paths[id] && clnorm_role_reads(run_use(job, id).role);
}

static bool open_others(struct run_job *job, clnorm_error *error)
{
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        if (id != job->main && is_read(job, id) && !open_file(job, id, error))
            return false;
    }
    return true;
}

static bool check_files(const struct run_job *job, clnorm_error *error)
{
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        const struct input_file *file = &job->files[id];
        const clnorm_dtype wanted = run_use(job, id).dtype;
        if (!file->path || id == job->main)
            continue;
        if (!run_shape_check(job, id, error))
            return false;
        if (file->dtype != wanted)
            return refuse(error, "%s: holds %s; must hold %s", file->path,
                          clnorm_dtype_name(file->dtype), clnorm_dtype_name(wanted));
    }
    return true;
}

static bool resolve(struct run_job *job, clnorm_error *error)
{
    return clnorm_desc_resolve(&job->asked, &job->desc, error) == CLNORM_OK;
}

/* What a call does with a tensor, and so which files there are to open, follows from the options
 * and INPUT; dtypes and rows_per_mod from the other files. */
static bool open_all(struct run_job *job, clnorm_error *error)
{
    return name_tensors(job, error) && run_desc_make(job, error) && run_rules_check(job, error) &&
           open_input(job, error) && run_shape_split(job, error) && run_desc_dtypes(job, error) &&
           resolve(job, error) && check_tensors(job, error) && open_others(job, error) &&
           run_shape_mods(job, error) && run_desc_dtypes(job, error) && resolve(job, error) &&
           check_files(job, error) && run_rules_check(job, error);
}

bool run_job_open(struct run_job *job, const struct run_options *options, clnorm_error *error)
{
    *job = (struct run_job){.options = options};
    if (open_all(job, error))
        return true;
    run_job_close(job);
    return false;
}

void run_job_close(struct run_job *job)
{
    for (size_t i = 0; i < TENSOR_COUNT; i++)
        input_file_close(&job->files[i]);
}

/* ---- arguments ----------------------------------------------------------------------------- */

clnorm_host_args run_job_args(const struct run_job *job)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.seed = job->options->seed;
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (job->files[id].path) /* which the call only reads, in_out ones excepted */
            clnorm_host_array_set(&args, (clnorm_tensor_id)id,
                                  (void *)(uintptr_t)job->files[id].data, 0);
    return args;
}

uint64_t run_bytes_of_rows(const struct run_job *job, clnorm_tensor_id id, uint64_t rows)
{
    const clnorm_tensor_use use = clnorm_tensor_use_of(&job->desc, job->direction, id, rows);
    return use.extent == CLNORM_WHOLE ? 0 : use.rows * use.cols * clnorm_dtype_bytes(use.dtype);
}

clnorm_host_args run_later_args(const struct run_job *job, const clnorm_host_args *args,
                                uint64_t first)
{
    clnorm_host_args later = *args;
    later.first_row += first;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        const clnorm_output array = clnorm_host_array(args, id);
        if (array.data)
            clnorm_host_array_set(&later, id,
                                  (char *)array.data + run_bytes_of_rows(job, id, first), 0);
    }
    return later;
}

void run_drop_inputs(const struct run_job *job, uint64_t rows)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const uint64_t bytes = run_bytes_of_rows(job, (clnorm_tensor_id)id, rows);
        if (bytes > 0 && job->files[id].path)
            input_file_drop(&job->files[id], bytes);
    }
}

uint64_t run_rows_step(const struct run_job *job)
{
    const bool is_known = job->desc.stats != CLNORM_STATS_COMPUTED;
    if (clnorm_kind_of(&job->desc).batch && !is_known && job->rows > 0)
        return job->rows;
    return job->desc.rows_per_mod > 0 ? job->desc.rows_per_mod : 1;
}

json_t *run_job_json(const struct run_job *job)
{
    const struct input_file *input = &job->files[job->main];
    json_t *shape = json_array();
    for (unsigned i = 0; i < input->shape.rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)input->shape.dims[i]));
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:f, s:I, s:I}", "input",
                     json_text(input->path), "shape", shape, "op", clnorm_kind_name(job->desc.kind),
                     "direction", job->direction == CLNORM_FORWARD ? "forward" : "backward",
                     "x_dtype", clnorm_dtype_name(job->desc.x_dtype), "y_dtype",
                     clnorm_dtype_name(job->desc.y_dtype), "param_dtype",
                     clnorm_dtype_name(job->desc.param_dtype), "eps", job->desc.eps, "rows",
                     (json_int_t)job->rows, "cols", (json_int_t)job->desc.cols);
}
