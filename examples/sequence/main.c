/* SPDX-License-Identifier: MIT */
/* Trains a recurrent net, with layer normalization or without, on sequences, and says how far it
 * came: docs/sequence.md. */
#include "common/file.h"
#include "common/options.h"
#include "sequence/training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct settings {
    const char *task, *cell, *norm, *nonlinearity, *init, *device, *data, *json;
    int length, hidden, batch, check;
    long long steps, seed;
    double rate, eps, scale;
};

static const char *const tasks[] = {"adding", "fashion", NULL}; /* by seq_task_kind */
static const char *const cells[] = {"rnn", "lstm", "gru", NULL}; /* clnorm_cell */
static const char *const norms[] = {"none", "layer", NULL};
static const char *const nonlinearities[] = {"tanh", "relu", NULL}; /* clnorm_nonlinearity */
static const char *const inits[] = {"identity", "orthogonal", NULL}; /* seq_init */

static struct settings read_settings(int argc, char **argv)
{
    struct settings s = {.task = "adding",
                         .cell = "rnn",
                         .norm = "layer",
                         .data = "/usr/share/datasets/fashion-mnist",
                         .length = EX_NOT_GIVEN,
                         .hidden = 32,
                         .batch = 64,
                         .steps = 800,
                         .seed = 1,
                         .rate = 1e-3,
                         .eps = 1e-5,
                         .scale = 1};
    enum { WITH_DEFAULT = POPT_ARGFLAG_SHOW_DEFAULT };
    const struct poptOption table[] = {
        {"task", 0, POPT_ARG_STRING | WITH_DEFAULT, &s.task, 0,
         "adding: two numbers of a long sequence; fashion: images, a part at each step",
         "adding|fashion"},
        {"length", 0, POPT_ARG_INT, &s.length, 0,
         "steps of a sequence (adding: 100; fashion: 28, a divisor of 784)", "N"},
        {"cell", 0, POPT_ARG_STRING | WITH_DEFAULT, &s.cell, 0, "recurrent cell", "rnn|lstm|gru"},
        {"norm", 0, POPT_ARG_STRING | WITH_DEFAULT, &s.norm, 0, "normalization", "layer|none"},
        {"nonlinearity", 0, POPT_ARG_STRING, &s.nonlinearity, 0, "of an rnn (relu)", "relu|tanh"},
        {"init", 0, POPT_ARG_STRING, &s.init, 0,
         "what w_h begins as (rnn: identity; else orthogonal)", "identity|orthogonal"},
        {"scale", 0, POPT_ARG_DOUBLE | WITH_DEFAULT, &s.scale, 0, "times what w_x begins as", "F"},
        {"hidden", 0, POPT_ARG_INT | WITH_DEFAULT, &s.hidden, 0, "hidden units", "N"},
        {"batch", 0, POPT_ARG_INT | WITH_DEFAULT, &s.batch, 0, "sequences of a training step", "N"},
        {"steps", 0, POPT_ARG_LONGLONG | WITH_DEFAULT, &s.steps, 0, "training steps", "N"},
        {"rate", 0, POPT_ARG_DOUBLE | WITH_DEFAULT, &s.rate, 0, "of Adam", "R"},
        {"eps", 0, POPT_ARG_DOUBLE | WITH_DEFAULT, &s.eps, 0, "of the norms", "E"},
        {"seed", 0, POPT_ARG_LONGLONG | WITH_DEFAULT, &s.seed, 0,
         "of parameters and training sequences", "N"},
        {"device", 0, POPT_ARG_STRING, &s.device, 0,
         "as of clnorm (the environment's CLNORM_DEVICE, or the best)", "SELECTOR"},
        {"data", 0, POPT_ARG_STRING | WITH_DEFAULT, &s.data, 0, "where Fashion-MNIST is",
         "DIRECTORY"},
        {"json", 0, POPT_ARG_STRING, &s.json, 0,
         "write settings, curves and the test; -: to stdout", "FILE"},
        {"check", 0, POPT_ARG_NONE, &s.check, 0,
         "no training: compare a gradient with the host reference; for few steps", NULL},
        POPT_TABLEEND};
    ex_options(argc, argv, table);
    return s;
}

