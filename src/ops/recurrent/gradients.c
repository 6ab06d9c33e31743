/* SPDX-License-Identifier: MIT */
#include "ops/recurrent/gradients.h"

/* ---- norms --------------------------------------------------------------------------------- */

/* Gradients of a norm over the rows of all steps: columns of matrices of `cols` columns each. */
typedef struct {
    const clnorm_op *op;
    clnorm_place x, dy, dx; /* dx: NULL, or dy */
    uint64_t x_cols, dy_cols;
    clnorm_place weight, dweight, dbias;
    bool saved; /* `statistics` is their number in SAVED_STATISTICS */
    unsigned statistics;
} norm_call;

static clnorm_tensor tensor_of(clnorm_place place, uint64_t stride)
{
    return (clnorm_tensor){place.buffer, place.offset, stride};
}

static clnorm_status run_norm(const clnorm_recurrent_call *call, const norm_call *norm,
                              clnorm_error *error)
{
    const clnorm_place lines = clnorm_recurrent_region(call, BACKWARD_LINES, 0);
    const uint64_t at = 2 * norm->statistics * call->rows;
    clnorm_args args = CLNORM_ARGS_INIT;
    clnorm_status status;
    if (!norm->dx.buffer && !norm->dweight.buffer && !norm->dbias.buffer)
        return CLNORM_OK;
    if (norm->saved) {
        args.mean = tensor_of(clnorm_recurrent_region(call, SAVED_STATISTICS, at), 0);
        args.rstd = tensor_of(clnorm_recurrent_region(call, SAVED_STATISTICS, at + call->rows), 0);
    }
    args.x = tensor_of(norm->x, norm->x_cols);
    args.dy = tensor_of(norm->dy, norm->dy_cols);
    args.dx = tensor_of(norm->dx, norm->dy_cols);
    args.weight = tensor_of(norm->weight, 0);
    args.dweight = tensor_of(norm->dweight, 0);
    args.dbias = tensor_of(norm->dbias, 0);
    args.workspace = (clnorm_tensor){lines.buffer, lines.offset * 4, 0};
    TRY(clnorm_backward(norm->op, call->queue, call->rows, &args, 0, NULL, NULL, error));
    TRY(clnorm_recurrent_then(call, error));
fail:
    return status;
}

static clnorm_place moved(clnorm_place place, uint64_t elements)
{
    if (place.buffer)
        place.offset += elements;
    return place;
}

/* A projection's norms: those of h (or of the sum) or of x. */
typedef struct {
    clnorm_place x, dy, dx;
    clnorm_place last_dy; /* of the last bundle, if it has one of its own, of `hidden` columns */
    clnorm_place weight, dweight, dbias;
    unsigned statistics; /* of the first bundle */
} projection;

static clnorm_status run_projection(const clnorm_recurrent_call *call, const projection *p,
                                    clnorm_error *error)
{
    const clnorm_recurrent *op = call->op;
    const uint64_t hidden = op->desc.hidden, all = op->gates * hidden;
    clnorm_status status = CLNORM_OK;
    for (unsigned i = 0; i < op->bundles.count; i++) {
        const clnorm_bundle *bundle = &op->bundles.of[i];
        const uint64_t at = bundle->first * hidden;
        const bool own = p->last_dy.buffer && i + 1 == op->bundles.count;
        const norm_call norm = {
            .op = op->norms[bundle->size],
            .x = moved(p->x, at),
            .dy = own ? p->last_dy : moved(p->dy, at),
            .dx = moved(p->dx, at),
            .x_cols = all,
            .dy_cols = own ? hidden : all,
            .weight = moved(p->weight, at),
            .dweight = moved(p->dweight, at),
            .dbias = moved(p->dbias, at),
            .saved = true,
            .statistics = p->statistics + i,
        };
        TRY(run_norm(call, &norm, error));
    }
fail:
    return status;
}

static clnorm_place tensor(const clnorm_recurrent_call *call, clnorm_recurrent_id id)
{
    return clnorm_recurrent_rows(call, id, 0);
}

