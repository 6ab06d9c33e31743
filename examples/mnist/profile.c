/* SPDX-License-Identifier: MIT */
/* Where the time of a warm step goes: products, norms, and the rest, with the least that memory
 * allows for the latter two. All of it was compared with the host before. */
#include "common/file.h"
#include "common/profile.h"
#include "common/random.h"
#include "common/trace.h"
#include "mnist/run.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 60000, PIXELS = 784, WARM = 3, LEAST_STEPS = 2, MOST_STEPS = 10, ROUNDS = 9 };
static const double round_seconds = 0.5; /* of the steps of a round, about */

/* What is measured against a floor. */
enum { FLOOR_NORM, FLOOR_REST, FLOOR_BOTH, FLOORS };

/* Of a step, in milliseconds: medians of all steps, or of the rounds. */
struct measured {
    size_t batch;
    unsigned steps; /* of a round */
    double milliseconds[LABELS], events, clock;
    size_t calls;
    size_t bytes[FLOORS]; /* that must be moved */
    double part[FLOORS], floor[FLOORS];
};

/* Each tensor counts once, where it must be read or written: norms read x and write y; backwards
 * they read x and dy and write dx; weight, bias and their gradients. Adam reads p, m, v and the
 * gradient and writes the first three; a batch is read as bytes and written as floats; logits are
 * read, their gradient written. ReLU could be a part of norms and products, so it counts nothing,
 * as do statistics and sums of what is at hand. */
static void count_bytes(const struct net *net, size_t bytes[FLOORS], size_t room[FLOORS])
{
    const size_t activations = net->batch * net->shape.hidden, hidden = net->shape.hidden;
    const size_t floats_of_norm = 5 * activations + 5 * hidden;
    bytes[FLOOR_NORM] = NORMS * floats_of_norm * sizeof(float);
    bytes[FLOOR_REST] =
        (7 * net->layout.used + net->batch * net->shape.inputs + 2 * net->batch * CLASSES) *
            sizeof(float) +
        net->batch * net->shape.inputs;
    bytes[FLOOR_BOTH] = bytes[FLOOR_NORM] + bytes[FLOOR_REST];
    /* dx is in the place of dy, and Adam's results are in the place of what they are made of */
    room[FLOOR_NORM] = bytes[FLOOR_NORM] - NORMS * 2 * activations * sizeof(float);
    room[FLOOR_REST] = bytes[FLOOR_REST] - 3 * net->layout.used * sizeof(float);
    room[FLOOR_BOTH] = room[FLOOR_NORM] + room[FLOOR_REST];
}

/* ---- steps ---- */

struct bench {
    struct net *net;
    struct data *data;
    const struct ex_adam *adam;
    cl_mem order, nll, wrong;
    uint64_t step;
    unsigned steps; /* of a round */
};

static void run_steps(struct bench *bench, unsigned n)
{
    struct net *net = bench->net;
    const size_t batches = bench->data->train.count / net->batch;
    for (unsigned i = 0; i < n; i++) {
        net_gather(net, &bench->data->train, bench->order,
                   (size_t)(bench->step % batches) * net->batch, net->batch);
        net_forward(net, net->batch, true);
        net_loss(net, net->batch, true, bench->nll, bench->wrong, i * net->batch);
        net_backward(net);
        net_update(net, bench->adam, ++bench->step);
    }
}

static void open_bench(struct bench *bench)
{
    struct ex_device *device = bench->net->device;
    const size_t rows = MOST_STEPS * bench->net->batch, n = bench->data->train.count;
    cl_uint *order = ex_alloc(n, sizeof(*order));
    ex_shuffle(order, n, 1, 0);
    bench->order = ex_buffer(device, n * sizeof(*order), order);
    free(order);
    bench->nll = ex_buffer(device, rows * sizeof(float), NULL);
    bench->wrong = ex_buffer(device, rows * sizeof(cl_uint), NULL);
}

static void close_bench(struct bench *bench)
{
    clReleaseMemObject(bench->order);
    clReleaseMemObject(bench->nll);
    clReleaseMemObject(bench->wrong);
}

/* ---- rounds ---- */

struct samples {
    double milliseconds[LABELS][ROUNDS * MOST_STEPS], parts[FLOORS][ROUNDS * MOST_STEPS];
    double events[ROUNDS * MOST_STEPS];
    int n; /* of these */
    double clock[ROUNDS], floor[FLOORS][ROUNDS];
    size_t calls; /* of a step */
};

