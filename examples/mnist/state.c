/* SPDX-License-Identifier: MIT */
#include "common/file.h"
#include "mnist/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char kind[] = "mnist 2";
static const char *const norm_names[] = {"layer", "batch"};

/* What a resumed run must have in common with the one that wrote the checkpoint. */
struct identity {
    uint64_t seed, batch, evaluate_every, inputs, hidden, is_batch_norm, images, tests;
    uint64_t images_checksum, tests_checksum;
    double rate, beta1, beta2, eps;
    char device[256]; /* its name, as bits are those of a device */
};

static struct identity identify(const struct run *run)
{
    const struct settings *settings = run->settings;
    struct identity identity = {
        .seed = settings->seed,
        .batch = settings->batch,
        .evaluate_every = settings->evaluate_every,
        .inputs = run->net->shape.inputs,
        .hidden = run->net->shape.hidden,
        .is_batch_norm = run->net->shape.is_batch_norm,
        .images = run->data->train.count,
        .tests = run->data->test.count,
        .images_checksum = run->data->train.checksum,
        .tests_checksum = run->data->test.checksum,
        .rate = settings->adam.rate,
        .beta1 = settings->adam.beta1,
        .beta2 = settings->adam.beta2,
        .eps = settings->adam.eps,
    };
    snprintf(identity.device, sizeof(identity.device), "%s",
             clnorm_context_device(run->device->context)->name);
    return identity;
}

/* The device's arrays that a checkpoint holds. */
struct array {
    const char *name;
    cl_mem buffer;
    size_t bytes;
};
enum { ARRAYS = 6 };

static void list_arrays(const struct run *run, struct array arrays[ARRAYS])
{
    const struct net *net = run->net;
    const size_t parameters = net->layout.count * sizeof(float);
    const size_t ring = (size_t)run->settings->evaluate_every * run->settings->batch;
    const struct array all[ARRAYS] = {
        {"parameters", net->parameters, parameters},
        {"m", net->m, parameters},
        {"v", net->v, parameters},
        {"running", net->running, NORMS * 2 * net->shape.hidden * sizeof(float)},
        {"nll", run->nll, ring * sizeof(float)},
        {"wrong", run->wrong, ring * sizeof(cl_uint)},
    };
    memcpy(arrays, all, sizeof(all));
}

void state_save(const struct run *run)
{
    struct array arrays[ARRAYS];
    void *copies[ARRAYS];
    const struct identity identity = identify(run);
    struct ex_part parts[ARRAYS + 4] = {
        {"identity", &identity, sizeof(identity)},
        {"step", &run->step, sizeof(run->step)},
        {"seconds", &run->seconds, sizeof(run->seconds)},
        {"points", run->points, run->n_points * sizeof(run->points[0])},
    };
    list_arrays(run, arrays);
    for (int i = 0; i < ARRAYS; i++) {
        copies[i] = ex_alloc(arrays[i].bytes, 1);
        ex_read(run->device, arrays[i].buffer, 0, arrays[i].bytes, copies[i]);
        parts[4 + i] = (struct ex_part){arrays[i].name, copies[i], arrays[i].bytes};
    }
    ex_checkpoint_write(run->settings->checkpoint, kind, parts, ARRAYS + 4);
    for (int i = 0; i < ARRAYS; i++)
        free(copies[i]);
}

static void must_be_same(const struct run *run, const struct identity *saved)
{
    const struct identity now = identify(run);
    const char *path = run->settings->checkpoint;
    const struct {
        const char *name;
        uint64_t saved, now;
    } counts[] = {
        {"--seed", saved->seed, now.seed},
        {"--batch", saved->batch, now.batch},
        {"--evaluate-every", saved->evaluate_every, now.evaluate_every},
        {"--hidden", saved->hidden, now.hidden},
        {"pixels of an image", saved->inputs, now.inputs},
        {"images for training", saved->images, now.images},
        {"images of the test", saved->tests, now.tests},
    };
    if (saved->is_batch_norm != now.is_batch_norm)
        ex_die(EX_USAGE, "%s: is of --norm %s, not %s", path, norm_names[saved->is_batch_norm != 0],
               norm_names[now.is_batch_norm]);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        if (counts[i].saved != counts[i].now)
            ex_die(EX_USAGE, "%s: is of %s %" PRIu64 ", not %" PRIu64, path, counts[i].name,
                   counts[i].saved, counts[i].now);
    if (saved->images_checksum != now.images_checksum ||
        saved->tests_checksum != now.tests_checksum)
        ex_die(EX_USAGE, "%s: is of other images than those in %s", path, run->settings->data);
    if (memcmp(&saved->rate, &now.rate, 4 * sizeof(double)) != 0)
        ex_die(EX_USAGE, "%s: is of --rate %g, not %g", path, saved->rate, now.rate);
    if (strncmp(saved->device, now.device, sizeof(now.device)) != 0)
        ex_die(EX_USAGE, "%s: is of device '%.255s', not '%s', which gives other bits", path,
               saved->device, now.device);
}

