/* SPDX-License-Identifier: MIT */
#include "base/kind.h"
#include "ops/lines.h"
#include "ops/switches.h"

static bool is_wanted(const clnorm_args *args, clnorm_tensor_id id)
{
    return clnorm_args_tensor(args, id)->buffer != NULL;
}

/* ---- dx and the lines ---------------------------------------------------------------------- */

static void push_lines_of(clnorm_arg_list *list, const clnorm_lines *lines, const clnorm_args *args,
                          size_t gradient)
{
    const bool wanted =
        lines->gradients[gradient].used && is_wanted(args, lines->gradients[gradient].id);
    clnorm_push_u64(list, wanted ? lines->gradients[gradient].first : UINT64_MAX);
}

static void push_more(clnorm_arg_list *list, const clnorm_desc *d, const clnorm_args *args,
                      const clnorm_lines *lines)
{
    const bool gate = clnorm_has(d, CLNORM_WITH_GATE);
    if (gate || clnorm_has(d, CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS) || d->dropout > 0) {
        clnorm_push_2d(list, args, TENSOR_dresidual, d->cols);
        push_lines_of(list, lines, args, 2);
    }
    if (gate) {
        clnorm_push_2d(list, args, TENSOR_dgate, d->cols);
        push_lines_of(list, lines, args, 3);
    }
    if (clnorm_has(d, CLNORM_WITH_MODULATION)) {
        clnorm_push_2d(list, args, TENSOR_dscale, d->cols);
        clnorm_push_2d(list, args, TENSOR_dshift, d->cols);
        push_lines_of(list, lines, args, 4);
        push_lines_of(list, lines, args, 5);
    }
    if (d->act_gate)
        clnorm_push_2d(list, args, TENSOR_dz, d->cols);
    if (d->backward == CLNORM_FROM_OUTPUT)
        clnorm_push_2d(list, args, TENSOR_y, d->cols);
    if (d->stats == CLNORM_STATS_GIVEN) {
        clnorm_push_1d(list, args, TENSOR_dmean);
        clnorm_push_1d(list, args, TENSOR_drstd);
    }
    if (d->stats == CLNORM_STATS_RUNNING) {
        clnorm_push_1d(list, args, TENSOR_running_mean);
        clnorm_push_1d(list, args, TENSOR_running_var);
    }
    if (clnorm_kind_of(d).params == CLNORM_PER_ROW)
        clnorm_push_1d(list, args, TENSOR_dweight);
}

static uint64_t ceil_div(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }

static clnorm_status run_sets(const clnorm_op *op, cl_command_queue queue, const clnorm_args *args,
                              clnorm_part part, const clnorm_lines *lines, cl_mem workspace,
                              uint64_t offset, clnorm_events events, clnorm_error *error)
{
    const clnorm_desc *d = &op->desc;
    const clnorm_shape shape = clnorm_shape_of(d, part);
    const uint64_t dx_bytes = part.rows * d->cols * clnorm_dtype_bytes(d->dx_dtype);
    const bool saved = d->stats == CLNORM_STATS_COMPUTED && is_wanted(args, TENSOR_rstd);
    const bool by_slab = lines->slabs_per_mod > 0;
    const uint64_t set_bytes = dx_bytes / shape.sets.count;
    const uint64_t sets_per_group =
        by_slab ? lines->slab * shape.sets.inner
                : clnorm_sets_per_group(op, shape.sets.count, set_bytes, part.all);
    clnorm_arg_list list = {.count = 0, .wide = d->x_dtype == CLNORM_F64};
    clnorm_built built;
    const clnorm_status status = clnorm_op_kernel(
        op, saved ? CLNORM_KERNEL_BACKWARD_SAVED : CLNORM_KERNEL_BACKWARD, &built, error);
    if (status != CLNORM_OK)
        return status;
    clnorm_push_2d(&list, args, TENSOR_dx, d->cols);
    clnorm_push_2d(&list, args, TENSOR_dy, d->cols);
    clnorm_push_2d(&list, args, TENSOR_dsum, d->cols);
    clnorm_push_2d(&list, args, TENSOR_x, d->cols);
    clnorm_push_1d(&list, args, TENSOR_mean);
    clnorm_push_1d(&list, args, TENSOR_rstd);
    clnorm_push_1d(&list, args, TENSOR_weight);
    clnorm_push_1d(&list, args, TENSOR_bias);
    clnorm_push_vector(&list, workspace, offset / (list.wide ? 8 : 4));
    push_lines_of(&list, lines, args, 0);
    push_lines_of(&list, lines, args, 1);
    clnorm_push_u64(&list, lines->gradients[0].length);
    clnorm_push_u64(&list, d->cols);
    clnorm_push_u64(&list, shape.sets.count);
    clnorm_push_u32(&list, shape.sets.run);
    clnorm_push_u32(&list, shape.stats_cols);
    clnorm_push_u32(&list, dx_bytes > op->geometry.stream_bytes);
    clnorm_push_numbers(&list, op, &shape);
    clnorm_push_u64(&list, clnorm_line_at(lines, part.first));
    clnorm_push_u64(&list, sets_per_group);
    clnorm_push_u64(&list, lines->rows_per_mod * shape.sets.inner);
    clnorm_push_u64(&list, lines->slabs_per_mod);
    clnorm_push_u64(&list, lines->per_row);
    clnorm_push_set_args(&list, op, args, &shape, part);
    push_more(&list, d, args, lines);
    const uint64_t last = part.first + part.rows;
    const uint64_t groups = !by_slab ? ceil_div(shape.sets.count, sets_per_group)
                            : last == part.all
                                ? lines->count - clnorm_line_at(lines, part.first)
                                : clnorm_line_at(lines, last) - clnorm_line_at(lines, part.first);
    return clnorm_launch(built.kernels, queue, list.args, list.count, (size_t)groups,
                         built.group_size, events, error);
}

