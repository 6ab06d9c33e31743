/* SPDX-License-Identifier: MIT */
#include "sequence/task.h"
#include "common/error.h"
#include "common/random.h"

#include <stdlib.h>
#include <string.h>

enum { PIXELS = 784, CLASSES = 10, ADDING_TESTS = 1024, TEST_SEED = 0 };
/* Of random numbers; a sequence of the adding problem has its own, from STREAM_SEQUENCES on. */
enum { STREAM_IMAGES = 100, STREAM_SEQUENCES = 1000 };

static void read_part(struct seq_task *task, enum seq_part part, const char *directory)
{
    static const char *const images[] = {"train-images-idx3-ubyte", "t10k-images-idx3-ubyte"};
    static const char *const labels[] = {"train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"};
    ex_idx_read(&task->images[part], directory, images[part], 3);
    ex_idx_read(&task->labels[part], directory, labels[part], 1);
    const size_t *dims = task->images[part].dims;
    if (dims[1] * dims[2] != PIXELS)
        ex_die(EX_USAGE, "%s/%s: images of %zu x %zu; must be 28 x 28", directory, images[part],
               dims[1], dims[2]);
    if (dims[0] != task->labels[part].dims[0])
        ex_die(EX_USAGE, "%s: %s has %zu images, %s %zu labels", directory, images[part], dims[0],
               labels[part], task->labels[part].dims[0]);
    for (size_t i = 0; i < dims[0]; i++)
        if (task->labels[part].data[i] >= CLASSES)
            ex_die(EX_USAGE, "%s/%s: label %zu is %d; must be 0 to %d", directory, labels[part], i,
                   task->labels[part].data[i], CLASSES - 1);
}

void seq_task_open(struct seq_task *task, enum seq_task_kind kind, size_t length, uint64_t seed,
                   const char *directory)
{
    *task = (struct seq_task){.kind = kind, .length = length, .seed = seed};
    if (kind == SEQ_ADDING) {
        if (length < 2)
            ex_die(EX_USAGE, "--length is %zu; must be at least 2 for adding", length);
        task->features = 2;
        task->outputs = 1;
        return;
    }
    if (PIXELS % length != 0)
        ex_die(EX_USAGE, "--length is %zu; must divide the %d pixels of an image", length, PIXELS);
    task->features = PIXELS / length;
    task->outputs = CLASSES;
    read_part(task, SEQ_TRAIN, directory);
    read_part(task, SEQ_TEST, directory);
}

void seq_task_close(struct seq_task *task)
{
    for (int part = 0; part < 2; part++) {
        free(task->images[part].data);
        free(task->labels[part].data);
    }
}

size_t seq_task_tests(const struct seq_task *task)
{
    return task->kind == SEQ_ADDING ? ADDING_TESTS : task->labels[SEQ_TEST].dims[0];
}

bool seq_task_is_number(const struct seq_task *task) { return task->kind == SEQ_ADDING; }

/* Row `row` of the batch. */
static float add(const struct seq_task *task, uint64_t seed, uint64_t n, size_t batch, size_t row,
                 float *x)
{
    const size_t half = task->length / 2;
    const uint64_t stream = STREAM_SEQUENCES + n;
    const size_t marked[] = {(size_t)(ex_bits(seed, stream, 0) % half),
                             half + (size_t)(ex_bits(seed, stream, 1) % (task->length - half))};
    float sum = 0;
    for (size_t step = 0; step < task->length; step++) {
        float *at = x + (step * batch + row) * 2;
        at[0] = (float)ex_uniform(seed, stream, 2 + step);
        at[1] = step == marked[0] || step == marked[1];
        sum += at[0] * at[1];
    }
    return sum;
}

static void show(const struct seq_task *task, const uint8_t *pixels, size_t batch, size_t row,
                 float *x)
{
    const float mean = 0.2860f, deviation = 0.3530f; /* of the training images, 0 to 1 */
    for (size_t step = 0; step < task->length; step++)
        for (size_t i = 0; i < task->features; i++)
            x[(step * batch + row) * task->features + i] =
                ((float)*pixels++ / 255 - mean) / deviation;
}

static uint32_t show_image(const struct seq_task *task, enum seq_part part, uint64_t n,
                           size_t batch, size_t row, float *x)
{
    const size_t images = task->labels[part].dims[0];
    const size_t image =
        (size_t)(part == SEQ_TEST ? n : ex_bits(task->seed, STREAM_IMAGES, n) % images);
    show(task, task->images[part].data + image * PIXELS, batch, row, x);
    return task->labels[part].data[image];
}

void seq_task_fill(const struct seq_task *task, enum seq_part part, uint64_t first, size_t batch,
                   float *x, void *targets)
{
    const uint64_t seed = part == SEQ_TEST ? TEST_SEED : task->seed;
    const uint64_t end = part == SEQ_TEST ? seq_task_tests(task) : UINT64_MAX;
    if (end < first + batch) {
        memset(x, 0, task->length * batch * task->features * sizeof(float));
        memset(targets, 0, batch * sizeof(float));
    }
    for (size_t row = 0; row < batch && first + row < end; row++) {
        if (task->kind == SEQ_ADDING)
            ((float *)targets)[row] = add(task, seed, first + row, batch, row, x);
        else
            ((uint32_t *)targets)[row] = show_image(task, part, first + row, batch, row, x);
    }
}
