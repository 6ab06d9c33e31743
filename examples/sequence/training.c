/* SPDX-License-Identifier: MIT */
#include "sequence/training.h"
#include "common/progress.h"

#include <math.h>
#include <stdlib.h>

/* Batches that are made on the host, uploaded and enqueued before their losses are read. */
enum { CHUNK = 16 };

struct chunk {
    size_t batch, sequence; /* sequences of a batch; elements of a sequence */
    float *x;
    float *targets; /* or as many uint32 */
    cl_mem x_mem, targets_mem, loss, wrong, norms;
};

static struct chunk chunk_open(struct seq_net *net, const struct seq_task *task)
{
    const size_t batch = (size_t)net->shape.batch, rows = CHUNK * batch;
    struct chunk c = {.batch = batch, .sequence = task->length * task->features};
    c.x = ex_alloc(rows * c.sequence, sizeof(float));
    c.targets = ex_alloc(rows, sizeof(float));
    c.x_mem = ex_buffer(net->device, rows * c.sequence * sizeof(float), NULL);
    c.targets_mem = ex_buffer(net->device, rows * sizeof(float), NULL);
    c.loss = ex_buffer(net->device, rows * sizeof(float), NULL);
    c.wrong = ex_buffer(net->device, rows * sizeof(cl_uint), NULL);
    c.norms = ex_buffer(net->device, CHUNK * EX_NORM_PARTS * sizeof(float), NULL);
    return c;
}

static void chunk_close(struct chunk *c)
{
    cl_mem buffers[] = {c->x_mem, c->targets_mem, c->loss, c->wrong, c->norms};
    for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); i++)
        clReleaseMemObject(buffers[i]);
    free(c->x);
    free(c->targets);
}

/* Batches first .. first + n - 1 of the task. */
static void chunk_fill(struct chunk *c, struct ex_device *device, const struct seq_task *task,
                       enum seq_part part, uint64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        seq_task_fill(task, part, (first + i) * c->batch, c->batch,
                      c->x + i * c->batch * c->sequence, c->targets + i * c->batch);
    ex_write(device, c->x_mem, 0, n * c->batch * c->sequence * sizeof(float), c->x);
    ex_write(device, c->targets_mem, 0, n * c->batch * sizeof(float), c->targets);
}

static struct seq_batch chunk_batch(const struct chunk *c, size_t i)
{
    return (struct seq_batch){
        .x = ex_tensor(c->x_mem, i * c->batch * c->sequence),
        .targets = ex_tensor(c->targets_mem, i * c->batch),
        .loss = c->loss,
        .wrong = c->wrong,
        .at = i * c->batch,
    };
}

/* ---- training ---- */

struct trainer {
    struct seq_net *net;
    struct ex_adam adam;
    cl_mem m, v;
};

static void enqueue_step(struct trainer *t, const struct chunk *c, size_t i, uint64_t step)
{
    struct seq_net *net = t->net;
    const struct seq_batch batch = chunk_batch(c, i);
    const clnorm_tensor gradient = ex_tensor(net->gradient, 0);
    seq_net_forward(net, &batch);
    seq_net_backward(net, &batch);
    ex_norm(net->train, 0, gradient, (size_t)net->parameter_count,
            ex_tensor(c->norms, i * EX_NORM_PARTS));
    ex_adam(net->train, 0, &t->adam, step, (size_t)net->parameter_count,
            ex_tensor(net->parameters, 0), ex_tensor(t->m, 0), ex_tensor(t->v, 0), gradient);
}

/* Puts what n batches left behind the curve, up to the first gradient that is no number. */
static void read_curve(struct ex_device *device, const struct chunk *c, size_t n,
                       struct seq_curve *curve)
{
    float *losses = ex_alloc(n * c->batch, sizeof(float));
    float norms[CHUNK * EX_NORM_PARTS];
    ex_read(device, c->loss, 0, n * c->batch * sizeof(float), losses);
    ex_read(device, c->norms, 0, n * EX_NORM_PARTS * sizeof(float), norms);
    for (size_t i = 0; i < n && !curve->is_diverged; i++) {
        double sum = 0;
        for (size_t row = 0; row < c->batch; row++)
            sum += losses[i * c->batch + row];
        curve->loss[curve->steps] = sum / (double)c->batch;
        curve->norm[curve->steps] = ex_norm_of(norms + i * EX_NORM_PARTS);
        curve->is_diverged = !isfinite(curve->norm[curve->steps++]);
    }
    free(losses);
}

void seq_train(struct seq_net *net, const struct seq_task *task, double rate, uint64_t steps,
               struct seq_curve *curve)
{
    const size_t bytes = (size_t)net->parameter_count * sizeof(float);
    struct trainer t = {net, EX_ADAM_INIT, NULL, NULL};
    struct chunk c = chunk_open(net, task);
    struct ex_progress progress;
    t.adam.rate = rate;
    t.m = ex_buffer(net->device, bytes, NULL);
    t.v = ex_buffer(net->device, bytes, NULL);
    *curve = (struct seq_curve){0, ex_alloc(steps, sizeof(double)), ex_alloc(steps, sizeof(double)),
                                false};
    ex_progress_begin(&progress, 0, steps);
    while (curve->steps < steps && !curve->is_diverged && !ex_interrupted()) {
        const uint64_t left = steps - curve->steps;
        const size_t n = left < CHUNK ? (size_t)left : CHUNK;
        chunk_fill(&c, net->device, task, SEQ_TRAIN, curve->steps, n);
        for (size_t i = 0; i < n; i++)
            enqueue_step(&t, &c, i, curve->steps + i + 1);
        read_curve(net->device, &c, n, curve);
        ex_progress_show(&progress, curve->steps, "loss", curve->loss[curve->steps - 1]);
    }
    ex_progress_hide(&progress);
    clReleaseMemObject(t.m);
    clReleaseMemObject(t.v);
    chunk_close(&c);
}

/* ---- test ---- */

struct seq_score seq_test(struct seq_net *net, const struct seq_task *task)
{
    struct seq_score score = {.sequences = seq_task_tests(task)};
    struct chunk c = chunk_open(net, task);
    double sum = 0;
    for (size_t done = 0; done < score.sequences;) {
        const size_t left = score.sequences - done;
        const size_t rows = left < CHUNK * c.batch ? left : CHUNK * c.batch;
        const size_t n = (rows + c.batch - 1) / c.batch;
        uint64_t wrong;
        chunk_fill(&c, net->device, task, SEQ_TEST, done / c.batch, n);
        for (size_t i = 0; i < n; i++) {
            const struct seq_batch batch = chunk_batch(&c, i);
            seq_net_forward(net, &batch);
        }
        sum += ex_loss_read(net->train, c.loss, c.wrong, 0, rows, &wrong);
        score.wrong += (size_t)wrong;
        done += rows;
    }
    score.loss = sum / (double)score.sequences;
    chunk_close(&c);
    return score;
}