/* ---- sums of lines ------------------------------------------------------------------------- */

/* Row m of the gradient is the sum of `per_row` lines from line `first` + m * per_row on. */
static clnorm_status add_lines(const clnorm_op *op, cl_command_queue queue, const clnorm_args *args,
                               const clnorm_lines *lines, size_t gradient, uint64_t rows,
                               uint64_t first, uint64_t per_row, cl_mem workspace, uint64_t offset,
                               clnorm_events events, clnorm_error *error)
{
    const bool wide = op->desc.x_dtype == CLNORM_F64;
    const uint64_t cols = lines->gradients[gradient].length;
    const uint64_t vectors = ceil_div(cols, op->geometry.vec);
    clnorm_arg_list list = {.count = 0, .wide = wide};
    clnorm_built built;
    const clnorm_status status = clnorm_op_kernel(op, CLNORM_KERNEL_SUMS, &built, error);
    if (status != CLNORM_OK)
        return status;
    clnorm_push_2d(&list, args, lines->gradients[gradient].id, cols);
    clnorm_push_vector(&list, workspace,
                       offset / (wide ? 8 : 4) + lines->gradients[gradient].first + first * cols);
    clnorm_push_u64(&list, per_row);
    clnorm_push_u64(&list, lines->count - first);
    clnorm_push_u64(&list, rows);
    clnorm_push_u64(&list, cols);
    clnorm_push_u64(&list, vectors);
    return clnorm_launch(built.kernels, queue, list.args, list.count,
                         (size_t)ceil_div(rows * vectors, built.group_size), built.group_size,
                         events, error);
}

static bool is_summed(const clnorm_lines *lines, const clnorm_args *args, size_t gradient,
                      bool per_mod)
{
    return lines->gradients[gradient].used && lines->gradients[gradient].per_mod == per_mod &&
           is_wanted(args, lines->gradients[gradient].id);
}

static size_t count_sums(const clnorm_lines *lines, const clnorm_args *args, bool per_mod)
{
    size_t count = 0;
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++)
        count += is_summed(lines, args, i, per_mod);
    return count;
}

bool clnorm_has_sums(const clnorm_op *op, const clnorm_args *args)
{
    const clnorm_lines lines = clnorm_lines_of(op, 1);
    return count_sums(&lines, args, false) > 0;
}

/* Kernels one after the other, on out-of-order queues too: each waits for the one before. */
static clnorm_status run_sums(const clnorm_op *op, cl_command_queue queue, const clnorm_args *args,
                              const clnorm_lines *lines, clnorm_part part, bool per_mod,
                              cl_mem workspace, uint64_t offset, clnorm_events events,
                              clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    size_t left = count_sums(lines, args, per_mod);
    const uint64_t mods = ceil_div(part.rows, lines->rows_per_mod ? lines->rows_per_mod : 1);
    const uint64_t rows = per_mod ? mods : 1;
    const uint64_t first = per_mod ? clnorm_line_at(lines, part.first) : 0;
    const uint64_t per_row = per_mod ? lines->slabs_per_mod : lines->count;
    cl_event before = NULL;
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++) {
        if (!is_summed(lines, args, i, per_mod))
            continue;
        cl_event next = NULL;
        const clnorm_events chained = {before ? 1 : events.n_wait,
                                       before ? &before : events.wait_list,
                                       --left > 0 ? &next : events.event};
        status = add_lines(op, queue, args, lines, i, rows, first, per_row, workspace, offset,
                           chained, error);
        if (before)
            clReleaseEvent(before);
        before = next;
        if (status != CLNORM_OK)
            break;
    }
    if (before)
        clReleaseEvent(before);
    return status;
}

