/* SPDX-License-Identifier: MIT */
/* The kernels of training that are neither norms nor matrix products: train.cl. */
#ifndef EXAMPLES_COMMON_TRAIN_H
#define EXAMPLES_COMMON_TRAIN_H

#include "common/device.h"

struct ex_train {
    struct ex_device *device;
    cl_program program;
    cl_kernel adam, softmax_loss, squared_loss, loss_parts, norm_parts, relu, relu_gradient;
    cl_kernel add_bias, column_sums, copy, negate;
    cl_mem parts, wrong_parts; /* of ex_loss_read */
};

/* The device must outlive it. */
void ex_train_open(struct ex_train *train, struct ex_device *device);
void ex_train_close(struct ex_train *train);

/* Work-items of a launch over n elements that goes through them by EACH of each.cl. */
size_t ex_items(const struct ex_device *device, size_t n);

/* All functions below enqueue one kernel and return; `label` is that of ex_event. Tensors of f32
 * without gaps, their offsets in elements. */

/* Elements that arrays of parameters are padded to: sizes and offsets are multiples of it. */
enum { EX_PAD = 16 };
size_t ex_padded(size_t n);

struct ex_adam {
    double rate, beta1, beta2, eps;
};
#define EX_ADAM_INIT                                                                               \
    {                                                                                              \
        1e-3, 0.9, 0.999, 1e-8                                                                     \
    }
/* A step of Adam over all parameters, the `step`-th from 1 on; n: a multiple of EX_PAD. m and v
 * begin as zeros. Padding stays what it is where its gradient is 0. */
void ex_adam(struct ex_train *train, int label, const struct ex_adam *settings, uint64_t step,
             size_t n, clnorm_tensor parameters, clnorm_tensor m, clnorm_tensor v,
             clnorm_tensor gradient);

/* Softmax with cross-entropy of [rows, classes]:
 *
 *   bias      [classes], added to the logits first; a buffer of NULL: none
 *   labels    [rows] of uint32; one that is no class makes its row count nothing
 *   d_logits  gradient of scale * sum of nll, may be in the place of logits; NULL: not wanted
 *   nll, wrong  float and uint32 for each row, from element rows_at on; read with ex_loss_read.
 *             A label whose logit is among the largest counts as right */
struct ex_loss {
    size_t rows, classes;
    float scale;
    clnorm_tensor logits, bias, labels, d_logits;
    cl_mem nll, wrong;
    size_t rows_at;
};
void ex_softmax_loss(struct ex_train *train, int label, const struct ex_loss *loss);
/* The squared error instead of that: `logits` are predictions, `labels` targets of f32, both of
 * [rows, classes]; nll is the sum of a row's squares, and wrong 1 where an element of the row is
 * off by more than `tolerance`, or NaN. */
void ex_squared_loss(struct ex_train *train, int label, const struct ex_loss *loss,
                     double tolerance);
/* Waits; the sum of `rows` elements of nll from `at` on, which is right to 2^-40 or so of itself,
 * and of wrong in *errors. */
double ex_loss_read(struct ex_train *train, cl_mem nll, cl_mem wrong, size_t at, size_t rows,
                    uint64_t *errors);

/* sqrt(sum of x^2) of n elements: EX_NORM_PARTS numbers, from which the host makes it. It is NaN
 * where an element is NaN or inf. */
enum { EX_NORM_PARTS = 128 };
void ex_norm(struct ex_train *train, int label, clnorm_tensor x, size_t n, clnorm_tensor parts);
double ex_norm_of(const float parts[EX_NORM_PARTS]);

/* x = max(x, 0), and dy = 0 where y, which relu left, is 0. */
void ex_relu(struct ex_train *train, int label, clnorm_tensor x, size_t n);
void ex_relu_gradient(struct ex_train *train, int label, clnorm_tensor y, clnorm_tensor dy,
                      size_t n);
/* x += bias, and its gradient: sums = the sum of the rows of x. [rows, cols] */
void ex_add_bias(struct ex_train *train, int label, clnorm_tensor x, clnorm_tensor bias,
                 size_t rows, size_t cols);
void ex_column_sums(struct ex_train *train, int label, clnorm_tensor x, clnorm_tensor sums,
                    size_t rows, size_t cols);

/* n: a multiple of EX_PAD. */
void ex_copy(struct ex_train *train, int label, cl_mem from, cl_mem to, size_t n);
void ex_negate(struct ex_train *train, int label, cl_mem x, size_t n);

#endif