static void measure_step(struct bench *bench, struct samples *samples)
{
    double seconds[LABELS] = {0};
    const int n = samples->n++;
    ex_trace_begin(bench->net->device);
    run_steps(bench, 1);
    ex_trace_end(bench->net->device, seconds, LABELS, &samples->calls);
    for (int l = 0; l < LABELS; l++) {
        samples->milliseconds[l][n] = 1e3 * seconds[l];
        samples->events[n] += 1e3 * seconds[l];
    }
    samples->parts[FLOOR_NORM][n] = 1e3 * seconds[NORM];
    samples->parts[FLOOR_REST][n] = 1e3 * seconds[REST];
    samples->parts[FLOOR_BOTH][n] = 1e3 * (seconds[NORM] + seconds[REST]);
}

/* A way to move bytes after each of some steps. */
static void measure_floors(struct bench *bench, struct ex_floor floors[FLOORS], double *samples[])
{
    struct ex_device *device = bench->net->device;
    double seconds[LABELS + FLOORS * EX_FLOOR_WAYS] = {0};
    ex_trace_begin(device);
    for (int f = 0; f < FLOORS; f++)
        for (int way = 0; way < EX_FLOOR_WAYS; way++) {
            run_steps(bench, 1);
            ex_floor_move(&floors[f], &bench->net->train, way, LABELS + f * EX_FLOOR_WAYS + way);
        }
    ex_trace_end(device, seconds, LABELS + FLOORS * EX_FLOOR_WAYS, NULL);
    for (int f = 0; f < FLOORS; f++)
        *samples[f] = 1e3 * ex_floor_seconds(&floors[f], seconds + LABELS + f * EX_FLOOR_WAYS);
}

/* Steps with events, steps by the clock, then floors; all in turns. */
static void measure_round(struct bench *bench, struct ex_floor floors[FLOORS],
                          struct samples *samples, int round)
{
    double *floor_samples[FLOORS];
    for (unsigned i = 0; i < bench->steps; i++)
        measure_step(bench, samples);
    const double started = ex_clock();
    run_steps(bench, bench->steps);
    ex_finish(bench->net->device);
    samples->clock[round] = 1e3 * (ex_clock() - started) / bench->steps;
    for (int f = 0; f < FLOORS; f++)
        floor_samples[f] = &samples->floor[f][round];
    measure_floors(bench, floors, floor_samples);
}

static void summarize(const struct bench *bench, struct samples *samples, struct measured *measured)
{
    const size_t n = (size_t)samples->n;
    for (int l = 0; l < LABELS; l++)
        measured->milliseconds[l] = ex_median(samples->milliseconds[l], n);
    measured->events = ex_median(samples->events, n);
    measured->clock = ex_median(samples->clock, ROUNDS);
    measured->steps = bench->steps;
    measured->calls = samples->calls;
    for (int f = 0; f < FLOORS; f++) {
        measured->part[f] = ex_median(samples->parts[f], n);
        measured->floor[f] = ex_median(samples->floor[f], ROUNDS);
    }
}

static void warm_up(struct bench *bench)
{
    run_steps(bench, WARM);
    ex_finish(bench->net->device);
    const double started = ex_clock();
    run_steps(bench, 1);
    ex_finish(bench->net->device);
    const double steps = round_seconds / (ex_clock() - started);
    bench->steps = (unsigned)fmin(fmax(steps, LEAST_STEPS), MOST_STEPS);
}

static void measure(struct bench *bench, struct measured *measured)
{
    struct ex_floor floors[FLOORS];
    struct samples samples = {.n = 0};
    size_t room[FLOORS];
    measured->batch = bench->net->batch;
    count_bytes(bench->net, measured->bytes, room);
    open_bench(bench);
    for (int f = 0; f < FLOORS; f++)
        ex_floor_open(&floors[f], bench->net->device, measured->bytes[f], room[f]);
    warm_up(bench);
    for (int i = 0; i < ROUNDS; i++) {
        measure_round(bench, floors, &samples, i);
        if (ex_interrupted())
            ex_die(EX_INTERRUPTED, "interrupted");
    }
    summarize(bench, &samples, measured);
    for (int f = 0; f < FLOORS; f++)
        ex_floor_close(&floors[f]);
    close_bench(bench);
}

