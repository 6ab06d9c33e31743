/* SPDX-License-Identifier: MIT */
#include "ops/recurrent/gradients.h"
#include "ops/recurrent/step.h"

/* ---- a step -------------------------------------------------------------------------------- */

static clnorm_place step_region(const clnorm_recurrent_call *call, clnorm_region region,
                                uint64_t step, uint64_t cols)
{
    return clnorm_recurrent_region(call, region, step * call->batch * cols);
}

static clnorm_place row_of_step(const clnorm_recurrent_call *call, clnorm_recurrent_id id,
                                uint64_t step)
{
    return clnorm_recurrent_rows(call, id, step * call->batch);
}

static bool any_empty(const clnorm_recurrent_call *call)
{
    bool any = false;
    for (uint64_t i = 0; call->lengths && i < call->batch; i++)
        any = any || call->lengths[i] == 0;
    return any;
}

/* Where the gradient of h before a step goes: to the step before, or to h0. NULL: not wanted. */
static clnorm_place dh_of(const clnorm_recurrent_call *call, uint64_t step)
{
    return step > 0 ? clnorm_recurrent_region(call, BACKWARD_DH, 0)
                    : clnorm_recurrent_rows(call, RECURRENT_dh0, 0);
}

/* Whether any of it goes past the product with w_h. */
static bool has_direct(const clnorm_recurrent_call *call, uint64_t step)
{
    return call->op->desc.cell == CLNORM_GRU || (step == 0 && any_empty(call));
}

/* dh, dc and what they are made of. */
static void push_gradients(clnorm_arg_list *list, const clnorm_recurrent_call *call, uint64_t step)
{
    const clnorm_place none = {NULL, 0};
    const bool lstm = call->op->desc.cell == CLNORM_LSTM, last = step + 1 == call->steps;
    const clnorm_place dh = clnorm_recurrent_region(call, BACKWARD_DH, 0);
    const clnorm_place dc = clnorm_recurrent_region(call, BACKWARD_DC, 0);
    const clnorm_place dc0 = clnorm_recurrent_rows(call, RECURRENT_dc0, 0);
    clnorm_recurrent_push(list, has_direct(call, step) ? dh_of(call, step) : none);
    clnorm_recurrent_push(list, !lstm ? none : step > 0 ? dc : dc0);
    clnorm_recurrent_push(list, row_of_step(call, RECURRENT_dy, step));
    clnorm_recurrent_push(list, last ? none : dh);
    clnorm_recurrent_push(list, last || !lstm ? none : dc);
    clnorm_recurrent_push(list, clnorm_recurrent_rows(call, RECURRENT_dh_n, 0));
    clnorm_recurrent_push(list, clnorm_recurrent_rows(call, RECURRENT_dc_n, 0));
}

/* What forward left. */
static void push_states(clnorm_arg_list *list, const clnorm_recurrent_call *call, uint64_t step)
{
    const clnorm_recurrent *op = call->op;
    const clnorm_place none = {NULL, 0};
    const uint64_t hidden = op->desc.hidden, all = op->gates * hidden;
    const bool lstm = op->desc.cell == CLNORM_LSTM;
    const clnorm_place x = step_region(call, SAVED_X, step, all);
    const clnorm_place h = step_region(call, SAVED_H, step, all);
    clnorm_recurrent_push(list, op->summed ? x : h);
    clnorm_recurrent_push(list, op->summed ? none : x);
    clnorm_recurrent_push(list, clnorm_recurrent_region(call, SAVED_STATISTICS, 0));
    clnorm_recurrent_push(list, lstm ? step_region(call, SAVED_C, step, hidden) : none);
    clnorm_recurrent_push(list, lstm && step > 0 ? step_region(call, SAVED_C, step - 1, hidden)
                                                 : clnorm_recurrent_rows(call, RECURRENT_c0, 0));
    clnorm_recurrent_push(list, row_of_step(call, RECURRENT_y, step));
    clnorm_recurrent_push(list, step > 0 ? row_of_step(call, RECURRENT_y, step - 1)
                                         : clnorm_recurrent_rows(call, RECURRENT_h0, 0));
}

clnorm_status clnorm_recurrent_step_backward(const clnorm_recurrent_call *call, uint64_t step,
                                             clnorm_error *error)
{
    const clnorm_recurrent *op = call->op;
    const uint64_t hidden = op->desc.hidden, all = op->gates * hidden;
    clnorm_arg_list list = {.count = 0};
    clnorm_recurrent_push(&list, step_region(call, BACKWARD_DP, step, all));
    clnorm_recurrent_push(&list, step_region(call, BACKWARD_DN, step, hidden));
    clnorm_recurrent_push(&list, step_region(call, BACKWARD_DU, step, all));
    clnorm_recurrent_push(&list, step_region(call, BACKWARD_DQ, step, hidden));
    push_gradients(&list, call, step);
    push_states(&list, call, step);
    clnorm_recurrent_push_lengths(&list, call);
    clnorm_recurrent_push_parameters(&list, call);
    clnorm_push_u64(&list, step);
    clnorm_push_u64(&list, call->steps);
    clnorm_push_u64(&list, call->rows);
    clnorm_push_u32(&list, hidden);
    return clnorm_recurrent_launch(call, CELL_BACKWARD, &list, call->batch, error);
}

/* dh before the step: through the projection of h. */
static clnorm_status multiply_du(const clnorm_recurrent_call *call, uint64_t step,
                                 clnorm_error *error)
{
    const clnorm_recurrent *op = call->op;
    const uint64_t all = op->gates * op->desc.hidden;
    const clnorm_product product = {
        .alpha = 1,
        .m = call->batch,
        .n = op->desc.hidden,
        .k = all,
        .a = {step_region(call, BACKWARD_DU, step, all), false},
        .b = {clnorm_recurrent_rows(call, RECURRENT_w_h, 0), false},
        .c = dh_of(call, step),
        .beta = has_direct(call, step),
    };
    return product.c.buffer ? clnorm_recurrent_multiply(call, &product, error) : CLNORM_OK;
}

static clnorm_status run_step(const clnorm_recurrent_call *call, uint64_t step, clnorm_error *error)
{
    const clnorm_status status = clnorm_recurrent_step_backward(call, step, error);
    return status == CLNORM_OK ? multiply_du(call, step, error) : status;
}

/* ---- the call ------------------------------------------------------------------------------ */

static clnorm_status run(const clnorm_recurrent_call *call, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (uint64_t step = call->steps; step-- > 0 && status == CLNORM_OK;)
        status = run_step(call, step, error);
    return status == CLNORM_OK ? clnorm_recurrent_gradients(call, error) : status;
}

clnorm_status clnorm_recurrent_backward(const clnorm_recurrent *op, cl_command_queue queue,
                                        uint64_t steps, uint64_t batch,
                                        const clnorm_recurrent_args *args, cl_uint n_wait,
                                        const cl_event *wait_list, cl_event *event,
                                        clnorm_error *error)
{
    const clnorm_events events = {n_wait, wait_list, event};
    clnorm_recurrent_call call = {.op = op,
                                  .direction = CLNORM_BACKWARD,
                                  .queue = queue,
                                  .steps = steps,
                                  .batch = batch,
                                  .args = args};
    return clnorm_recurrent_run(&call, run, events, error);
}
