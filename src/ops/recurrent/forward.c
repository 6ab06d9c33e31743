/* SPDX-License-Identifier: MIT */
#include "ops/recurrent/step.h"

/* Where a step finds the products, and leaves c: `saved`, or the workspace. */
typedef struct {
    clnorm_place x, h, c, c_before; /* h: NULL where x becomes the sum */
} step_places;

static clnorm_place pick(const clnorm_recurrent_call *call, clnorm_region saved, uint64_t at_saved,
                         clnorm_region own, uint64_t at_own)
{
    return call->args->saved.buffer ? clnorm_recurrent_region(call, saved, at_saved)
                                    : clnorm_recurrent_region(call, own, at_own);
}

static clnorm_place c_of(const clnorm_recurrent_call *call, uint64_t step)
{
    const uint64_t state = call->batch * call->op->desc.hidden;
    return pick(call, SAVED_C, step * state, FORWARD_C, step % 2 * state);
}

static step_places places_of(const clnorm_recurrent_call *call, uint64_t step)
{
    const clnorm_recurrent *op = call->op;
    const uint64_t all = call->batch * op->gates * op->desc.hidden;
    step_places at = {.x = pick(call, SAVED_X, step * all, FORWARD_X, step * all)};
    if (!op->summed)
        at.h = pick(call, SAVED_H, step * all, FORWARD_H, 0);
    if (op->desc.cell == CLNORM_LSTM) {
        at.c = c_of(call, step);
        at.c_before =
            step > 0 ? c_of(call, step - 1) : clnorm_recurrent_rows(call, RECURRENT_c0, 0);
    }
    return at;
}

/* h is where y has it: where it has zeros, beyond a length, nobody looks at the product. */
static clnorm_place h_before(const clnorm_recurrent_call *call, uint64_t step)
{
    return step > 0 ? clnorm_recurrent_rows(call, RECURRENT_y, (step - 1) * call->batch)
                    : clnorm_recurrent_rows(call, RECURRENT_h0, 0);
}

static clnorm_status multiply_h(const clnorm_recurrent_call *call, const step_places *at,
                                uint64_t step, clnorm_error *error)
{
    const clnorm_recurrent *op = call->op;
    const clnorm_product product = {
        .alpha = 1,
        .m = call->batch,
        .n = op->gates * op->desc.hidden,
        .k = op->desc.hidden,
        .a = {h_before(call, step), false},
        .b = {clnorm_recurrent_rows(call, RECURRENT_w_h, 0), true},
        .c = op->summed ? at->x : at->h,
        .beta = op->summed,
    };
    if (product.a.at.buffer)
        return clnorm_recurrent_multiply(call, &product, error);
    return op->summed ? CLNORM_OK
                      : clnorm_recurrent_zero(call, at->h, product.m * product.n, error);
}

clnorm_status clnorm_recurrent_step_forward(const clnorm_recurrent_call *call, uint64_t step,
                                            clnorm_error *error)
{
    const clnorm_recurrent *op = call->op;
    const clnorm_place none = {NULL, 0};
    const step_places at = places_of(call, step);
    const bool saves = op->desc.norm && call->args->saved.buffer;
    clnorm_arg_list list = {.count = 0};
    clnorm_recurrent_push(&list, clnorm_recurrent_rows(call, RECURRENT_y, step * call->batch));
    clnorm_recurrent_push(&list, clnorm_recurrent_rows(call, RECURRENT_h_n, 0));
    clnorm_recurrent_push(&list, clnorm_recurrent_rows(call, RECURRENT_c_n, 0));
    clnorm_recurrent_push(&list, at.c);
    clnorm_recurrent_push(&list, op->summed ? at.x : at.h);
    clnorm_recurrent_push(&list, op->summed ? none : at.x);
    clnorm_recurrent_push(&list, saves ? clnorm_recurrent_region(call, SAVED_STATISTICS, 0) : none);
    clnorm_recurrent_push(&list, h_before(call, step));
    clnorm_recurrent_push(&list, at.c_before);
    clnorm_recurrent_push_lengths(&list, call);
    clnorm_recurrent_push_parameters(&list, call);
    clnorm_push_u64(&list, step);
    clnorm_push_u64(&list, call->steps);
    clnorm_push_u64(&list, call->rows);
    clnorm_push_u32(&list, op->desc.hidden);
    clnorm_push_real(&list, op->desc.eps);
    return clnorm_recurrent_launch(call, CELL_FORWARD, &list, call->batch, error);
}

static clnorm_status run_step(const clnorm_recurrent_call *call, uint64_t step, clnorm_error *error)
{
    const step_places at = places_of(call, step);
    const clnorm_status status = multiply_h(call, &at, step, error);
    return status == CLNORM_OK ? clnorm_recurrent_step_forward(call, step, error) : status;
}

/* The products of x of all steps are one. */
static clnorm_status run(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const clnorm_recurrent_desc *d = &call->op->desc;
    const clnorm_product product = {
        .alpha = 1,
        .m = call->rows,
        .n = call->op->gates * d->hidden,
        .k = d->features,
        .a = {clnorm_recurrent_rows(call, RECURRENT_x, 0), false},
        .b = {clnorm_recurrent_rows(call, RECURRENT_w_x, 0), true},
        .c = places_of(call, 0).x,
    };
    clnorm_status status = clnorm_recurrent_multiply(call, &product, error);
    for (uint64_t step = 0; step < call->steps && status == CLNORM_OK; step++)
        status = run_step(call, step, error);
    return status;
}

clnorm_status clnorm_recurrent_forward(const clnorm_recurrent *op, cl_command_queue queue,
                                       uint64_t steps, uint64_t batch,
                                       const clnorm_recurrent_args *args, cl_uint n_wait,
                                       const cl_event *wait_list, cl_event *event,
                                       clnorm_error *error)
{
    const clnorm_events events = {n_wait, wait_list, event};
    clnorm_recurrent_call call = {.op = op,
                                  .direction = CLNORM_FORWARD,
                                  .queue = queue,
                                  .steps = steps,
                                  .batch = batch,
                                  .args = args};
    return clnorm_recurrent_run(&call, run, events, error);
}
