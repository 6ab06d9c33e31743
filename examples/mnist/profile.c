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

struct measured {
    size_t batch;
    unsigned steps; /* of a round */
    double milliseconds[LABELS], events, clock; /* of a step: medians of the rounds */
    double launches; /* events of a step */
    size_t bytes[FLOORS]; /* that must be moved */
    double floor[FLOORS]; /* milliseconds of a copy that moves as many */
    double ratio[FLOORS]; /* median of the rounds' ratios */
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

struct rounds {
    double milliseconds[LABELS][ROUNDS], events[ROUNDS], clock[ROUNDS];
    double floor[FLOORS][ROUNDS], ratio[FLOORS][ROUNDS];
};

/* Steps with events, steps by the clock, then copies; all in turns. */
static void measure_round(struct bench *bench, struct ex_floor floors[FLOORS], size_t *launches,
                          struct rounds *rounds, int i)
{
    struct ex_device *device = bench->net->device;
    double seconds[LABELS] = {0};
    ex_trace_begin(device);
    run_steps(bench, bench->steps);
    ex_trace_end(device, seconds, LABELS, launches);
    const double started = ex_clock();
    run_steps(bench, bench->steps);
    ex_finish(device);
    rounds->clock[i] = 1e3 * (ex_clock() - started) / bench->steps;
    for (int l = 0; l < LABELS; l++) {
        rounds->milliseconds[l][i] = 1e3 * seconds[l] / bench->steps;
        rounds->events[i] += rounds->milliseconds[l][i];
    }
    const double parts[FLOORS] = {rounds->milliseconds[NORM][i], rounds->milliseconds[REST][i],
                                  rounds->milliseconds[NORM][i] + rounds->milliseconds[REST][i]};
    for (int f = 0; f < FLOORS; f++) {
        rounds->floor[f][i] = 1e3 * ex_floor_seconds(&floors[f], &bench->net->train, MOST_STEPS);
        rounds->ratio[f][i] = parts[f] / rounds->floor[f][i];
    }
}

static void summarize(const struct bench *bench, struct rounds *rounds, size_t launches,
                      struct measured *measured)
{
    for (int l = 0; l < LABELS; l++)
        measured->milliseconds[l] = ex_median(rounds->milliseconds[l], ROUNDS);
    measured->events = ex_median(rounds->events, ROUNDS);
    measured->clock = ex_median(rounds->clock, ROUNDS);
    measured->steps = bench->steps;
    measured->launches = (double)launches / bench->steps;
    for (int f = 0; f < FLOORS; f++) {
        measured->floor[f] = ex_median(rounds->floor[f], ROUNDS);
        measured->ratio[f] = ex_median(rounds->ratio[f], ROUNDS);
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
    struct rounds rounds = {.events = {0}};
    size_t launches = 0;
    measured->batch = bench->net->batch;
    size_t room[FLOORS];
    count_bytes(bench->net, measured->bytes, room);
    open_bench(bench);
    for (int f = 0; f < FLOORS; f++)
        ex_floor_open(&floors[f], bench->net->device, measured->bytes[f], room[f]);
    warm_up(bench);
    for (int i = 0; i < ROUNDS && !ex_interrupted(); i++)
        measure_round(bench, floors, &launches, &rounds, i);
    if (ex_interrupted())
        ex_die(EX_INTERRUPTED, "interrupted");
    summarize(bench, &rounds, launches, measured);
    for (int f = 0; f < FLOORS; f++)
        ex_floor_close(&floors[f]);
    close_bench(bench);
}

/* ---- what is shown ---- */

static void print_part(const char *name, const struct measured *measured, double milliseconds,
                       int floor)
{
    printf("  %-12s %8.3f ms %6.1f %%", name, milliseconds, 100 * milliseconds / measured->events);
    if (floor < FLOORS)
        printf("  %8.3f MB  floor %7.3f ms  ratio %5.2f", 1e-6 * (double)measured->bytes[floor],
               measured->floor[floor], measured->ratio[floor]);
    putchar('\n');
}

static void print_measured(const struct measured *measured)
{
    const double *parts = measured->milliseconds;
    printf("batch %zu: a step takes %.3f ms by events, %.3f ms by the clock, %g calls\n",
           measured->batch, measured->events, measured->clock, measured->launches);
    print_part("products", measured, parts[GEMM], FLOORS);
    print_part("norms", measured, parts[NORM], FLOOR_NORM);
    print_part("the rest", measured, parts[REST], FLOOR_REST);
    print_part("not products", measured, parts[NORM] + parts[REST], FLOOR_BOTH);
}

static json_t *pack_part(const struct measured *measured, double milliseconds, int floor)
{
    return json_pack("{s:f, s:I, s:f, s:f}", "ms", milliseconds, "bytes",
                     (json_int_t)measured->bytes[floor], "floor_ms", measured->floor[floor],
                     "ratio", measured->ratio[floor]);
}

static json_t *pack_measured(const struct measured *measured)
{
    const double *parts = measured->milliseconds;
    return json_pack("{s:I, s:i, s:f, s:f, s:f, s:{s:f}, s:o, s:o, s:o}", "batch",
                     (json_int_t)measured->batch, "steps", (int)measured->steps, "events_ms",
                     measured->events, "clock_ms", measured->clock, "calls", measured->launches,
                     "products", "ms", parts[GEMM], "norms",
                     pack_part(measured, parts[NORM], FLOOR_NORM), "rest",
                     pack_part(measured, parts[REST], FLOOR_REST), "not_products",
                     pack_part(measured, parts[NORM] + parts[REST], FLOOR_BOTH));
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