clnorm_status clnorm_run_backward(const clnorm_op *op, cl_command_queue queue,
                                  const clnorm_args *args, clnorm_part part, cl_mem workspace,
                                  uint64_t workspace_offset, clnorm_events events,
                                  clnorm_error *error)
{
    const clnorm_lines lines = clnorm_lines_of(op, part.all);
    cl_event done = NULL;
    clnorm_status status;
    if (count_sums(&lines, args, true) == 0)
        return run_sets(op, queue, args, part, &lines, workspace, workspace_offset, events, error);
    const clnorm_events first = {events.n_wait, events.wait_list, &done};
    const clnorm_events last = {1, &done, events.event};
    TRY(run_sets(op, queue, args, part, &lines, workspace, workspace_offset, first, error));
    TRY(run_sums(op, queue, args, &lines, part, true, workspace, workspace_offset, last, error));
fail:
    if (done)
        clReleaseEvent(done);
    return status;
}

clnorm_status clnorm_run_sums(const clnorm_op *op, cl_command_queue queue, const clnorm_args *args,
                              uint64_t all, cl_mem workspace, uint64_t workspace_offset,
                              clnorm_events events, clnorm_error *error)
{
    const clnorm_lines lines = clnorm_lines_of(op, all);
    const clnorm_part part = {0, all, all};
    return run_sums(op, queue, args, &lines, part, false, workspace, workspace_offset, events,
                    error);
}

uint64_t clnorm_part_step(const clnorm_op *op, clnorm_direction direction, uint64_t all)
{
    const clnorm_desc *d = &op->desc;
    if (clnorm_kind_of(d).batch)
        return all;
    if (d->rows_per_mod > 1)
        return d->rows_per_mod;
    return direction == CLNORM_FORWARD ? 1 : clnorm_lines_of(op, all).slab;
}

/* ---- the call ------------------------------------------------------------------------------ */

static clnorm_status workspace_of(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                                  const clnorm_args *args, clnorm_tensor *workspace,
                                  clnorm_error *error)
{
    size_t bytes = 0;
    const clnorm_status status = clnorm_op_workspace(op, CLNORM_BACKWARD, rows, &bytes, error);
    *workspace = args->workspace;
    if (status != CLNORM_OK || bytes == 0 || workspace->buffer)
        return status;
    return clnorm_workspace_get(op, queue, bytes, &workspace->buffer, error);
}

static clnorm_status run(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                         const clnorm_args *args, const clnorm_tensor *workspace,
                         clnorm_events events, clnorm_error *error)
{
    const clnorm_part part = {0, rows, rows};
    const bool sums = clnorm_has_sums(op, args);
    cl_event done = NULL;
    clnorm_events last = events;
    clnorm_status status = CLNORM_OK;
    if (rows > 0) {
        const clnorm_events first = {events.n_wait, events.wait_list, sums ? &done : events.event};
        TRY(clnorm_run_backward(op, queue, args, part, workspace->buffer, workspace->offset, first,
                                error));
        last = (clnorm_events){1, &done, events.event};
    }
    if (sums)
        TRY(clnorm_run_sums(op, queue, args, rows, workspace->buffer, workspace->offset, last,
                            error));
    else if (rows == 0 && events.event)
        TRY_CL(clEnqueueMarkerWithWaitList(queue, events.n_wait, events.wait_list, events.event));
fail:
    if (done)
        clReleaseEvent(done);
    return status;
}

clnorm_status clnorm_backward(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                              const clnorm_args *args, cl_uint n_wait, const cl_event *wait_list,
                              cl_event *event, clnorm_error *error)
{
    const clnorm_events events = {n_wait, wait_list, event};
    clnorm_tensor workspace;
    clnorm_status status;
    TRY(clnorm_args_check(op, CLNORM_BACKWARD, queue, rows, args, events, error));
    TRY(workspace_of(op, queue, rows, args, &workspace, error));
    TRY(run(op, queue, rows, args, &workspace, events, error));
fail:
    return status;
}
