/* SPDX-License-Identifier: MIT */
#include "cli/run.h"

#include "check/cases.h"

#include <inttypes.h>
#include <string.h>

uint64_t run_x_row_bytes(const struct run_job *job)
{
    return job->desc.cols * clnorm_dtype_bytes(job->desc.x_dtype);
}

uint64_t run_y_row_bytes(const struct run_job *job)
{
    return job->desc.cols * clnorm_dtype_bytes(job->desc.y_dtype);
}

static bool open_input(struct run_job *job, clnorm_error *error)
{
    const struct run_options *options = job->options;
    if (!input_file_open(&job->x, options->input, options->dtype == CLNORM_BF16, error))
        return false;
    if (options->dtype >= 0 && (clnorm_dtype)options->dtype != job->x.dtype)
        return refuse(error, "%s: holds %s; --dtype %s must be the same", options->input,
                      clnorm_dtype_name(job->x.dtype),
                      clnorm_dtype_name((clnorm_dtype)options->dtype));
    return true;
}

/* Splits the shape into rows and columns. */
static bool split_shape(struct run_job *job, clnorm_error *error)
{
    const struct shape *shape = &job->x.shape;
    const uint64_t axes = job->options->axes;
    char text[SHAPE_TEXT];
    shape_text(shape, text);
    if (shape->rank == 0)
        return refuse(error, "%s: shape () has no axis to normalize", job->x.path);
    if (axes > shape->rank)
        return refuse(error, "--axes %" PRIu64 ": must be at most %u, as %s has the shape %s", axes,
                      shape->rank, job->x.path, text);
    job->row_axes = (unsigned)axes;
    job->desc.cols = shape_count(shape, shape->rank - job->row_axes, shape->rank);
    job->rows = shape_count(shape, 0, shape->rank - job->row_axes);
    if (job->desc.cols == 0)
        return refuse(error, "%s: shape %s gives rows of 0 columns; must be at least 1",
                      job->x.path, text);
    return true;
}

static bool has_row_shape(const struct run_job *job, const struct shape *shape)
{
    const struct shape *x = &job->x.shape;
    const bool is_flat = shape->rank == 1 && shape->dims[0] == job->desc.cols;
    return is_flat ||
           (shape->rank == job->row_axes && memcmp(shape->dims, x->dims + x->rank - job->row_axes,
                                                   job->row_axes * sizeof(x->dims[0])) == 0);
}

static bool open_parameter(struct run_job *job, struct input_file *file, const char *path,
                           clnorm_error *error)
{
    struct shape wanted = {.rank = job->row_axes};
    char text[SHAPE_TEXT], wanted_text[SHAPE_TEXT];
    if (!path)
        return true;
    if (!input_file_open(file, path, job->options->dtype == CLNORM_BF16, error))
        return false;
    if (has_row_shape(job, &file->shape))
        return true;
    memcpy(wanted.dims, job->x.shape.dims + job->x.shape.rank - job->row_axes,
           job->row_axes * sizeof(wanted.dims[0]));
    shape_text(&file->shape, text);
    shape_text(&wanted, wanted_text);
    char flat_text[48] = "";
    if (job->row_axes > 1)
        snprintf(flat_text, sizeof(flat_text), " or (%" PRIu64 ",)", job->desc.cols);
    return refuse(error, "%s: shape %s; must be %s%s, as the rows of %s", path, text, wanted_text,
                  flat_text, job->x.path);
}

static bool open_parameters(struct run_job *job, clnorm_error *error)
{
    if (!open_parameter(job, &job->weight, job->options->weight, error) ||
        !open_parameter(job, &job->bias, job->options->bias, error))
        return false;
    if (job->weight.path && job->bias.path && job->weight.dtype != job->bias.dtype)
        return refuse(error, "%s holds %s and %s holds %s; must be the same", job->weight.path,
                      clnorm_dtype_name(job->weight.dtype), job->bias.path,
                      clnorm_dtype_name(job->bias.dtype));
    if (job->weight.path)
        job->desc.param_dtype = job->weight.dtype;
    else if (job->bias.path)
        job->desc.param_dtype = job->bias.dtype;
    else
        job->desc.param_dtype = job->x.dtype == CLNORM_F64 ? CLNORM_F64 : CLNORM_F32;
    return true;
}

bool run_job_open(struct run_job *job, const struct run_options *options, clnorm_error *error)
{
    *job = (struct run_job){.options = options, .desc = CLNORM_DESC_INIT};
    job->desc.kind = (clnorm_kind)options->op;
    job->desc.eps = options->eps;
    if (!open_input(job, error) || !split_shape(job, error) || !open_parameters(job, error))
        goto fail;
    job->desc.x_dtype = job->x.dtype;
    job->desc.y_dtype = options->out_dtype >= 0 ? (clnorm_dtype)options->out_dtype : job->x.dtype;
    if (clnorm_desc_check(&job->desc, error) == CLNORM_OK)
        return true;
fail:
    run_job_close(job);
    return false;
}

void run_job_close(struct run_job *job)
{
    input_file_close(&job->x);
    input_file_close(&job->weight);
    input_file_close(&job->bias);
}

clnorm_host_args run_job_args(const struct run_job *job, uint64_t first)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x = (const char *)job->x.data + first * run_x_row_bytes(job);
    args.weight = job->weight.data;
    args.bias = job->bias.data;
    return args;
}

json_t *run_job_json(const struct run_job *job)
{
    json_t *shape = json_array();
    for (unsigned i = 0; i < job->x.shape.rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)job->x.shape.dims[i]));
    return json_pack("{s:o, s:o, s:s, s:s, s:s, s:s, s:f, s:I, s:I}", "input",
                     json_text(job->x.path), "shape", shape, "op", clnorm_kind_name(job->desc.kind),
                     "x_dtype", clnorm_dtype_name(job->desc.x_dtype), "y_dtype",
                     clnorm_dtype_name(job->desc.y_dtype), "param_dtype",
                     clnorm_dtype_name(job->desc.param_dtype), "eps", job->desc.eps, "rows",
                     (json_int_t)job->rows, "cols", (json_int_t)job->desc.cols);
}