/* An lstm's bias has the gradient of bias_h. */
static clnorm_place dbias_of_h(const clnorm_recurrent_call *call)
{
    const clnorm_place own = tensor(call, RECURRENT_dbias_h);
    return own.buffer ? own : tensor(call, RECURRENT_dbias);
}

static clnorm_status run_norm_of_h(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const bool rnn = call->op->desc.cell == CLNORM_RNN, gru = call->op->desc.cell == CLNORM_GRU;
    const clnorm_place none = {NULL, 0};
    const projection p = {
        .x = clnorm_recurrent_region(call, rnn ? SAVED_X : SAVED_H, 0),
        .dy = clnorm_recurrent_region(call, BACKWARD_DP, 0),
        .last_dy = gru ? clnorm_recurrent_region(call, BACKWARD_DN, 0) : none,
        .weight = tensor(call, rnn ? RECURRENT_weight : RECURRENT_weight_h),
        .dweight = tensor(call, rnn ? RECURRENT_dweight : RECURRENT_dweight_h),
        .dbias = dbias_of_h(call),
    };
    return run_projection(call, &p, error);
}

/* The gradient of the projection of x takes the place of that of its norm. */
static clnorm_status run_norm_of_x(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const clnorm_recurrent *op = call->op;
    const clnorm_place none = {NULL, 0}, dp = clnorm_recurrent_region(call, BACKWARD_DP, 0);
    const bool wanted =
        tensor(call, RECURRENT_dw_x).buffer != NULL || tensor(call, RECURRENT_dx).buffer != NULL;
    const projection p = {
        .x = clnorm_recurrent_region(call, SAVED_X, 0),
        .dy = dp,
        .dx = wanted ? dp : none,
        .weight = tensor(call, RECURRENT_weight_x),
        .dweight = tensor(call, RECURRENT_dweight_x),
        .dbias = tensor(call, RECURRENT_dbias_x),
        .statistics = op->bundles.count,
    };
    return op->summed ? CLNORM_OK : run_projection(call, &p, error);
}

static clnorm_status run_norm_of_c(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const uint64_t hidden = call->op->desc.hidden;
    const norm_call norm = {
        .op = call->op->norms[1],
        .x = clnorm_recurrent_region(call, SAVED_C, 0),
        .dy = clnorm_recurrent_region(call, BACKWARD_DQ, 0),
        .x_cols = hidden,
        .dy_cols = hidden,
        .weight = tensor(call, RECURRENT_weight_c),
        .dweight = tensor(call, RECURRENT_dweight_c),
        .dbias = tensor(call, RECURRENT_dbias_c),
        .saved = true,
        .statistics = 2 * call->op->bundles.count,
    };
    return call->op->desc.cell == CLNORM_LSTM ? run_norm(call, &norm, error) : CLNORM_OK;
}

static clnorm_status copy_bias(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const clnorm_place from = tensor(call, RECURRENT_dbias_h), to = tensor(call, RECURRENT_dbias);
    const size_t bytes = (size_t)(call->op->gates * call->op->desc.hidden) * 4;
    clnorm_status status = CLNORM_OK;
    if (from.buffer && to.buffer) {
        TRY_CL(clEnqueueCopyBuffer(call->queue, from.buffer, to.buffer, (size_t)from.offset * 4,
                                   (size_t)to.offset * 4, bytes, 0, NULL, NULL));
        TRY(clnorm_recurrent_then(call, error));
    }
fail:
    return status;
}

static clnorm_status run_norms(const clnorm_recurrent_call *call, clnorm_error *error)
{
    clnorm_status status;
    TRY(run_norm_of_h(call, error));
    TRY(copy_bias(call, error));
    TRY(run_norm_of_c(call, error));
    TRY(run_norm_of_x(call, error));
fail:
    return status;
}

/* ---- products ------------------------------------------------------------------------------ */

/* The gradient of the projection of x. */
static clnorm_place dv_of(const clnorm_recurrent_call *call)
{
    return clnorm_recurrent_region(call, call->op->summed ? BACKWARD_DU : BACKWARD_DP, 0);
}