static const void *part(const struct ex_checkpoint *checkpoint, const char *name, size_t bytes)
{
    return ex_checkpoint_part(checkpoint, name, &bytes);
}

static void load_points(struct run *run, const struct ex_checkpoint *checkpoint)
{
    size_t bytes = 0;
    const void *points = ex_checkpoint_part(checkpoint, "points", &bytes);
    run->n_points = bytes / sizeof(run->points[0]);
    if (run->step > run->settings->steps)
        ex_die(EX_USAGE, "%s: has %" PRIu64 " steps, more than --steps %" PRIu64, checkpoint->path,
               run->step, run->settings->steps);
    const uint64_t most = run->step / run->settings->evaluate_every + 1;
    if (run->n_points > most)
        ex_die(EX_USAGE, "%s: has %zu evaluations of %" PRIu64 " steps; must be at most %" PRIu64,
               checkpoint->path, run->n_points, run->step, most);
    /* the run that wrote it may have had an end that this one goes past */
    if (run->n_points > 0 && run->step < run->settings->steps &&
        ((const struct point *)points)[run->n_points - 1].step % run->settings->evaluate_every)
        run->n_points--;
    memcpy(run->points, points, run->n_points * sizeof(run->points[0]));
}

void state_load(struct run *run)
{
    const char *path = run->settings->checkpoint;
    struct ex_checkpoint checkpoint;
    struct array arrays[ARRAYS];
    if (!run->settings->resumes || access(path, F_OK) != 0)
        return;
    ex_checkpoint_open(&checkpoint, path, kind);
    must_be_same(run, part(&checkpoint, "identity", sizeof(struct identity)));
    memcpy(&run->step, part(&checkpoint, "step", sizeof(run->step)), sizeof(run->step));
    memcpy(&run->seconds, part(&checkpoint, "seconds", sizeof(run->seconds)), sizeof(run->seconds));
    load_points(run, &checkpoint);
    list_arrays(run, arrays);
    for (int i = 0; i < ARRAYS; i++)
        ex_write(run->device, arrays[i].buffer, 0, arrays[i].bytes,
                 part(&checkpoint, arrays[i].name, arrays[i].bytes));
    ex_checkpoint_close(&checkpoint);
}

/* ---- results ---- */

static json_t *pack_points(const struct run *run)
{
    json_t *list = json_array();
    const double tests = (double)run->data->test.count;
    for (size_t i = 0; i < run->n_points; i++) {
        const struct point *point = &run->points[i];
        const uint64_t before = i ? run->points[i - 1].step : 0;
        const double trained = (double)(point->step - before) * (double)run->settings->batch;
        json_array_append_new(
            list, json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "step", (json_int_t)point->step,
                            "test_error", (double)point->test_errors / tests, "test_nll",
                            point->test_nll, "train_error", (double)point->train_errors / trained,
                            "train_nll", point->train_nll, "seconds", point->seconds));
    }
    return list;
}

void results_write(const struct run *run)
{
    const struct settings *settings = run->settings;
    json_t *about = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "data", settings->data,
        "norm", norm_names[settings->shape.is_batch_norm], "batch", (json_int_t)settings->batch,
        "hidden", (json_int_t)settings->shape.hidden, "parameters",
        (json_int_t)run->net->layout.used, "seed", (json_int_t)settings->seed, "steps",
        (json_int_t)settings->steps, "evaluate_every", (json_int_t)settings->evaluate_every, "rate",
        settings->adam.rate, "beta1", settings->adam.beta1, "beta2", settings->adam.beta2, "eps",
        settings->adam.eps);
    ex_json_write(settings->json,
                  json_pack("{s:s, s:o, s:o, s:f, s:o}", "program", "mnist", "settings", about,
                            "device", ex_json_device(run->device), "seconds", run->seconds,
                            "evaluations", pack_points(run)));
}
