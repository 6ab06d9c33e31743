/* SPDX-License-Identifier: MIT */
#include "cli/run/run.h"

#include "base/kind.h"

#include <inttypes.h>
#include <string.h>

static const struct shape *main_shape(const struct run_job *job)
{
    return &job->files[job->main].shape;
}

static const char *main_path(const struct run_job *job) { return job->files[job->main].path; }

clnorm_tensor_use run_use(const struct run_job *job, clnorm_tensor_id id)
{
    return clnorm_tensor_use_of(&job->desc, job->direction, id, job->rows);
}

/* ---- INPUT --------------------------------------------------------------------------------- */

static bool split_rows(struct run_job *job, clnorm_error *error)
{
    const struct shape *shape = main_shape(job);
    const uint64_t axes = job->options->axes;
    char text[SHAPE_TEXT];
    shape_text(shape, text);
    if (axes > shape->rank)
        return refuse(error, "--axes %" PRIu64 ": must be at most %u, as %s has the shape %s", axes,
                      shape->rank, main_path(job), text);
    job->row_axes = (unsigned)axes;
    return true;
}

/* The first axis is one of samples; the second one (nchw) or the last one (nhwc) has the channels.
 */
static bool split_channels(struct run_job *job, clnorm_error *error)
{
    const struct shape *shape = main_shape(job);
    char text[SHAPE_TEXT];
    shape_text(shape, text);
    if (shape->rank < 2)
        return refuse(error, "%s: shape %s; must have an axis of samples and one of channels",
                      main_path(job), text);
    job->row_axes = shape->rank - 1;
    if (job->asked.channels == 0)
        job->asked.channels = shape->dims[job->asked.layout == CLNORM_NHWC ? job->row_axes : 1];
    return true;
}

bool run_shape_split(struct run_job *job, clnorm_error *error)
{
    const struct shape *shape = main_shape(job);
    char text[SHAPE_TEXT];
    const clnorm_kind_info kind = clnorm_kind_of(&job->asked);
    if (shape->rank == 0)
        return refuse(error, "%s: shape () has no axis to normalize", main_path(job));
    if (!(kind.channels ? split_channels(job, error) : split_rows(job, error)))
        return false;
    job->asked.cols = shape_count(shape, shape->rank - job->row_axes, shape->rank);
    job->rows = shape_count(shape, 0, shape->rank - job->row_axes);
    shape_text(shape, text);
    return job->asked.cols > 0 ||
           refuse(error, "%s: shape %s gives rows of 0 columns; must be at least 1", main_path(job),
                  text);
}

/* ---- parts of it --------------------------------------------------------------------------- */

static struct shape lead_of(const struct run_job *job)
{
    struct shape shape = *main_shape(job);
    shape.rank -= job->row_axes;
    return shape;
}

static struct shape row_of(const struct run_job *job)
{
    const struct shape *x = main_shape(job);
    struct shape shape = {.rank = job->row_axes};
    memcpy(shape.dims, x->dims + x->rank - job->row_axes, job->row_axes * sizeof(x->dims[0]));
    return shape;
}

static bool is_same(const struct shape *a, const struct shape *b)
{
    return a->rank == b->rank && memcmp(a->dims, b->dims, a->rank * sizeof(a->dims[0])) == 0;
}

/* A number for each row, or for a part of it, or for all. */
static bool is_of_scales(clnorm_tensor_id id) { return id == TENSOR_qscale || id == TENSOR_qzero; }

/* What does not depend on rows: a number, a row of x, or a list. */
static struct shape whole_shape(const struct run_job *job, clnorm_tensor_id id, uint64_t count)
{
    const struct shape shape = {.rank = is_of_scales(id) ? 0 : 1, .dims = {count}};
    if (is_of_scales(id))
        return shape;
    return count == job->desc.cols && !clnorm_kind_of(&job->desc).channels ? row_of(job) : shape;
}

struct shape run_shape_of(const struct run_job *job, clnorm_tensor_id id)
{
    static const clnorm_tensor_id mods[] = {TENSOR_scale, TENSOR_gate, TENSOR_shift};
    const clnorm_tensor_use use = run_use(job, id),
                            of_one = clnorm_tensor_use_of(&job->desc, job->direction, id, 1);
    if (use.extent == CLNORM_WHOLE)
        return whole_shape(job, id, use.cols);
    for (size_t i = 0; use.extent == CLNORM_MODS && i < sizeof(mods) / sizeof(mods[0]); i++)
        if (job->files[mods[i]].path)
            return job->files[mods[i]].shape;
    if (!is_of_scales(id) && use.has_stride)
        return *main_shape(job);
    struct shape shape = lead_of(job); /* so many elements for each row */
    if (of_one.cols > 1 && shape.rank < MAX_RANK)
        shape.dims[shape.rank++] = of_one.cols;
    return shape;
}