/* Without norms; a norm of any rows sums up the gradient of its bias. */
static clnorm_status add_bias(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const uint64_t all = call->op->gates * call->op->desc.hidden;
    const norm_call norm = {
        .op = call->op->norms[call->op->gates],
        .x = dv_of(call),
        .dy = dv_of(call),
        .x_cols = all,
        .dy_cols = all,
        .dbias = tensor(call, RECURRENT_dbias),
    };
    return run_norm(call, &norm, error);
}

/* The sum over all rows of products of a row of `left` with one of `right`, of `cols` columns. */
static clnorm_status multiply_rows(const clnorm_recurrent_call *call, clnorm_place left,
                                   clnorm_place right, uint64_t rows, uint64_t cols,
                                   clnorm_place out, float beta, clnorm_error *error)
{
    const clnorm_product product = {
        .alpha = 1,
        .m = call->op->gates * call->op->desc.hidden,
        .n = cols,
        .k = rows,
        .a = {left, true},
        .b = {right, false},
        .c = out,
        .beta = beta,
    };
    return clnorm_recurrent_multiply(call, &product, error);
}

/* h before a step is y of the step before, and h0. */
static clnorm_status find_dw_h(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const uint64_t hidden = call->op->desc.hidden, all = call->op->gates * hidden;
    const clnorm_place out = tensor(call, RECURRENT_dw_h), h0 = tensor(call, RECURRENT_h0);
    const clnorm_place du = clnorm_recurrent_region(call, BACKWARD_DU, 0);
    const bool later = call->steps > 1;
    clnorm_status status = CLNORM_OK;
    if (!out.buffer)
        return CLNORM_OK;
    if (later)
        TRY(multiply_rows(call, moved(du, call->batch * all), tensor(call, RECURRENT_y),
                          call->rows - call->batch, hidden, out, 0, error));
    if (h0.buffer)
        TRY(multiply_rows(call, du, h0, call->batch, hidden, out, later, error));
    if (!later && !h0.buffer)
        TRY(clnorm_recurrent_zero(call, out, all * hidden, error));
fail:
    return status;
}

/* x, or a copy of the rows that are not beyond their lengths, where nothing is needed any more. */
static clnorm_status find_live_x(const clnorm_recurrent_call *call, clnorm_place *x,
                                 clnorm_error *error)
{
    const clnorm_place all = tensor(call, RECURRENT_x);
    const clnorm_region spare = call->op->summed ? BACKWARD_DP : BACKWARD_DU;
    clnorm_arg_list list = {.count = 0};
    *x = call->lengths ? clnorm_recurrent_region(call, spare, 0) : all;
    if (!call->lengths)
        return CLNORM_OK;
    clnorm_recurrent_push(&list, *x);
    clnorm_recurrent_push(&list, all);
    clnorm_recurrent_push_lengths(&list, call);
    clnorm_push_u64(&list, call->batch);
    clnorm_push_u32(&list, call->op->desc.features);
    return clnorm_recurrent_launch(call, CELL_LIVE_ROWS, &list, call->rows, error);
}

static clnorm_status find_dw_x(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const clnorm_place out = tensor(call, RECURRENT_dw_x);
    clnorm_place x;
    clnorm_status status = CLNORM_OK;
    if (!out.buffer)
        return CLNORM_OK;
    TRY(find_live_x(call, &x, error));
    TRY(multiply_rows(call, dv_of(call), x, call->rows, call->op->desc.features, out, 0, error));
fail:
    return status;
}

static clnorm_status find_dx(const clnorm_recurrent_call *call, clnorm_error *error)
{
    const clnorm_product product = {
        .alpha = 1,
        .m = call->rows,
        .n = call->op->desc.features,
        .k = call->op->gates * call->op->desc.hidden,
        .a = {dv_of(call), false},
        .b = {tensor(call, RECURRENT_w_x), false},
        .c = tensor(call, RECURRENT_dx),
    };
    return product.c.buffer ? clnorm_recurrent_multiply(call, &product, error) : CLNORM_OK;
}

clnorm_status clnorm_recurrent_gradients(const clnorm_recurrent_call *call, clnorm_error *error)
{
    clnorm_status status;
    TRY(call->op->desc.norm ? run_norms(call, error) : add_bias(call, error));
    TRY(find_dw_h(call, error));
    TRY(find_dw_x(call, error));
    TRY(find_dx(call, error));
fail:
    return status;
}
