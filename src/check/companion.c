/* SPDX-License-Identifier: MIT */
#include "check/companion.h"
#include "check/clock.h"
#include "check/statistics.h"
#include "runtime/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN, PAST_CACHE };

static const unsigned widths[CLNORM_COMPANION_PROGRAMS] = {16, 4};

struct clnorm_companion_way {
    const char *name;
    unsigned program, store;
    unsigned group; /* work-items of a work-group */
    unsigned block; /* vectors of a work-item that follow one another; 0: all take turns */
    unsigned turns; /* of a work-item */
    bool of_cpus; /* else of GPUs; accelerators may be like either */
};

/* A CPU's core walks through memory, work-items of a GPU stand side by side. The first of its kind
 * of store is the usual one. */
static const struct clnorm_companion_way ways[] = {
    {"blocks of 1024", 0, PLAIN, 1, 1024, 1, true},
    {"blocks of 16", 0, PLAIN, 1, 16, 1, true},
    {"blocks of 128", 0, PLAIN, 1, 128, 1, true},
    {"blocks of 8192", 0, PLAIN, 1, 8192, 1, true},
    {"blocks of 1024, past the cache", 0, PAST_CACHE, 1, 1024, 1, true},
    {"blocks of 128, past the cache", 0, PAST_CACHE, 1, 128, 1, true},
    {"blocks of 8192, past the cache", 0, PAST_CACHE, 1, 8192, 1, true},
    {"4 vectors in turns", 1, PLAIN, 256, 0, 4, false},
    {"vectors in turns", 1, PLAIN, 256, 0, 1, false},
    {"4 vectors in turns, past the cache", 1, PAST_CACHE, 256, 0, 4, false},
    {"wide vectors in turns", 0, PLAIN, 256, 0, 1, false},
    {"blocks of 64", 0, PLAIN, 1, 64, 1, false},
};
enum { N_WAYS = sizeof(ways) / sizeof(ways[0]) };

/* ---- programs ------------------------------------------------------------------------------ */

/* Streams of one width are copied as numbers of 32 bits, whatever they are. */
static bool is_uniform(const clnorm_streams *s)
{
    for (unsigned i = 0; i < s->ins; i++)
        if (s->in_bytes[i] != s->in_bytes[0])
            return false;
    for (unsigned i = 0; i < s->outs; i++)
        if (s->out_bytes[i] != s->in_bytes[0])
            return false;
    return s->in_bytes[0] % 4 == 0;
}

static const char *type_of(const clnorm_companion *c, unsigned bytes)
{
    static const char *const types[] = {[1] = "uchar", [2] = "ushort", [4] = "uint", [8] = "ulong"};
    return c->parts > 0 ? "uint" : types[bytes];
}

static void write_defines(const clnorm_companion *c, unsigned width, char *text, size_t bytes)
{
    const clnorm_streams *s = &c->streams;
    size_t used =
        (size_t)snprintf(text, bytes, "-DINS=%u -DOUTS=%u -DWIDTH=%u", s->ins, s->outs, width);
    for (unsigned i = 0; i < s->ins; i++)
        used += (size_t)snprintf(text + used, bytes - used, " -DIN_%u=%s", i,
                                 type_of(c, s->in_bytes[i]));
    for (unsigned i = 0; i < s->outs; i++)
        used += (size_t)snprintf(text + used, bytes - used, " -DOUT_%u=%s", i,
                                 type_of(c, s->out_bytes[i]));
}

static bool is_of_device(const clnorm_companion *c, const struct clnorm_companion_way *way)
{
    const cl_device_type type = c->context->device.type;
    return way->of_cpus ? !(type & CL_DEVICE_TYPE_GPU) : !(type & CL_DEVICE_TYPE_CPU);
}

static bool needs_program(const clnorm_companion *c, unsigned program)
{
    for (size_t i = 0; i < N_WAYS; i++)
        if (ways[i].program == program && is_of_device(c, &ways[i]))
            return true;
    return false;
}

