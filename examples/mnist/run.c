/* SPDX-License-Identifier: MIT */
#include "mnist/run.h"
#include "common/progress.h"
#include "common/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TEST_ROWS = 500, /* of a batch of the test */
    READ_EVERY = 32, /* steps that are in the queue at most, and between two looks at the loss */
    ORDERS = 1000 /* the first stream of the orders; parameters have those below */
};
static const double checkpoint_interval = 30; /* seconds, at least */

static uint64_t steps_per_epoch(const struct run *run)
{
    return run->data->train.count / run->settings->batch; /* what is left over waits for another */
}

/* Order of the images: a function of the seed and the epoch alone. */
static void begin_epoch(struct run *run, uint64_t epoch)
{
    const size_t n = run->data->train.count;
    uint32_t *order = ex_alloc(n, sizeof(*order));
    ex_shuffle(order, n, run->settings->seed, ORDERS + epoch);
    ex_write(run->device, run->order, 0, n * sizeof(*order), order);
    free(order);
    run->epoch = epoch;
}

static void train_step(struct run *run)
{
    const uint64_t epoch = run->step / steps_per_epoch(run);
    const size_t batch = run->settings->batch;
    if (epoch != run->epoch)
        begin_epoch(run, epoch);
    net_gather(run->net, &run->data->train, run->order,
               (size_t)(run->step % steps_per_epoch(run)) * batch, batch);
    net_forward(run->net, batch, true);
    net_loss(run->net, batch, true, run->nll, run->wrong,
             (size_t)(run->step % run->settings->evaluate_every) * batch);
    net_backward(run->net);
    net_update(run->net, &run->settings->adam, ++run->step);
}

/* ---- evaluation ---- */

static void test(struct run *run, struct point *point)
{
    const size_t count = run->data->test.count;
    const size_t rows = run->net->test_rows;
    for (size_t done = 0; done < count; done += rows) {
        /* the last rows may be done twice: those of a step have always one number */
        const size_t first = count - done < rows ? count - rows : done;
        net_gather(run->net, &run->data->test, NULL, first, rows);
        net_forward(run->net, rows, false);
        net_loss(run->net, rows, false, run->test_nll, run->test_wrong, first);
    }
    point->test_nll = ex_loss_read(&run->net->train, run->test_nll, run->test_wrong, 0, count,
                                   &point->test_errors) /
                      (double)count;
}

static void evaluate(struct run *run)
{
    struct point *point = &run->points[run->n_points++];
    const uint64_t every = run->settings->evaluate_every, last = run->step % every;
    const size_t rows = (size_t)(last ? last : every) * run->settings->batch;
    *point = (struct point){.step = run->step};
    point->train_nll =
        ex_loss_read(&run->net->train, run->nll, run->wrong, 0, rows, &point->train_errors) /
        (double)rows;
    point->seconds = ex_clock() - run->began; /* all steps are done, as the loss was waited for */
    test(run, point);
    if (!isfinite(point->train_nll) || !isfinite(point->test_nll))
        ex_die(EX_WRONG,
               "the loss is no number after %" PRIu64 " steps: --rate %g may be too large",
               run->step, run->settings->adam.rate);
}

/* The mean nll of the last few steps, for the eye; waits for the queue. */
static double recent_loss(struct run *run)
{
    const uint64_t every = run->settings->evaluate_every, in_ring = (run->step - 1) % every + 1;
    const uint64_t steps = in_ring < READ_EVERY ? in_ring : READ_EVERY;
    const size_t batch = run->settings->batch;
    uint64_t errors;
    return ex_loss_read(&run->net->train, run->nll, run->wrong, (size_t)(in_ring - steps) * batch,
                        (size_t)steps * batch, &errors) /
           (double)(steps * batch);
}

/* ---- from begin to end ---- */

static void show_evaluation(const struct run *run, struct ex_progress *progress)
{
    const struct point *point = &run->points[run->n_points - 1];
    ex_progress_hide(progress);
    printf("step %6" PRIu64 "  train nll %.4f  test nll %.4f  test error %5.2f %%\n", point->step,
           point->train_nll, point->test_nll,
           100 * (double)point->test_errors / (double)run->data->test.count);
    fflush(stdout);
}

static void train(struct run *run)
{
    const struct settings *settings = run->settings;
    double saved = ex_clock();
    struct ex_progress progress;
    run->began = saved - run->seconds;
    ex_progress_begin(&progress, run->step, settings->steps);
    ex_progress_note("compiling the products of a step ...");
    while (run->step < settings->steps && !ex_interrupted()) {
        train_step(run);
        if (run->step % READ_EVERY == 0)
            ex_progress_show(&progress, run->step, "loss", recent_loss(run));
        if (run->step % settings->evaluate_every && run->step < settings->steps)
            continue;
        evaluate(run);
        run->seconds = ex_clock() - run->began;
        show_evaluation(run, &progress);
        if (settings->checkpoint && ex_clock() - saved > checkpoint_interval) {
            state_save(run);
            saved = ex_clock();
        }
    }
    ex_finish(run->device);
    ex_progress_hide(&progress);
    run->seconds = ex_clock() - run->began;
}

static void open_run(struct run *run)
{
    const struct settings *settings = run->settings;
    const size_t ring = (size_t)settings->evaluate_every * settings->batch;
    const size_t tests = run->data->test.count;
    struct shape shape = settings->shape;
    shape.inputs = run->data->train.pixels;
    if (settings->batch > run->data->train.count)
        ex_die(EX_USAGE, "--batch is %zu; the data has %zu images for training", settings->batch,
               run->data->train.count);
    net_open(run->net, run->device, &shape, settings->batch, tests < TEST_ROWS ? tests : TEST_ROWS,
             settings->seed);
    run->nll = ex_buffer(run->device, ring * sizeof(float), NULL);
    run->wrong = ex_buffer(run->device, ring * sizeof(cl_uint), NULL);
    run->test_nll = ex_buffer(run->device, tests * sizeof(float), NULL);
    run->test_wrong = ex_buffer(run->device, tests * sizeof(cl_uint), NULL);
    run->order = ex_buffer(run->device, run->data->train.count * sizeof(cl_uint), NULL);
    run->epoch = UINT64_MAX;
    run->points =
        ex_alloc((size_t)(settings->steps / settings->evaluate_every) + 2, sizeof(run->points[0]));
}

static void close_run(struct run *run)
{
    cl_mem buffers[] = {run->nll, run->wrong, run->test_nll, run->test_wrong, run->order};
    net_close(run->net);
    for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); i++)
        clReleaseMemObject(buffers[i]);
    free(run->points);
}

int run(const struct settings *settings)
{
    struct ex_device device;
    struct data data;
    struct net net;
    struct run run = {.settings = settings, .device = &device, .data = &data, .net = &net};
    ex_device_open(&device, settings->device, false);
    data_read(&data, &device, settings->data);
    open_run(&run);
    state_load(&run);
    train(&run);
    const bool is_complete = run.step >= settings->steps;
    if (settings->checkpoint)
        state_save(&run);
    if (settings->json && is_complete)
        results_write(&run);
    if (!is_complete)
        fprintf(stderr, "stopped after step %" PRIu64 "%s\n", run.step,
                settings->checkpoint ? "; --resume goes on from there" : "");
    close_run(&run);
    data_release(&data);
    ex_device_close(&device);
    return is_complete ? 0 : EX_INTERRUPTED;
}