/* Checks them, and fills in what depends on others. */
static void complete(struct settings *s)
{
    const int task = ex_choice("--task", s->task, tasks);
    const bool is_rnn = ex_choice("--cell", s->cell, cells) == CLNORM_RNN;
    ex_choice("--norm", s->norm, norms);
    if (s->nonlinearity && !is_rnn)
        ex_die(EX_USAGE, "--nonlinearity is for --cell rnn; the cell is %s", s->cell);
    if (!s->nonlinearity)
        s->nonlinearity = is_rnn ? "relu" : "tanh";
    ex_choice("--nonlinearity", s->nonlinearity, nonlinearities);
    if (!s->init)
        s->init = is_rnn ? "identity" : "orthogonal";
    ex_choice("--init", s->init, inits);
    if (s->length == EX_NOT_GIVEN)
        s->length = task == SEQ_ADDING ? 100 : 28;
    ex_in_range("--length", s->length, 1, 1 << 16);
    ex_in_range("--hidden", s->hidden, 1, 4096);
    ex_in_range("--batch", s->batch, 1, 4096);
    ex_in_range("--steps", s->steps, 1, 1000000);
    ex_in_range("--seed", s->seed, 0, INT64_MAX);
    ex_in_range_number("--rate", s->rate, 1e-12, 1e3);
    ex_in_range_number("--eps", s->eps, 0, 1);
    ex_in_range_number("--scale", s->scale, 0, 1e3);
}

static struct seq_shape shape_of(const struct settings *s, const struct seq_task *task)
{
    struct seq_shape shape = {.length = task->length, .outputs = task->outputs};
    const clnorm_recurrent_desc cell = CLNORM_RECURRENT_DESC_INIT;
    shape.batch = (uint64_t)s->batch;
    shape.cell = cell;
    shape.cell.cell = (clnorm_cell)ex_choice("--cell", s->cell, cells);
    shape.cell.norm = ex_choice("--norm", s->norm, norms);
    shape.cell.nonlinearity =
        (clnorm_nonlinearity)ex_choice("--nonlinearity", s->nonlinearity, nonlinearities);
    shape.cell.features = task->features;
    shape.cell.hidden = (uint64_t)s->hidden;
    shape.cell.eps = s->eps;
    return shape;
}

/* ---- what came out ---- */

/* JSON has no NaN and no infinity: null. */
static json_t *number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

static json_t *numbers(const double *values, uint64_t n)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < n; i++)
        json_array_append_new(array, number(values[i]));
    return array;
}

static json_t *settings_json(const struct settings *s)
{
    return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:f, s:i, s:i, s:I, s:f, s:f, s:I}", "task",
                     s->task, "length", s->length, "cell", s->cell, "norm", s->norm, "nonlinearity",
                     s->nonlinearity, "init", s->init, "scale", s->scale, "hidden", s->hidden,
                     "batch", s->batch, "steps", (json_int_t)s->steps, "rate", s->rate, "eps",
                     s->eps, "seed", (json_int_t)s->seed);
}

static void write_json(const struct settings *s, const struct ex_device *device,
                       const struct seq_curve *curve, const struct seq_score *score)
{
    json_t *test =
        json_pack("{s:I, s:I, s:f, s:o}", "sequences", (json_int_t)score->sequences, "wrong",
                  (json_int_t)score->wrong, "error",
                  (double)score->wrong / (double)score->sequences, "loss", number(score->loss));
    json_t *trained =
        json_pack("{s:I, s:b, s:o, s:o}", "steps", (json_int_t)curve->steps, "diverged",
                  curve->is_diverged, "loss", numbers(curve->loss, curve->steps), "gradient_norm",
                  numbers(curve->norm, curve->steps));
    ex_json_write(s->json, json_pack("{s:o, s:o, s:o, s:o}", "settings", settings_json(s), "device",
                                     ex_json_device(device), "training", trained, "test", test));
}

