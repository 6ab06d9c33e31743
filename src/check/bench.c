/* SPDX-License-Identifier: MIT */
#include "check/bench.h"
#include "base/desc.h"
#include "base/kind.h"
#include "check/clock.h"
#include "check/derived.h"
#include "check/ring.h"
#include "ops/op.h"

#include <stdlib.h>
#include <string.h>

enum {
    TILE_ELEMENTS = 1 << 20, /* that the host computes; the rest of the rows are these again */
    WARM_UP = 3
};

struct clnorm_bench {
    clnorm_bench_device *device;
    clnorm_bench_case c;
    clnorm_bench_options options;
    clnorm_desc desc; /* resolved */
    clnorm_op *op;
    clnorm_ring_shape shape;
    void *values[TENSOR_COUNT]; /* inputs of a tile */
    void *results[TENSOR_COUNT]; /* verified outputs of a tile */
    clnorm_companion copy;
    uint64_t turn; /* the next set of the ring, among all rounds */
};

/* ---- the call ------------------------------------------------------------------------------ */

static clnorm_status call(const clnorm_bench *b, const clnorm_ring *ring, uint64_t set,
                          cl_event *event, clnorm_error *error)
{
    const clnorm_args args = clnorm_ring_args(ring, set);
    const cl_command_queue queue = b->device->queue;
    return b->c.direction == CLNORM_FORWARD
               ? clnorm_forward(b->op, queue, b->c.rows, &args, 0, NULL, event, error)
               : clnorm_backward(b->op, queue, b->c.rows, &args, 0, NULL, event, error);
}

/* ---- what is given ------------------------------------------------------------------------- */

/* As in inference and training: forward leaves no statistics, backward is given them. */
static bool is_given(const clnorm_bench *b, clnorm_tensor_id id)
{
    const clnorm_tensor_use use = clnorm_tensor_use_of(&b->desc, b->c.direction, id, b->c.rows);
    const bool is_statistic = id == TENSOR_mean || id == TENSOR_rstd;
    if (use.role == CLNORM_UNUSED || use.required)
        return use.role != CLNORM_UNUSED;
    if (b->c.direction == CLNORM_FORWARD)
        return use.role == CLNORM_INPUT || (use.role == CLNORM_OUTPUT && !is_statistic);
    /* a sum that forward left would be read instead of x and residual */
    return use.role != CLNORM_IN_OUT && id != TENSOR_sum && id != TENSOR_dsum;
}

static bool can_be_tiled(const clnorm_bench *b)
{
    return !clnorm_kind_of(&b->desc).batch && b->desc.dropout <= 0;
}

/* Rows whose multiple is all rows, so that sums over them are a multiple too; all of them, if there
 * are none that are few enough among the first numbers that are tried. */
static uint64_t tile_rows_of(const clnorm_bench *b)
{
    enum { TRIES = 1 << 16 };
    const uint64_t step = b->desc.rows_per_mod > 0 ? b->desc.rows_per_mod : 1;
    const uint64_t least = b->c.rows * b->desc.cols / TILE_ELEMENTS + 1;
    if (!can_be_tiled(b))
        return b->c.rows;
    for (uint64_t tiles = least; tiles <= b->c.rows && tiles < least + TRIES; tiles++)
        if (b->c.rows % tiles == 0 && b->c.rows / tiles % step == 0)
            return b->c.rows / tiles;
    return b->c.rows;
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
        const size_t bytes = (size_t)clnorm_tensor_use_bytes(&ring->tile[id]);
        b->results[id] = malloc(bytes + 1);
        if (!b->results[id])
            return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", bytes);
        TRY(clnorm_ring_read(ring, 0, (clnorm_tensor_id)id, 0, b->results[id], error));
    }
fail:
    return status;
}

