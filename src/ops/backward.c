/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "base/desc.h"
#include "base/kind.h"
#include "ops/lines.h"
#include "ops/switches.h"

/* A backward pass over some rows or all, and the lines of partial sums that it leaves. */
typedef struct {
    const clnorm_op *op;
    cl_command_queue queue;
    const clnorm_args *args;
    clnorm_part part;
    clnorm_lines lines;
} pass;

static bool is_wanted(const pass *p, clnorm_tensor_id id)
{
    return clnorm_args_tensor(p->args, id)->buffer != NULL;
}

/* A gradient that is a sum over rows: of each mod, or of all. */
static bool is_summed(const pass *p, size_t gradient)
{
    return p->lines.gradients[gradient].used && is_wanted(p, p->lines.gradients[gradient].id);
}

static void push_workspace(clnorm_arg_list *list, const pass *p, uint64_t line_offset)
{
    const clnorm_tensor *workspace = &p->args->workspace;
    clnorm_push_vector(list, workspace->buffer,
                       workspace->offset / (list->wide ? 8 : 4) + line_offset);
}

static bool has_lines(const pass *p)
{
    bool any = false;
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++)
        any = any || is_summed(p, i);
    return any;
}

/* ---- dx and the lines ---------------------------------------------------------------------- */

static void push_lines_of(clnorm_arg_list *list, const pass *p, size_t gradient)
{
    clnorm_push_u64(list, is_summed(p, gradient) ? p->lines.gradients[gradient].first : UINT64_MAX);
}

/* The arguments that only some programs have, in the order of BACKWARD_ARGS. */
static void push_more(clnorm_arg_list *list, const pass *p)
{
    const clnorm_desc *d = &p->op->desc;
    if (clnorm_desc_has_sum(d)) {
        clnorm_push_2d(list, p->args, TENSOR_dresidual, d->cols);
        push_lines_of(list, p, CLNORM_LINES_DX_BIAS);
    }
    if (clnorm_has(d, CLNORM_WITH_GATE)) {
        clnorm_push_2d(list, p->args, TENSOR_dgate, d->cols);
        push_lines_of(list, p, CLNORM_LINES_DGATE);
    }
    if (clnorm_has(d, CLNORM_WITH_MODULATION)) {
        clnorm_push_2d(list, p->args, TENSOR_dscale, d->cols);
        clnorm_push_2d(list, p->args, TENSOR_dshift, d->cols);
        push_lines_of(list, p, CLNORM_LINES_DSCALE);
        push_lines_of(list, p, CLNORM_LINES_DSHIFT);
    }
    if (d->act_gate)
        clnorm_push_2d(list, p->args, TENSOR_dz, d->cols);
    if (d->backward == CLNORM_FROM_OUTPUT)
        clnorm_push_2d(list, p->args, TENSOR_y, d->cols);
    if (d->stats == CLNORM_STATS_GIVEN) {
        clnorm_push_1d(list, p->args, TENSOR_dmean);
        clnorm_push_1d(list, p->args, TENSOR_drstd);
    }
    if (d->stats == CLNORM_STATS_RUNNING) {
        clnorm_push_1d(list, p->args, TENSOR_running_mean);
        clnorm_push_1d(list, p->args, TENSOR_running_var);
    }
    if (clnorm_kind_of(d).params == CLNORM_PER_ROW)
        clnorm_push_1d(list, p->args, TENSOR_dweight);
}

static void push_tensors(clnorm_arg_list *list, const pass *p)
{
    const uint64_t cols = p->op->desc.cols;
    clnorm_push_2d(list, p->args, TENSOR_dx, cols);
    clnorm_push_2d(list, p->args, TENSOR_dy, cols);
    clnorm_push_2d(list, p->args, TENSOR_dsum, cols);
    clnorm_push_2d(list, p->args, TENSOR_x, cols);
    clnorm_push_1d(list, p->args, TENSOR_mean);
    clnorm_push_1d(list, p->args, TENSOR_rstd);
    clnorm_push_1d(list, p->args, TENSOR_weight);
    clnorm_push_1d(list, p->args, TENSOR_bias);
    push_workspace(list, p, 0);
    push_lines_of(list, p, CLNORM_LINES_DWEIGHT);
    push_lines_of(list, p, CLNORM_LINES_DBIAS);
    clnorm_push_u64(list, p->lines.gradients[CLNORM_LINES_DWEIGHT].length);
    clnorm_push_u64(list, cols);
}

/* Groups of the kernel: a team for each slab of the part, or for so many sets. */
static uint64_t groups_of(const pass *p, const clnorm_geometry *geometry, uint64_t sets,
                          uint64_t sets_per_group)
{
    const uint64_t end = p->part.first + p->part.rows;
    if (p->lines.slabs_per_mod == 0)
        return ceil_div(sets, sets_per_group);
    const uint64_t slabs = (end == p->part.all ? p->lines.count : clnorm_line_at(&p->lines, end)) -
                           clnorm_line_at(&p->lines, p->part.first);
    return ceil_div(slabs, geometry->group_size / geometry->team_size);
}

