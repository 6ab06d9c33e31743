/* SPDX-License-Identifier: MIT */
/* What a net is to learn: sequences, and a target for each. */
#ifndef EXAMPLES_SEQUENCE_TASK_H
#define EXAMPLES_SEQUENCE_TASK_H

#include "common/idx.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* adding    a step has a number, uniform in [0, 1), and a mark. One step of each half of the
 *           sequence is marked with 1; the target is the sum of their numbers: Hochreiter,
 *           Schmidhuber, Long short-term memory, 1997, section 5.4. To answer 1, whatever the
 *           sequence, has an expected squared error of 1 / 6
 * fashion   the 784 pixels of an image of Fashion-MNIST in `length` equal parts; the target is its
 *           class */
enum seq_task_kind { SEQ_ADDING, SEQ_FASHION };
enum seq_part { SEQ_TRAIN, SEQ_TEST };

struct seq_task {
    enum seq_task_kind kind;
    size_t length, features, outputs;
    uint64_t seed; /* of the training sequences; those for tests are always the same */
    struct ex_idx images[2], labels[2]; /* fashion: by seq_part */
};

/* directory: where the files of Fashion-MNIST are. The program ends where they are not, or the
 * length is not one that the task has. */
void seq_task_open(struct seq_task *task, enum seq_task_kind kind, size_t length, uint64_t seed,
                   const char *directory);
void seq_task_close(struct seq_task *task);

/* Sequences that a test takes. */
size_t seq_task_tests(const struct seq_task *task);
/* The squared error, with a target of float; else softmax and cross-entropy, of uint32. */
bool seq_task_is_number(const struct seq_task *task);
/* A number is right if it is off by no more: section 5.4, too. */
static const double seq_tolerance = 0.04;

/* Sequences first .. first + batch - 1: x is [length, batch, features], targets [batch] of 4 bytes.
 * Training has any number of them; images are drawn at random, each time from all. From
 * seq_task_tests on a sequence and its target are zeros. */
void seq_task_fill(const struct seq_task *task, enum seq_part part, uint64_t first, size_t batch,
                   float *x, void *targets);

#endif
