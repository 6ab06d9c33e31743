/* SPDX-License-Identifier: MIT */
/* The public call: what CLBlast would accept without a word, or refuse without a name, is found
 * here. */
#include "base/checked.h"
#include "ops/gemm/clblast.h"
#include "ops/operand.h"
#include "runtime/launch.h"
#include "runtime/queue.h"

enum { MATRICES = 3, MOST_BATCH = 1 << 20 };

static clnorm_status check_range(const char *name, uint64_t value, uint64_t most,
                                 clnorm_error *error)
{
    if (value >= 1 && value <= most)
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is %llu; allowed are 1 to %llu", name,
                       (unsigned long long)value, (unsigned long long)most);
}

static clnorm_status check_sizes(const clnorm_gemm_args *args, clnorm_error *error)
{
    const uint64_t most = INT32_MAX;
    clnorm_status status;
    TRY(check_range("m", args->m, most, error));
    TRY(check_range("n", args->n, most, error));
    TRY(check_range("k", args->k, most, error));
    TRY(check_range("batch", args->batch, MOST_BATCH, error));
    if (args->batch > 1 && args->c_step < args->n)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "c_step is %llu: rows of the products' c would overlap; allowed is %llu "
                           "and more",
                           (unsigned long long)args->c_step, (unsigned long long)args->n);
fail:
    return status;
}

/* Checks a matrix of every product: the first one's rows, then that the last one fits, too. */
static clnorm_status check_matrix(const clnorm_context *context, clnorm_operand *o, uint64_t step,
                                  uint64_t batch, clnorm_error *error)
{
    clnorm_tensor last = *o->tensor;
    clnorm_operand end = *o;
    uint64_t ahead;
    clnorm_status status;
    if (!o->tensor->buffer)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s.buffer is NULL", o->name);
    TRY(clnorm_operand_check(context, o, error));
    if (batch == 1)
        return CLNORM_OK;
    if (!checked_mul(batch - 1, step, &ahead) || ahead > UINT64_MAX - last.offset)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s_step is %llu: too large for %llu products",
                           o->name, (unsigned long long)step, (unsigned long long)batch);
    last.offset += ahead;
    end.tensor = &last;
    TRY(clnorm_operand_check(context, &end, error));
    o->span = (clnorm_span){o->span.begin, end.span.end, end.span.end - o->span.begin,
                            end.span.end - o->span.begin};
fail:
    return status;
}

static clnorm_status check_matrices(const clnorm_context *context, const clnorm_gemm_args *args,
                                    clnorm_error *error)
{
    const uint64_t steps[MATRICES] = {args->a_step, args->b_step, args->c_step};
    const bool ta = args->a_transposed != 0, tb = args->b_transposed != 0;
    const clnorm_role c_role = args->beta != 0 ? CLNORM_IN_OUT : CLNORM_OUTPUT;
    clnorm_operand all[MATRICES] = {
        {.name = "a", .tensor = &args->a, .rows = ta ? args->k : args->m},
        {.name = "b", .tensor = &args->b, .rows = tb ? args->n : args->k},
        {.name = "c", .tensor = &args->c, .rows = args->m, .role = c_role},
    };
    const uint64_t cols[MATRICES] = {ta ? args->m : args->k, tb ? args->k : args->n, args->n};
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < MATRICES; i++) {
        all[i].cols = cols[i];
        all[i].dtype = CLNORM_F32;
        all[i].has_stride = true;
        if (i < 2)
            all[i].role = CLNORM_INPUT;
        TRY(check_matrix(context, &all[i], steps[i], args->batch, error));
    }
    for (int i = 0; i < 2; i++)
        if (clnorm_operands_meet(&all[2], &all[i]))
            TRY(clnorm_operands_refuse(&all[2], &all[i], false, error));
fail:
    return status;
}

static clnorm_status check_call(clnorm_context *context, cl_command_queue queue,
                                const clnorm_gemm_args *args, clnorm_events events,
                                clnorm_error *error)
{
    clnorm_status status;
    if (!context || !args)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !context ? "context" : "args");
    if (args->struct_size != sizeof(*args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "args.struct_size is %zu, not %zu: use CLNORM_GEMM_ARGS_INIT",
                           args->struct_size, sizeof(*args));
    TRY(clnorm_clblast_check(error));
    TRY(clnorm_context_check(context, error));
    TRY(clnorm_queue_check(context, queue, error));
    TRY(clnorm_wait_list_check(context, events.n_wait, events.wait_list, error));
    TRY(check_sizes(args, error));
    TRY(check_matrices(context, args, error));
fail:
    return status;
}

/* A stride means nothing where there is one row. */
static uint64_t stride_of(const clnorm_tensor *tensor, uint64_t rows)
{
    return rows > 1 ? tensor->stride : 0;
}

static clnorm_product product_of(const clnorm_gemm_args *args)
{
    return (clnorm_product){
        .m = args->m,
        .n = args->n,
        .k = args->k,
        .a = {{args->a.buffer, args->a.offset}, args->a_transposed != 0},
        .b = {{args->b.buffer, args->b.offset}, args->b_transposed != 0},
        .c = {args->c.buffer, args->c.offset},
        .alpha = args->alpha,
        .beta = args->beta,
        .a_stride = stride_of(&args->a, args->a_transposed ? args->k : args->m),
        .b_stride = stride_of(&args->b, args->b_transposed ? args->n : args->k),
        .c_stride = stride_of(&args->c, args->m),
        .batch = args->batch,
        .a_step = args->a_step,
        .b_step = args->b_step,
        .c_step = args->c_step,
    };
}

/* CLBlast takes no wait list: barriers stand for it, and a marker for the event. Intel's runtimes
 * need a barrier before that on an out-of-order queue: there, a marker alone does not wait. */
clnorm_status clnorm_gemm(clnorm_context *context, cl_command_queue queue,
                          const clnorm_gemm_args *args, cl_uint n_wait, const cl_event *wait_list,
                          cl_event *event, clnorm_error *error)
{
    const clnorm_events events = {n_wait, wait_list, event};
    clnorm_status status;
    bool in_order;
    TRY(check_call(context, queue, args, events, error));
    TRY(clnorm_queue_in_order(context, queue, &in_order, error));
    const clnorm_product product = product_of(args);
    if (n_wait > 0)
        TRY_CL(clEnqueueBarrierWithWaitList(queue, n_wait, wait_list, NULL));
    TRY(clnorm_multiply(context, queue, &product, error));
    if (!in_order)
        TRY_CL(clEnqueueBarrierWithWaitList(queue, 0, NULL, NULL));
    if (event)
        TRY_CL(clEnqueueMarkerWithWaitList(queue, 0, NULL, event));
fail:
    return status;
}