/* ---- what is shown ---- */

static void print_part(const char *name, const struct measured *measured, int floor)
{
    const double milliseconds = measured->part[floor];
    printf("  %-12s %8.3f ms %6.1f %%  %8.3f MB  floor %7.3f ms  ratio %5.2f\n", name, milliseconds,
           100 * milliseconds / measured->events, 1e-6 * (double)measured->bytes[floor],
           measured->floor[floor], milliseconds / measured->floor[floor]);
}

static void print_measured(const struct measured *measured)
{
    const double products = measured->milliseconds[GEMM];
    printf("batch %zu: a step takes %.3f ms by events, %.3f ms by the clock, %zu calls\n",
           measured->batch, measured->events, measured->clock, measured->calls);
    printf("  %-12s %8.3f ms %6.1f %%\n", "products", products, 100 * products / measured->events);
    print_part("norms", measured, FLOOR_NORM);
    print_part("the rest", measured, FLOOR_REST);
    print_part("not products", measured, FLOOR_BOTH);
}

static json_t *pack_part(const struct measured *measured, int floor)
{
    return json_pack("{s:f, s:I, s:f, s:f}", "ms", measured->part[floor], "bytes",
                     (json_int_t)measured->bytes[floor], "floor_ms", measured->floor[floor],
                     "ratio", measured->part[floor] / measured->floor[floor]);
}

static json_t *pack_measured(const struct measured *measured)
{
    return json_pack(
        "{s:I, s:i, s:f, s:f, s:I, s:{s:f}, s:o, s:o, s:o}", "batch", (json_int_t)measured->batch,
        "steps", (int)measured->steps, "events_ms", measured->events, "clock_ms", measured->clock,
        "calls", (json_int_t)measured->calls, "products", "ms", measured->milliseconds[GEMM],
        "norms", pack_part(measured, FLOOR_NORM), "rest", pack_part(measured, FLOOR_REST),
        "not_products", pack_part(measured, FLOOR_BOTH));
}

/* false: wrong results, which have no speed. */
static bool profile_batch(struct ex_device *device, struct data *data,
                          const struct settings *settings, size_t batch, struct measured *measured)
{
    struct net net;
    struct shape shape = settings->shape;
    struct bench bench = {.net = &net, .data = data, .adam = &settings->adam};
    shape.inputs = PIXELS;
    net_open(&net, device, &shape, batch, batch, settings->seed);
    const bool is_right = check_net(&net, data, &settings->adam, false);
    if (is_right)
        measure(&bench, measured);
    net_close(&net);
    return is_right;
}

static void write_json(const struct settings *settings, const struct ex_device *device,
                       json_t *batches)
{
    ex_json_write(settings->json,
                  json_pack("{s:s, s:s, s:I, s:o, s:i, s:o}", "program", "mnist --profile", "norm",
                            settings->shape.is_batch_norm ? "batch" : "layer", "hidden",
                            (json_int_t)settings->shape.hidden, "device", ex_json_device(device),
                            "rounds", ROUNDS, "batches", batches));
}

int profile(const struct settings *settings)
{
    static const size_t batches[] = {128, 4};
    struct ex_device device;
    struct data data;
    bool is_right = true;
    json_t *results = json_array();
    ex_device_open(&device, settings->device, true);
    data_random(&data, &device, IMAGES, PIXELS, settings->seed);
    const clnorm_device *about = clnorm_context_device(device.context);
    fprintf(stderr, "%s norm on %s (%s): medians of %d rounds\n",
            settings->shape.is_batch_norm ? "batch" : "layer", about->name, about->driver, ROUNDS);
    for (size_t i = 0; is_right && i < sizeof(batches) / sizeof(batches[0]); i++) {
        struct measured measured;
        is_right = profile_batch(&device, &data, settings, batches[i], &measured);
        if (!is_right)
            break;
        json_array_append_new(results, pack_measured(&measured));
        if (!settings->json || strcmp(settings->json, "-") != 0)
            print_measured(&measured);
    }
    if (is_right && settings->json)
        write_json(settings, &device, results);
    else
        json_decref(results);
    data_release(&data);
    ex_device_close(&device);
    return is_right ? 0 : EX_WRONG;
}
