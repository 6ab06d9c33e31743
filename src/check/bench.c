/* SPDX-License-Identifier: MIT */
#include "check/bench_parts.h"
#include "base/desc.h"
#include "base/kind.h"
#include "check/clock.h"
#include "check/derived.h"

#include <stdlib.h>
#include <string.h>

/* That the host computes; the rest of the rows are these again. */
enum { TILE_ELEMENTS = 1 << 20 };

/* ---- the call ------------------------------------------------------------------------------ */

clnorm_status clnorm_bench_call(const clnorm_bench *b, const clnorm_ring *ring, uint64_t set,
                                cl_event *event, clnorm_error *error)
{
    const clnorm_args args = clnorm_ring_args(ring, set);
    const cl_command_queue queue = b->device->queue;
    return b->c.direction == CLNORM_FORWARD
               ? clnorm_forward(b->op, queue, b->c.rows, &args, 0, NULL, event, error)
               : clnorm_backward(b->op, queue, b->c.rows, &args, 0, NULL, event, error);
}

/* ---- what is given ------------------------------------------------------------------------- */

/* As in inference and training: forward leaves no statistics, backward is given them; what does not
 * subtract the mean adds no bias. */
static bool is_given(const clnorm_bench_case *c, const clnorm_desc *desc, clnorm_tensor_id id)
{
    const clnorm_tensor_use use = clnorm_tensor_use_of(desc, c->direction, id, c->rows);
    const bool is_statistic = id == TENSOR_mean || id == TENSOR_rstd;
    const bool is_bias = id == TENSOR_bias || id == TENSOR_dbias;
    if (use.role == CLNORM_UNUSED || use.required)
        return use.role != CLNORM_UNUSED;
    if (is_bias && !clnorm_kind_of(desc).center)
        return false;
    if (c->direction == CLNORM_FORWARD)
        return use.role == CLNORM_INPUT || (use.role == CLNORM_OUTPUT && !is_statistic);
    /* a sum that forward left would be read instead of x and residual */
    return use.role != CLNORM_IN_OUT && id != TENSOR_sum && id != TENSOR_dsum;
}

static bool can_be_tiled(const clnorm_bench_case *c, const clnorm_desc *desc)
{
    const bool whole_periods = desc->rows_per_mod == 0 || c->rows % desc->rows_per_mod == 0;
    return !clnorm_kind_of(desc).batch && desc->dropout <= 0 && whole_periods;
}

/* What a period of scales and shifts has is together in a tile. */
static uint64_t tile_rows_of(const clnorm_bench_case *c, const clnorm_desc *desc)
{
    const uint64_t step = desc->rows_per_mod > 0 ? desc->rows_per_mod : 1;
    const uint64_t steps = TILE_ELEMENTS / desc->cols / step;
    const uint64_t rows = step * (steps > 0 ? steps : 1);
    return can_be_tiled(c, desc) && rows < c->rows ? rows : c->rows;
}

static clnorm_ring_shape shape_of(const clnorm_bench_case *c, const clnorm_desc *desc)
{
    clnorm_ring_shape shape = {.desc = desc,
                               .direction = c->direction,
                               .rows = c->rows,
                               .tile_rows = tile_rows_of(c, desc)};
    for (int id = 0; id < TENSOR_COUNT; id++)
        shape.given[id] = is_given(c, desc, (clnorm_tensor_id)id);
    return shape;
}

clnorm_status clnorm_bench_bytes(const clnorm_bench_case *c, uint64_t *bytes, uint64_t *copy_bytes,
                                 clnorm_error *error)
{
    clnorm_desc desc;
    clnorm_status status;
    TRY(clnorm_desc_resolve(&c->desc, &desc, error));
    const clnorm_ring_shape shape = shape_of(c, &desc);
    *bytes = clnorm_ring_bytes(&shape);
    *copy_bytes = clnorm_ring_copy_bytes(&shape);
fail:
    return status;
}

static clnorm_status make_values(clnorm_bench *b, clnorm_error *error)
{
    const clnorm_check_case c = {.variant = b->c.variant,
                                 .desc = b->c.desc,
                                 .direction = b->c.direction,
                                 .rows = b->shape.tile_rows,
                                 .input = clnorm_input_find("normal"),
                                 .seed = b->options.seed};
    return clnorm_derived_fill(&c, &b->desc, b->shape.given, b->shape.seed, 0, b->values, error);
}

/* ---- what comes out ------------------------------------------------------------------------ */

static bool is_output(const clnorm_ring *ring, int id)
{
    return ring->shape.given[id] && ring->uses[id].role == CLNORM_OUTPUT;
}

static clnorm_status read_results(clnorm_bench *b, const clnorm_ring *ring, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        if (!is_output(ring, id))
            continue;
        size_t bytes = (size_t)clnorm_tensor_use_bytes(&ring->tile[id]);
        b->results[id] = malloc(bytes + 1);
        if (!b->results[id])
            return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", bytes);
        TRY(clnorm_ring_read(ring, 0, (clnorm_tensor_id)id, 0, b->results[id], &bytes, error));
    }
fail:
    return status;
}

static clnorm_status verify(const clnorm_bench *b, const clnorm_ring *ring,
                            clnorm_bench_facts *facts, clnorm_error *error)
{
    const clnorm_verify_more more = {.all_rows = can_be_tiled(&b->c, &b->desc) ? b->c.rows : 0,
                                     .ulp_counts = facts->ulp_counts};
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.seed = b->shape.seed;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        void *const array = is_output(ring, id) ? b->results[id] : b->values[id];
        if (b->shape.given[id])
            clnorm_host_array_set(&args, (clnorm_tensor_id)id, array, 0);
    }
    return clnorm_verify_more_of(&b->desc, b->c.direction, clnorm_op_depth(b->op),
                                 b->shape.tile_rows, &args, &more, &facts->verdict, error);
}