static clnorm_status run_sets(const pass *p, clnorm_events events, clnorm_error *error)
{
    const clnorm_op *op = p->op;
    const clnorm_desc *d = &op->desc;
    const clnorm_shape shape = clnorm_shape_of(d, p->part);
    const uint64_t sets = shape.sets.count;
    const uint64_t bytes = p->part.rows * d->cols * clnorm_dtype_bytes(d->dx_dtype);
    clnorm_arg_list list = {.count = 0, .wide = d->x_dtype == CLNORM_F64};
    clnorm_built built;
    const clnorm_status status =
        clnorm_op_kernel(op, clnorm_kernel_for(op, CLNORM_BACKWARD, p->args), &built, error);
    if (status != CLNORM_OK)
        return status;
    const uint64_t sets_per_group =
        p->lines.slabs_per_mod > 0 || (p->lines.slab > 1 && has_lines(p))
            ? p->lines.slab * shape.sets.inner
            : clnorm_sets_per_group(op, &built.geometry, sets, bytes / sets, p->part.all);
    push_tensors(&list, p);
    clnorm_push_u64(&list, sets);
    clnorm_push_u32(&list, shape.sets.run);
    clnorm_push_u32(&list, shape.stats_cols);
    clnorm_push_u32(&list, bytes > op->geometry.stream_bytes);
    clnorm_push_numbers(&list, op, &shape);
    clnorm_push_u64(&list, clnorm_line_at(&p->lines, p->part.first));
    clnorm_push_u64(&list, sets_per_group);
    clnorm_push_u64(&list, p->lines.rows_per_mod * shape.sets.inner);
    clnorm_push_u64(&list, p->lines.slabs_per_mod);
    clnorm_push_u64(&list, p->lines.slab);
    clnorm_push_u64(&list, p->lines.per_slab);
    clnorm_push_set_args(&list, op, p->args, &shape, p->part);
    push_more(&list, p);
    return clnorm_launch(built.kernels, p->queue, list.args, list.count,
                         (size_t)groups_of(p, &built.geometry, sets, sets_per_group),
                         built.geometry.group_size, events, error);
}

/* ---- sums of lines ------------------------------------------------------------------------- */

/* Row m of a gradient is the sum of `per_row` lines from line `first` + m * per_row on. */
typedef struct {
    bool per_mod;
    uint64_t rows, first, per_row;
} line_sums;

static clnorm_status add_lines(const pass *p, const line_sums *sums, size_t gradient,
                               clnorm_events events, clnorm_error *error)
{
    const uint64_t cols = p->lines.gradients[gradient].length;
    const uint64_t vectors = ceil_div(cols, p->op->geometry.vec);
    clnorm_arg_list list = {.count = 0, .wide = p->op->desc.x_dtype == CLNORM_F64};
    clnorm_built built;
    const clnorm_status status = clnorm_op_kernel(p->op, CLNORM_KERNEL_SUMS, &built, error);
    if (status != CLNORM_OK)
        return status;
    clnorm_push_2d(&list, p->args, p->lines.gradients[gradient].id, cols);
    push_workspace(&list, p, p->lines.gradients[gradient].first + sums->first * cols);
    clnorm_push_u64(&list, sums->per_row);
    clnorm_push_u64(&list, p->lines.count - sums->first);
    clnorm_push_u64(&list, sums->rows);
    clnorm_push_u64(&list, cols);
    clnorm_push_u64(&list, vectors);
    return clnorm_launch(built.kernels, p->queue, list.args, list.count,
                         (size_t)ceil_div(sums->rows * vectors, built.geometry.group_size),
                         built.geometry.group_size, events, error);
}

static size_t count_sums(const pass *p, bool per_mod)
{
    size_t count = 0;
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++)
        count += is_summed(p, i) && p->lines.gradients[i].per_mod == per_mod;
    return count;
}

/* Kernels one after the other, on out-of-order queues too: each waits for the one before. */
static clnorm_status run_sums(const pass *p, const line_sums *sums, clnorm_events events,
                              clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    size_t left = count_sums(p, sums->per_mod);
    cl_event before = NULL;
    for (size_t i = 0; i < CLNORM_GRADIENTS && status == CLNORM_OK; i++) {
        if (!is_summed(p, i) || p->lines.gradients[i].per_mod != sums->per_mod)
            continue;
        cl_event next = NULL;
        const clnorm_events chained = {before ? 1 : events.n_wait,
                                       before ? &before : events.wait_list,
                                       --left > 0 ? &next : events.event};
        status = add_lines(p, sums, i, chained, error);
        if (before)
            clReleaseEvent(before);
        before = next;
    }
    if (before)
        clReleaseEvent(before);
    return status;
}

