/* SPDX-License-Identifier: MIT */
#include "check/derived.h"

#include "base/dtype.h"
#include "base/status.h"
#include "runtime/opencl.h"

#include <stdlib.h>

/* A call, and the forward call whose results are some of its inputs. */
typedef struct {
    const clnorm_check_case *c;
    const clnorm_desc *desc;
    clnorm_desc earlier;
    const bool *given;
    void **dense;
    double *results[TENSOR_COUNT]; /* of the earlier call */
} call;

static clnorm_tensor_use use_of(const call *k, clnorm_tensor_id id)
{
    return clnorm_tensor_use_of(k->desc, k->c->direction, id, k->c->rows);
}

static clnorm_tensor_use earlier_use(const call *k, clnorm_tensor_id id)
{
    return clnorm_tensor_use_of(&k->earlier, CLNORM_FORWARD, id, k->c->rows);
}

/* One that calculates what this call gets. */
static clnorm_desc earlier_desc(const clnorm_desc *desc, const bool *given,
                                clnorm_direction direction)
{
    clnorm_desc earlier = *desc;
    if (earlier.stats == CLNORM_STATS_GIVEN)
        earlier.stats = CLNORM_STATS_COMPUTED;
    /* who starts from the sum as it was stored needs the statistics of that */
    if (direction == CLNORM_BACKWARD && given[TENSOR_sum])
        earlier.contract = CLNORM_SUM_ROUNDED;
    earlier.quant = CLNORM_QUANT_NONE;
    earlier.quant_group = 0;
    earlier.quant_asymmetric = 0;
    earlier.qscale_min = earlier.qscale_max = 0;
    if (desc->quant != CLNORM_QUANT_NONE)
        earlier.y_dtype = desc->x_dtype;
    return earlier;
}

static bool is_derived(const call *k, clnorm_tensor_id id)
{
    return k->given[id] && use_of(k, id).role == CLNORM_INPUT &&
           earlier_use(k, id).role == CLNORM_OUTPUT;
}

static clnorm_status allocate(void **array, const clnorm_tensor_use *use, size_t element,
                              clnorm_error *error)
{
    const uint64_t elements = use->rows * use->cols;
    *array = calloc((size_t)elements + 1, element);
    if (*array)
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %llu elements",
                       (unsigned long long)elements);
}

static clnorm_status fill(call *k, clnorm_tensor_id id, const clnorm_tensor_use *use,
                          clnorm_error *error)
{
    const clnorm_check_case *c = k->c;
    const clnorm_status status =
        allocate(&k->dense[id], use, clnorm_dtype_bytes(use->dtype), error);
    if (status != CLNORM_OK)
        return status;
    if (id == TENSOR_x)
        clnorm_input_fill(c->input, use->dtype, use->rows, use->cols, c->seed, k->dense[id]);
    else
        clnorm_tensor_fill(k->desc, id, use->dtype, use->rows * use->cols, c->seed, k->dense[id]);
    return CLNORM_OK;
}

/* What is given, and what the earlier call cannot do without. */
static clnorm_status fill_all(call *k, bool earlier_runs, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        const clnorm_tensor_use own = use_of(k, id), before = earlier_use(k, id);
        const bool needed = earlier_runs && before.role == CLNORM_INPUT && before.required;
        if (k->given[id] && clnorm_role_reads(own.role))
            TRY(fill(k, id, &own, error));
        else if (needed)
            TRY(fill(k, id, &before, error));
    }
fail:
    return status;
}

static clnorm_status run_earlier(call *k, uint64_t seed, uint64_t first_row, clnorm_error *error)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    clnorm_status status;
    args.seed = seed;
    args.first_row = first_row;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        const clnorm_tensor_use use = earlier_use(k, id);
        void *result = NULL;
        if (use.role == CLNORM_INPUT)
            clnorm_host_array_set(&args, id, k->dense[id], 0);
        if (!is_derived(k, id) && !(use.role == CLNORM_OUTPUT && use.required))
            continue;
        status = allocate(&result, &use, sizeof(double), error);
        k->results[id] = result;
        if (status != CLNORM_OK)
            return status;
        clnorm_host_array_set(&args, id, result, 0);
    }
    return clnorm_reference(&k->earlier, CLNORM_FORWARD, k->c->rows, &args, error);
}

static void round_results(call *k)
{
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        const clnorm_tensor_use use = use_of(k, id);
        if (is_derived(k, id))
            for (uint64_t at = 0; at < use.rows * use.cols; at++)
                clnorm_store(use.dtype, k->dense[id], at, k->results[id][at]);
    }
}

clnorm_status clnorm_derived_fill(const clnorm_check_case *c, const clnorm_desc *desc,
                                  const bool given[TENSOR_COUNT], uint64_t seed, uint64_t first_row,
                                  void *dense[TENSOR_COUNT], clnorm_error *error)
{
    call k = {.c = c,
              .desc = desc,
              .earlier = earlier_desc(desc, given, c->direction),
              .given = given,
              .dense = dense};
    bool earlier_runs = false;
    clnorm_status status;
    for (int id = 0; id < TENSOR_COUNT; id++)
        earlier_runs |= is_derived(&k, (clnorm_tensor_id)id);
    TRY(fill_all(&k, earlier_runs, error));
    if (earlier_runs) {
        TRY(run_earlier(&k, seed, first_row, error));
        round_results(&k);
    }
fail:
    for (int id = 0; id < TENSOR_COUNT; id++)
        free(k.results[id]);
    return status;
}