static clnorm_status compare_output(const clnorm_bench *b, const clnorm_ring *ring, uint64_t set,
                                    clnorm_tensor_id id, bool *differs, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    size_t bytes = (size_t)clnorm_tensor_use_bytes(&ring->tile[id]);
    void *got = malloc(bytes + 1);
    if (!got)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", bytes);
    for (uint64_t tile = 0; bytes > 0 && status == CLNORM_OK; tile++) {
        TRY(clnorm_ring_read(ring, set, id, tile, got, &bytes, error));
        *differs = memcmp(got, b->results[id], bytes) != 0;
        if (*differs)
            status = clnorm_fail(error, CLNORM_OPENCL,
                                 "%s has other bits than the result that was verified (rows %llu "
                                 "and on)",
                                 clnorm_tensor_name(id),
                                 (unsigned long long)(tile * b->shape.tile_rows));
    }
fail:
    free(got);
    return status;
}

clnorm_status clnorm_bench_compare(const clnorm_bench *b, const clnorm_ring *ring, uint64_t set,
                                   bool *differs, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT && status == CLNORM_OK; id++)
        if (is_output(ring, id))
            status = compare_output(b, ring, set, (clnorm_tensor_id)id, differs, error);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------- */

static clnorm_status run_once(clnorm_bench *b, const clnorm_ring *ring, clnorm_bench_facts *facts,
                              clnorm_error *error)
{
    const double begin = clnorm_clock();
    clnorm_status status;
    TRY(clnorm_bench_call(b, ring, 0, NULL, error));
    TRY_CL(clFinish(b->device->queue));
    facts->first_seconds = clnorm_clock() - begin;
fail:
    return status;
}

static clnorm_status prove(clnorm_bench *b, clnorm_bench_facts *facts, clnorm_error *error)
{
    clnorm_ring ring;
    clnorm_status status;
    TRY(clnorm_ring_make(&ring, b->device->context, b->device->queue, &b->shape, 1, error));
    TRY(run_once(b, &ring, facts, error));
    TRY(read_results(b, &ring, error));
    TRY(verify(b, &ring, facts, error));
    if (facts->verdict.wrong == 0)
        TRY(clnorm_bench_compare(b, &ring, 0, &facts->differs, error));
fail:
    clnorm_ring_release(&ring);
    return status;
}

static clnorm_status make_op(clnorm_bench *b, clnorm_bench_facts *facts, clnorm_error *error)
{
    const double begin = clnorm_clock();
    clnorm_status status;
    TRY(clnorm_desc_resolve(&b->c.desc, &b->desc, error));
    TRY(clnorm_op_make(b->device->context, &b->c.desc, b->c.direction == CLNORM_FORWARD, &b->op,
                       error));
    facts->build_seconds = clnorm_clock() - begin;
    facts->form = clnorm_op_desc(b->op)->form;
    TRY(clnorm_op_tuning(b->op, facts->tuning, sizeof(facts->tuning), error));
fail:
    return status;
}

static clnorm_status has_room(const clnorm_bench *b, clnorm_bench_facts *facts, clnorm_error *error)
{
    const clnorm_device *device = &b->device->context->device;
    facts->bytes = clnorm_ring_bytes(&b->shape);
    facts->copy_bytes = clnorm_ring_copy_bytes(&b->shape);
    facts->peak_bytes = clnorm_ring_set_bytes(&b->shape);
    if (facts->peak_bytes <= clnorm_bench_room(device))
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_OUT_OF_MEMORY,
                       "takes %llu MiB; half of the device's memory is %llu MiB",
                       (unsigned long long)(facts->peak_bytes >> 20),
                       (unsigned long long)(clnorm_bench_room(device) >> 20));
}

static clnorm_status open_case(clnorm_bench *b, clnorm_bench_facts *facts, clnorm_error *error)
{
    clnorm_status status;
    TRY(make_op(b, facts, error));
    b->shape = shape_of(&b->c, &b->desc);
    b->shape.seed = b->options.seed;
    b->shape.values = b->values;
    TRY(has_room(b, facts, error));
    TRY(make_values(b, error));
    const clnorm_streams streams = clnorm_ring_streams(&b->shape);
    TRY(clnorm_companion_init(&b->copy, b->device->context, &streams, error));
    TRY(prove(b, facts, error));
fail:
    return status;
}

clnorm_status clnorm_bench_open(clnorm_bench_device *device, const clnorm_bench_case *c,
                                const clnorm_bench_options *options, clnorm_bench **bench,
                                clnorm_bench_facts *facts, clnorm_error *error)
{
    *facts = (clnorm_bench_facts){.verdict = CLNORM_VERDICT_INIT};
    clnorm_bench *b = calloc(1, sizeof(*b));
    if (!b)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a case");
    b->device = device;
    b->c = *c;
    b->options = *options;
    const clnorm_status status = open_case(b, facts, error);
    if (status == CLNORM_OK)
        *bench = b;
    else
        clnorm_bench_close(b);
    return status;
}

void clnorm_bench_close(clnorm_bench *b)
{
    if (!b)
        return;
    clnorm_companion_release(&b->copy);
    clnorm_op_destroy(b->op);
    for (int id = 0; id < TENSOR_COUNT; id++) {
        free(b->values[id]);
        free(b->results[id]);
    }
    free(b);
}

const char *clnorm_bench_copy_name(const clnorm_bench *b)
{
    return clnorm_companion_way_name(&b->copy);
}