bool clnorm_has_sums(const clnorm_op *op, const clnorm_args *args)
{
    const pass p = {.op = op, .args = args, .lines = clnorm_lines_of(op, 1)};
    return count_sums(&p, false) > 0;
}

clnorm_status clnorm_run_backward(const clnorm_op *op, cl_command_queue queue,
                                  const clnorm_args *args, clnorm_part part, clnorm_events events,
                                  clnorm_error *error)
{
    const pass p = {op, queue, args, part, clnorm_lines_of(op, part.all)};
    cl_event done = NULL;
    clnorm_status status;
    if (count_sums(&p, true) == 0)
        return run_sets(&p, events, error);
    const line_sums sums = {true, ceil_div(part.rows, p.lines.rows_per_mod),
                            clnorm_line_at(&p.lines, part.first), p.lines.slabs_per_mod};
    const clnorm_events first = {events.n_wait, events.wait_list, &done};
    const clnorm_events last = {1, &done, events.event};
    TRY(run_sets(&p, first, error));
    TRY(run_sums(&p, &sums, last, error));
fail:
    if (done)
        clReleaseEvent(done);
    return status;
}

clnorm_status clnorm_run_sums(const clnorm_op *op, cl_command_queue queue, const clnorm_args *args,
                              uint64_t all, clnorm_events events, clnorm_error *error)
{
    const pass p = {op, queue, args, {0, all, all}, clnorm_lines_of(op, all)};
    const line_sums sums = {false, 1, 0, p.lines.count};
    return run_sums(&p, &sums, events, error);
}

uint64_t clnorm_part_step(const clnorm_op *op, clnorm_direction direction, uint64_t all)
{
    const clnorm_desc *d = &op->desc;
    const bool elementwise = direction == CLNORM_FORWARD && d->stats != CLNORM_STATS_COMPUTED;
    if (clnorm_kind_of(d).batch && !elementwise)
        return all;
    if (d->rows_per_mod > 1)
        return d->rows_per_mod;
    return direction == CLNORM_FORWARD ? 1 : clnorm_lines_of(op, all).slab;
}

/* ---- the call ------------------------------------------------------------------------------ */

static bool needs_workspace(const clnorm_op *op, const clnorm_args *args)
{
    bool given[TENSOR_COUNT];
    clnorm_args_given(args, given);
    return clnorm_leaves_lines(op, given) && !args->workspace.buffer;
}

static clnorm_status run(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                         const clnorm_args *args, clnorm_events events, clnorm_error *error)
{
    const clnorm_part part = {0, rows, rows};
    const bool sums = clnorm_has_sums(op, args);
    cl_event done = NULL;
    clnorm_events last = events;
    clnorm_status status = CLNORM_OK;
    if (rows > 0) {
        const clnorm_events first = {events.n_wait, events.wait_list, sums ? &done : events.event};
        TRY(clnorm_run_backward(op, queue, args, part, first, error));
        last = (clnorm_events){1, &done, events.event};
    }
    if (sums)
        TRY(clnorm_run_sums(op, queue, args, rows, last, error));
    else if (rows == 0 && events.event)
        TRY_CL(clEnqueueMarkerWithWaitList(queue, events.n_wait, events.wait_list, events.event));
fail:
    if (done)
        clReleaseEvent(done);
    return status;
}

/* Between the kernels that leave lines in the op's workspace and those that add them up no other
 * thread may enqueue its own. */
static clnorm_status run_in_own_workspace(const clnorm_op *op, cl_command_queue queue,
                                          uint64_t rows, const clnorm_args *args,
                                          clnorm_events events, clnorm_error *error)
{
    clnorm_args with_workspace = *args;
    clnorm_workspaces *workspaces = clnorm_workspaces_of(op);
    size_t bytes = 0;
    clnorm_status status = clnorm_op_workspace(op, CLNORM_BACKWARD, rows, &bytes, error);
    if (status != CLNORM_OK)
        return status;
    lock_take(&workspaces->lock);
    TRY(clnorm_workspace_get(op, queue, bytes, &with_workspace.workspace.buffer, error));
    TRY(run(op, queue, rows, &with_workspace, events, error));
fail:
    lock_give(&workspaces->lock);
    return status;
}

clnorm_status clnorm_backward(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                              const clnorm_args *args, cl_uint n_wait, const cl_event *wait_list,
                              cl_event *event, clnorm_error *error)
{
    const clnorm_events events = {n_wait, wait_list, event};
    const clnorm_status status =
        clnorm_args_check(op, CLNORM_BACKWARD, queue, rows, args, events, error);
    if (status != CLNORM_OK)
        return status;
    return (needs_workspace(op, args) ? run_in_own_workspace : run)(op, queue, rows, args, events,
                                                                    error);
}