/* ---- the other inputs ---------------------------------------------------------------------- */

static bool is_of_mods(clnorm_tensor_id id)
{
    return id == TENSOR_gate || id == TENSOR_scale || id == TENSOR_shift;
}

/* The rows of a file of rows of x; false if it is something else. */
static bool count_rows(const struct run_job *job, const struct shape *shape, uint64_t *rows)
{
    const struct shape row = row_of(job);
    unsigned width = 0; /* axes that are a row */
    if (shape->rank >= row.rank &&
        memcmp(shape->dims + shape->rank - row.rank, row.dims, row.rank * sizeof(row.dims[0])) == 0)
        width = row.rank;
    else if (shape->rank > 0 && shape->dims[shape->rank - 1] == job->desc.cols)
        width = 1;
    *rows = shape_count(shape, 0, shape->rank - width);
    return width > 0;
}

/* Sets rows_per_mod, unless it is known: one row is for all rows of x, and so says nothing. */
static bool derive_mods(struct run_job *job, clnorm_tensor_id id, clnorm_error *error)
{
    const struct input_file *file = &job->files[id];
    uint64_t mods;
    char text[SHAPE_TEXT];
    shape_text(&file->shape, text);
    if (!count_rows(job, &file->shape, &mods))
        return refuse(error, "%s: shape %s; must be rows of %" PRIu64 ", as those of %s",
                      file->path, text, job->desc.cols, main_path(job));
    if (job->asked.rows_per_mod > 0 || mods == 1)
        return true;
    if (mods == 0 ? job->rows > 0 : job->rows % mods != 0)
        return refuse(error,
                      "%s: shape %s has %" PRIu64 " rows; must be a divisor of the %" PRIu64
                      " rows of %s, or --rows-per-mod given",
                      file->path, text, mods, job->rows, main_path(job));
    job->asked.rows_per_mod = job->rows > 0 ? job->rows / mods : 1;
    return true;
}

/* rows_per_mod, which another file may have set, holds for each of them. */
static bool fit_mods(struct run_job *job, clnorm_tensor_id id, clnorm_error *error)
{
    const struct input_file *file = &job->files[id];
    job->desc.rows_per_mod = job->asked.rows_per_mod;
    const uint64_t wanted = run_use(job, id).rows;
    uint64_t mods;
    char text[SHAPE_TEXT];
    shape_text(&file->shape, text);
    return (count_rows(job, &file->shape, &mods) && mods == wanted) ||
           refuse(error,
                  "%s: shape %s has %" PRIu64 " rows; must have %" PRIu64 " for %" PRIu64
                  " rows of %s, %" PRIu64 " rows each",
                  file->path, text, mods, wanted, job->rows, main_path(job),
                  job->asked.rows_per_mod);
}

bool run_shape_mods(struct run_job *job, clnorm_error *error)
{
    static bool (*const steps[])(struct run_job *, clnorm_tensor_id, clnorm_error *) = {derive_mods,
                                                                                        fit_mods};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        for (int id = 0; id < TENSOR_COUNT; id++)
            if (is_of_mods((clnorm_tensor_id)id) && job->files[id].path &&
                !steps[i](job, (clnorm_tensor_id)id, error))
                return false;
    return true;
}

/* Of what there is one element each in a tensor, before the name of INPUT. */
static const char *meaning_of(const struct run_job *job, clnorm_tensor_id id)
{
    const clnorm_tensor_use use = run_use(job, id);
    const clnorm_kind_info kind = clnorm_kind_of(&job->desc);
    if (use.has_stride)
        return "as the shape of ";
    if (use.extent == CLNORM_WHOLE)
        return kind.channels ? "as the channels of " : "as the rows of ";
    return id == TENSOR_mean || id == TENSOR_rstd ? "as the statistics of "
                                                  : "one for each row of ";
}

bool run_shape_check(const struct run_job *job, clnorm_tensor_id id, clnorm_error *error)
{
    const struct input_file *file = &job->files[id];
    const struct shape wanted = run_shape_of(job, id);
    const uint64_t count = shape_count(&wanted, 0, wanted.rank);
    const struct shape *shape = &file->shape;
    char text[SHAPE_TEXT], wanted_text[SHAPE_TEXT], flat_text[48] = "";
    if (is_of_mods(id) || is_same(shape, &wanted) || (shape->rank == 1 && shape->dims[0] == count))
        return true;
    shape_text(shape, text);
    shape_text(&wanted, wanted_text);
    if (wanted.rank != 1)
        snprintf(flat_text, sizeof(flat_text), " or (%" PRIu64 ",)", count);
    return refuse(error, "%s: shape %s; must be %s%s, %s%s", file->path, text, wanted_text,
                  flat_text, wanted.rank ? meaning_of(job, id) : "one number",
                  wanted.rank ? main_path(job) : "");
}
