/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "base/desc.h"
#include "base/kind.h"
#include "ops/set_args.h"
#include "ops/sums.h"
#include "runtime/queue.h"

/* ---- dx and the lines ---------------------------------------------------------------------- */

static void push_lines_of(clnorm_arg_list *list, const clnorm_pass *p, size_t gradient)
{
    clnorm_push_u64(list, clnorm_is_summed(p, gradient) ? p->lines.first[gradient] : UINT64_MAX);
}

/* The arguments that only some programs have, in the order of BACKWARD_ARGS. */
static void push_more(clnorm_arg_list *list, const clnorm_pass *p)
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

static void push_tensors(clnorm_arg_list *list, const clnorm_pass *p)
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
    clnorm_push_vector(list, p->args->workspace.buffer, clnorm_lines_offset(p));
    push_lines_of(list, p, CLNORM_LINES_DWEIGHT);
    push_lines_of(list, p, CLNORM_LINES_DBIAS);
    clnorm_push_u64(list, p->op->gradients[CLNORM_LINES_DWEIGHT].length);
    clnorm_push_u64(list, cols);
}

/* Groups of the kernel: a team for each slab of the part, or for so many sets. */
static uint64_t groups_of(const clnorm_pass *p, const clnorm_geometry *geometry, uint64_t sets,
                          uint64_t sets_per_group)
{
    const uint64_t end = p->part.first + p->part.rows;
    if (p->lines.slabs_per_mod == 0)
        return ceil_div(sets, sets_per_group);
    const uint64_t slabs = (end == p->part.all ? p->lines.count : clnorm_line_at(&p->lines, end)) -
                           clnorm_line_at(&p->lines, p->part.first);
    return ceil_div(slabs, geometry->group_size / geometry->team_size);
}

static clnorm_status run_sets(const clnorm_pass *p, clnorm_events events, clnorm_error *error)
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
        p->lines.slabs_per_mod > 0 || (p->lines.slab > 1 && clnorm_any_sums(p, CLNORM_SUMS_OF_BOTH))
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

/* ---- the pass ------------------------------------------------------------------------------ */

/* dx and the lines of the part, then the sums. */
static clnorm_status run_pass(const clnorm_pass *p, clnorm_sums sums, clnorm_events events,
                              clnorm_error *error)
{
    clnorm_sequence both;
    clnorm_status status;
    if (!clnorm_any_sums(p, sums))
        return run_sets(p, events, error);
    TRY(clnorm_sequence_begin(p->op->context, p->queue, events, &both, error));
    TRY(run_sets(p, both.first, error));
    TRY(clnorm_add_lines(p, sums, both.second, error));
fail:
    clnorm_sequence_end(&both);
    return status;
}

static clnorm_pass pass_of(const clnorm_op *op, cl_command_queue queue, const clnorm_args *args,
                           clnorm_part part)
{
    return (clnorm_pass){op, queue, args, part, clnorm_lines_of(op, part.all)};
}

clnorm_status clnorm_run_backward(const clnorm_op *op, cl_command_queue queue,
                                  const clnorm_args *args, clnorm_part part, clnorm_events events,
                                  clnorm_error *error)
{
    const clnorm_pass p = pass_of(op, queue, args, part);
    return run_pass(&p, CLNORM_SUMS_OF_MODS, events, error);
}

bool clnorm_has_sums(const clnorm_op *op, const clnorm_args *args)
{
    const clnorm_pass p = pass_of(op, NULL, args, (clnorm_part){0, 1, 1});
    return clnorm_any_sums(&p, CLNORM_SUMS_OF_ALL);
}

clnorm_status clnorm_run_sums(const clnorm_op *op, cl_command_queue queue, const clnorm_args *args,
                              uint64_t all, clnorm_events events, clnorm_error *error)
{
    const clnorm_pass p = pass_of(op, queue, args, (clnorm_part){0, all, all});
    return clnorm_add_lines(&p, CLNORM_SUMS_OF_ALL, events, error);
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
    const clnorm_pass p = pass_of(op, queue, args, (clnorm_part){0, rows, rows});
    clnorm_status status = CLNORM_OK;
    if (rows > 0)
        return run_pass(&p, CLNORM_SUMS_OF_BOTH, events, error);
    if (clnorm_any_sums(&p, CLNORM_SUMS_OF_ALL))
        return clnorm_add_lines(&p, CLNORM_SUMS_OF_ALL, events, error);
    if (events.event)
        TRY_CL(clEnqueueMarkerWithWaitList(queue, events.n_wait, events.wait_list, events.event));
fail:
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
    if (!needs_workspace(op, args))
        return run(op, queue, rows, args, events, error);
    return clnorm_run_in_workspace(op, CLNORM_BACKWARD, queue, rows, args, events, run, error);
}