static clnorm_status verify(const clnorm_bench *b, const clnorm_ring *ring,
                            clnorm_bench_facts *facts, clnorm_error *error)
{
    const clnorm_verify_more more = {.tiles = b->shape.tiles, .ulp_counts = facts->ulp_counts};
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
                                    clnorm_tensor_id id, clnorm_error *error)
{
    const size_t bytes = (size_t)clnorm_tensor_use_bytes(&ring->tile[id]);
    const uint64_t tiles = clnorm_ring_tiles_of(ring, id);
    clnorm_status status = CLNORM_OK;
    void *got = malloc(bytes + 1);
    if (!got)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", bytes);
    for (uint64_t tile = 0; tile < tiles && status == CLNORM_OK; tile++) {
        TRY(clnorm_ring_read(ring, set, id, tile, got, error));
        if (memcmp(got, b->results[id], bytes))
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

/* All rows of a set with the verified ones. */
static clnorm_status compare_set(const clnorm_bench *b, const clnorm_ring *ring, uint64_t set,
                                 clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT && status == CLNORM_OK; id++)
        if (is_output(ring, id))
            status = compare_output(b, ring, set, (clnorm_tensor_id)id, error);
    return status;
}

/* ---- opening ------------------------------------------------------------------------------- */

static clnorm_status run_once(clnorm_bench *b, const clnorm_ring *ring, clnorm_bench_facts *facts,
                              clnorm_error *error)
{
    const double begin = clnorm_clock();
    clnorm_status status;
    TRY(call(b, ring, 0, NULL, error));
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
        TRY(compare_set(b, &ring, 0, error));
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
    b->shape = (clnorm_ring_shape){.desc = &b->desc,
                                   .direction = b->c.direction,
                                   .tile_rows = b->c.rows,
                                   .tiles = 1,
                                   .seed = b->options.seed,
                                   .values = b->values};
    for (int id = 0; id < TENSOR_COUNT; id++)
        b->shape.given[id] = is_given(b, (clnorm_tensor_id)id);
    TRY(has_room(b, facts, error));
    b->shape.tile_rows = tile_rows_of(b);
    b->shape.tiles = b->c.rows / b->shape.tile_rows;
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

/* ---- a round ------------------------------------------------------------------------------- */

typedef struct {
    clnorm_bench *bench;
    clnorm_ring ring;
    clnorm_bench_round *round;
    uint64_t last; /* set of the last call */
} course;

/* One further after each time round, so that a call gets sets that the copy wrote to, and what it
 * leaves undone is seen. */
static uint64_t next_set(course *k)
{
    const uint64_t turn = k->bench->turn++, sets = k->ring.sets;
    return (turn + turn / sets) % sets;
}

static clnorm_status time_calls(course *k, double *event, double *host, clnorm_error *error)
{
    const unsigned calls = k->round->calls;
    clnorm_stretch stretch;
    clnorm_status status;
    TRY(clnorm_stretch_begin(&stretch, k->bench->device, error));
    for (unsigned i = 0; i < calls; i++) {
        k->last = next_set(k);
        TRY(call(k->bench, &k->ring, k->last, i + 1 == calls ? clnorm_stretch_last(&stretch) : NULL,
                 error));
    }
    TRY(clnorm_stretch_end(&stretch, event, host, error));
    *event /= calls;
    *host /= calls;
fail:
    clnorm_stretch_release(&stretch);
    return status;
}

static clnorm_status time_copies(course *k, double *seconds, clnorm_error *error)
{
    const unsigned calls = k->round->calls;
    clnorm_stretch stretch;
    double event, host;
    clnorm_status status;
    TRY(clnorm_stretch_begin(&stretch, k->bench->device, error));
    for (unsigned i = 0; i < calls; i++) {
        const clnorm_stream_place place = clnorm_ring_place(&k->ring, next_set(k));
        const clnorm_events events = {0, NULL,
                                      i + 1 == calls ? clnorm_stretch_last(&stretch) : NULL};
        TRY(clnorm_companion_run(&k->bench->copy, k->bench->device->queue, &place, events, error));
    }
    TRY(clnorm_stretch_end(&stretch, &event, &host, error));
    *seconds = clnorm_bench_time(k->bench->device, event, host) / calls;
fail:
    clnorm_stretch_release(&stretch);
    return status;
}

/* The copy comes first: what the last call of a round wrote is compared. */
static clnorm_status take_sample(course *k, clnorm_bench_sample *sample, clnorm_error *error)
{
    clnorm_status status;
    TRY(time_copies(k, &sample->copy_seconds, error));
    TRY(time_calls(k, &sample->event_seconds, &sample->host_seconds, error));
    sample->seconds =
        clnorm_bench_time(k->bench->device, sample->event_seconds, sample->host_seconds);
fail:
    return status;
}

/* So many that a sample is long beside what starts and ends it, and leaves the other half of the
 * sets to the copies. */
static clnorm_status choose_calls(course *k, clnorm_error *error)
{
    const double least = 5e-4;
    clnorm_bench_sample sample;
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < WARM_UP; i++)
        TRY(take_sample(k, &sample, error));
    const double calls = least / sample.host_seconds, half = (double)k->ring.sets / 2;
    const double most = k->bench->c.warm || half < 1 ? 1000 : half;
    k->round->calls = calls < 1 ? 1 : (unsigned)(calls < most ? calls : most);
    TRY(take_sample(k, &sample, error));
fail:
    return status;
}

static bool is_enough(const clnorm_bench *b, const clnorm_bench_round *round, double seconds)
{
    return round->count == CLNORM_MOST_SAMPLES ||
           (round->count >= b->options.least_samples && seconds >= b->options.round_seconds);
}

static clnorm_status take_samples(course *k, clnorm_error *error)
{
    const clnorm_bench *b = k->bench;
    clnorm_bench_round *round = k->round;
    clnorm_status status = CLNORM_OK;
    double seconds = 0;
    while (!is_enough(b, round, seconds)) {
        clnorm_bench_sample *sample = &round->samples[round->count];
        if (b->options.goes_on && !b->options.goes_on(b->options.user))
            return clnorm_fail(error, CLNORM_CANCELLED, "interrupted");
        TRY(take_sample(k, sample, error));
        seconds += sample->host_seconds * round->calls;
        round->count++;
    }
fail:
    return status;
}

static uint64_t sets_of(const clnorm_bench *b)
{
    const clnorm_device *device = &b->device->context->device;
    const uint64_t set = clnorm_ring_set_bytes(&b->shape), cold = clnorm_bench_cold_bytes(device);
    const uint64_t wanted = (cold + set - 1) / set, room = clnorm_bench_room(device) / set;
    if (b->c.warm)
        return 1;
    return wanted < 2 && room >= 2 ? 2 : wanted < room ? wanted : room;
}

clnorm_status clnorm_bench_run_round(clnorm_bench *b, clnorm_bench_round *round,
                                     clnorm_error *error)
{
    course k = {.bench = b, .round = round};
    clnorm_status status;
    *round = (clnorm_bench_round){.calls = 1};
    round->samples = calloc(CLNORM_MOST_SAMPLES, sizeof(*round->samples));
    if (!round->samples)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for samples");
    TRY(clnorm_ring_make(&k.ring, b->device->context, b->device->queue, &b->shape, sets_of(b),
                         error));
    round->sets = k.ring.sets;
    round->is_cold = k.ring.sets * clnorm_ring_set_bytes(&b->shape) >=
                     clnorm_bench_cold_bytes(&b->device->context->device);
    if (!b->copy.way) {
        const clnorm_stream_place place = clnorm_ring_place(&k.ring, 0);
        TRY(clnorm_companion_choose(&b->copy, b->device->queue, &place, k.ring.sets,
                                    clnorm_ring_pitch(&k.ring), error));
    }
    TRY(choose_calls(&k, error));
    TRY(take_samples(&k, error));
    TRY(compare_set(b, &k.ring, k.last, error));
fail:
    clnorm_ring_release(&k.ring);
    return status;
}