clnorm_status clnorm_companion_init(clnorm_companion *c, clnorm_context *context,
                                    const clnorm_streams *streams, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    cl_program program;
    char defines[256];
    *c = (clnorm_companion){.context = context, .streams = *streams};
    if (c->streams.ins > CLNORM_MOST_INS)
        c->streams.ins = CLNORM_MOST_INS;
    if (c->streams.outs > CLNORM_MOST_OUTS)
        c->streams.outs = CLNORM_MOST_OUTS;
    c->parts = is_uniform(&c->streams) ? c->streams.in_bytes[0] / 4 : 0;
    for (unsigned i = 0; i < CLNORM_COMPANION_PROGRAMS; i++) {
        if (!needs_program(c, i))
            continue;
        write_defines(c, widths[i], defines, sizeof(defines));
        TRY(clnorm_program_get(context, CLNORM_SOURCE_COMPANION, defines, &program, error));
        TRY(clnorm_kernel_pool_create(program, "move_plain", &c->kernels[i][PLAIN], error));
        TRY(clnorm_kernel_pool_create(program, "move_past_cache", &c->kernels[i][PAST_CACHE],
                                      error));
        if (!c->nothing)
            TRY(clnorm_kernel_pool_create(program, "move_nothing", &c->nothing, error));
    }
fail:
    return status;
}

void clnorm_companion_release(clnorm_companion *c)
{
    for (unsigned i = 0; i < CLNORM_COMPANION_PROGRAMS; i++)
        for (unsigned k = 0; k < 2; k++)
            clnorm_kernel_pool_destroy(c->kernels[i][k]);
    clnorm_kernel_pool_destroy(c->nothing);
    *c = (clnorm_companion){.context = NULL};
}

/* ---- runs ---------------------------------------------------------------------------------- */

static clnorm_status run(const clnorm_companion *c, const struct clnorm_companion_way *way,
                         cl_command_queue queue, const clnorm_stream_place *place,
                         clnorm_events events, clnorm_error *error)
{
    const size_t most = c->context->device.max_work_group;
    const size_t group = way->group < most ? way->group : most;
    const unsigned width = widths[way->program], parts = c->parts > 0 ? c->parts : 1;
    const uint64_t vectors = (place->elements * parts + width - 1) / width;
    const uint64_t of_item = way->block ? way->block : way->turns;
    const uint64_t items = (vectors + of_item - 1) / of_item;
    const uint64_t groups = (items + group - 1) / group;
    const cl_ulong n = vectors, origin = place->first * parts / width, per = of_item;
    const cl_ulong first = way->block ? way->block : 1, step = way->block ? 1 : groups * group;
    const cl_mem *in = place->in, *out = place->out;
    const unsigned ins = c->streams.ins, outs = c->streams.outs;
    const clnorm_kernel_arg args[] = {
        CLNORM_ARG(in[0]),
        CLNORM_ARG(in[ins > 1 ? 1 : 0]),
        CLNORM_ARG(in[ins > 2 ? 2 : 0]),
        CLNORM_ARG(in[ins > 3 ? 3 : 0]),
        CLNORM_ARG(out[0]),
        CLNORM_ARG(out[outs > 1 ? 1 : 0]),
        CLNORM_ARG(out[outs > 2 ? 2 : 0]),
        CLNORM_ARG(origin),
        CLNORM_ARG(n),
        CLNORM_ARG(first),
        CLNORM_ARG(step),
        CLNORM_ARG(per),
    };
    return clnorm_launch(c->kernels[way->program][way->store], queue, args,
                         sizeof(args) / sizeof(args[0]), (size_t)groups, group, events, error);
}

clnorm_status clnorm_companion_run(const clnorm_companion *c, cl_command_queue queue,
                                   const clnorm_stream_place *place, clnorm_events events,
                                   clnorm_error *error)
{
    return run(c, c->way, queue, place, events, error);
}

clnorm_status clnorm_companion_nothing(const clnorm_companion *c, cl_command_queue queue,
                                       clnorm_events events, clnorm_error *error)
{
    return clnorm_launch(c->nothing, queue, NULL, 0, 1, 1, events, error);
}