static void report(const struct settings *s, const struct seq_curve *curve,
                   const struct seq_score *score)
{
    enum { LAST = 20 };
    const uint64_t n = curve->steps < LAST ? curve->steps : LAST;
    double sum = 0;
    for (uint64_t i = curve->steps - n; i < curve->steps; i++)
        sum += curve->loss[i];
    if (curve->is_diverged)
        printf("diverged: the gradient of step %" PRIu64 " is no number\n", curve->steps);
    else
        printf("step %" PRIu64 ": training loss %.4g, the mean of %" PRIu64 " steps\n",
               curve->steps, sum / (double)n, n);
    printf("test: loss %.4g, %zu of %zu sequences %s (%.1f %%)\n", fabs(score->loss), score->wrong,
           score->sequences, strcmp(s->task, "adding") ? "wrong" : "off by more than 0.04",
           100.0 * (double)score->wrong / (double)score->sequences);
}

/* ---- what is done ---- */

static int train(const struct settings *s, struct seq_net *net, const struct seq_task *task)
{
    struct seq_curve curve;
    seq_net_warm_up(net);
    seq_train(net, task, s->rate, (uint64_t)s->steps, &curve);
    if (curve.steps < (uint64_t)s->steps && !curve.is_diverged)
        ex_die(EX_INTERRUPTED, "interrupted after step %" PRIu64, curve.steps);
    const struct seq_score score = seq_test(net, task);
    if (!s->json || strcmp(s->json, "-") != 0)
        report(s, &curve, &score);
    if (s->json)
        write_json(s, net->device, &curve, &score);
    free(curve.loss);
    free(curve.norm);
    return EXIT_SUCCESS;
}

static int check(struct seq_net *net, const struct seq_task *task)
{
    double allowed;
    const double error = seq_check(net, task, &allowed);
    const bool is_right = error <= allowed; /* false for NaN */
    printf("gradient off by %.1e of %.1e allowed: %s\n", error, allowed,
           is_right ? "right" : "WRONG");
    return is_right ? EXIT_SUCCESS : EX_WRONG;
}

static void open_net(const struct settings *s, const struct seq_task *task,
                     struct ex_train *kernels, struct seq_net *net)
{
    const struct seq_shape shape = shape_of(s, task);
    struct seq_place places[SEQ_PARAMETERS];
    float *initial = ex_alloc((size_t)seq_places(&shape, places), sizeof(float));
    seq_initialize(&shape, (enum seq_init)ex_choice("--init", s->init, inits), s->scale,
                   (uint64_t)s->seed, initial);
    seq_net_open(net, &shape, seq_task_is_number(task), initial, kernels);
    free(initial);
}

int main(int argc, char **argv)
{
    struct ex_device device;
    struct ex_train kernels;
    struct seq_task task;
    struct seq_net net;
    ex_begin(argv[0]);
    struct settings s = read_settings(argc, argv);
    complete(&s);
    if (s.json)
        ex_file_check(s.json);
    seq_task_open(&task, (enum seq_task_kind)ex_choice("--task", s.task, tasks), (size_t)s.length,
                  (uint64_t)s.seed, s.data);
    ex_device_open(&device, s.device, false);
    fprintf(stderr, "%s on %s\n", s.check ? "checking" : "training",
            clnorm_context_device(device.context)->name);
    ex_train_open(&kernels, &device);
    open_net(&s, &task, &kernels, &net);
    const int code = s.check ? check(&net, &task) : train(&s, &net, &task);
    seq_net_close(&net);
    ex_train_close(&kernels);
    ex_device_close(&device);
    seq_task_close(&task);
    return code;
}