const char *clnorm_companion_way_name(const clnorm_companion *c)
{
    return c->way ? c->way->name : "";
}

/* ---- the search ---------------------------------------------------------------------------- */

typedef struct {
    clnorm_stream_place first;
    uint64_t sets, pitch, turn;
} place_ring;

static clnorm_stream_place next_place(place_ring *ring)
{
    clnorm_stream_place place = ring->first;
    place.first += ring->turn++ % ring->sets * ring->pitch;
    return place;
}

static clnorm_status run_calls(const clnorm_companion *c, const struct clnorm_companion_way *way,
                               cl_command_queue queue, place_ring *ring, unsigned calls,
                               clnorm_error *error)
{
    const clnorm_events none = {0, NULL, NULL};
    clnorm_status status = CLNORM_OK;
    for (unsigned i = 0; i < calls; i++) {
        const clnorm_stream_place place = next_place(ring);
        TRY(run(c, way, queue, &place, none, error));
    }
    TRY_CL(clFinish(queue));
fail:
    return status;
}

static clnorm_status time_way(const clnorm_companion *c, const struct clnorm_companion_way *way,
                              cl_command_queue queue, place_ring *ring, double *seconds,
                              clnorm_error *error)
{
    const unsigned calls = ring->first.elements < 1 << 18 ? 16 : 1;
    const double begin = clnorm_clock();
    clnorm_status status;
    TRY(run_calls(c, way, queue, ring, calls, error));
    *seconds = clnorm_clock() - begin;
fail:
    return status;
}

enum { TURNS = 9 };

/* Ways take turns, so that what else the machine does hits all of them. In the first turn, which
 * does not count, drivers compile. */
static clnorm_status time_ways(const clnorm_companion *c, cl_command_queue queue, place_ring *ring,
                               double seconds[N_WAYS][TURNS], clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int turn = -1; turn < TURNS; turn++)
        for (size_t i = 0; i < N_WAYS; i++)
            if (is_of_device(c, &ways[i]))
                TRY(time_way(c, &ways[i], queue, ring, &seconds[i][turn < 0 ? 0 : turn], error));
fail:
    return status;
}

/* What a way takes in parts of what another one took in the same turn: the median, or 1 if it was
 * not faster in all turns but one, as then something else was measured. */
static double share_of_way(const double *way, const double *other)
{
    double shares[TURNS];
    for (int turn = 0; turn < TURNS; turn++)
        shares[turn] = way[turn] / other[turn];
    qsort(shares, TURNS, sizeof(shares[0]), clnorm_ascending);
    return shares[TURNS - 2] < 1 ? shares[TURNS / 2] : 1;
}

/* The usual way of such stores, unless another is a good deal faster: two processes must not differ
 * in it by chance, as what they measure beside it is told in parts of it. */
clnorm_status clnorm_companion_choose(clnorm_companion *c, cl_command_queue queue,
                                      const clnorm_stream_place *place, uint64_t sets,
                                      uint64_t pitch, clnorm_error *error)
{
    const unsigned usual_store = sets > 1 ? PAST_CACHE : PLAIN;
    const bool is_cpu = (c->context->device.type & CL_DEVICE_TYPE_CPU) != 0;
    place_ring ring = {*place, sets, pitch, 0};
    double seconds[N_WAYS][TURNS], least = 0.85;
    clnorm_status status;
    size_t usual = 0;
    TRY(time_ways(c, queue, &ring, seconds, error));
    while (!is_of_device(c, &ways[usual]) || (is_cpu && ways[usual].store != usual_store))
        usual++;
    c->way = &ways[usual];
    for (size_t i = 0; i < N_WAYS; i++)
        if (is_of_device(c, &ways[i]) && share_of_way(seconds[i], seconds[usual]) < least) {
            least = share_of_way(seconds[i], seconds[usual]);
            c->way = &ways[i];
        }
fail:
    return status;
}
