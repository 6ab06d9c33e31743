/* SPDX-License-Identifier: MIT */
#include "common/train.h"

#include <math.h>

enum { PARTS = 64, LEAST = 4096 }; /* LEAST: elements that are worth a work-item of a CPU */

extern const char ex_train_cl[];

void ex_train_open(struct ex_train *train, struct ex_device *device)
{
    *train = (struct ex_train){.device = device};
    train->program = ex_program(device, "train.cl", ex_train_cl, ex_build_options(device));
    train->adam = ex_kernel(train->program, "adam");
    train->softmax_loss = ex_kernel(train->program, "softmax_loss");
    train->squared_loss = ex_kernel(train->program, "squared_loss");
    train->norm_parts = ex_kernel(train->program, "norm_parts");
    train->loss_parts = ex_kernel(train->program, "loss_parts");
    train->relu = ex_kernel(train->program, "relu");
    train->relu_gradient = ex_kernel(train->program, "relu_gradient");
    train->add_bias = ex_kernel(train->program, "add_bias");
    train->column_sums = ex_kernel(train->program, "column_sums");
    train->copy = ex_kernel(train->program, "copy");
    train->negate = ex_kernel(train->program, "negate");
    train->parts = ex_buffer(device, 2 * PARTS * sizeof(float), NULL);
    train->wrong_parts = ex_buffer(device, PARTS * sizeof(cl_uint), NULL);
}

void ex_train_close(struct ex_train *train)
{
    cl_kernel kernels[] = {train->adam,     train->softmax_loss, train->squared_loss,
                           train->relu,     train->loss_parts,   train->relu_gradient,
                           train->add_bias, train->norm_parts,   train->column_sums,
                           train->copy,     train->negate};
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
        clReleaseKernel(kernels[i]);
    clReleaseMemObject(train->parts);
    clReleaseMemObject(train->wrong_parts);
    clReleaseProgram(train->program);
}

size_t ex_items(const struct ex_device *device, size_t n)
{
    const size_t useful = device->stretches ? (n + LEAST - 1) / LEAST : n / ex_vector_width(device);
    const size_t items = useful < device->items ? useful : device->items;
    return items ? items : 1;
}

size_t ex_padded(size_t n) { return (n + EX_PAD - 1) / EX_PAD * EX_PAD; }

void ex_adam(struct ex_train *train, int label, const struct ex_adam *settings, uint64_t step,
             size_t n, clnorm_tensor parameters, clnorm_tensor m, clnorm_tensor v,
             clnorm_tensor gradient)
{
    const double root = sqrt(1 - pow(settings->beta2, (double)step));
    const double rate_t = settings->rate * root / (1 - pow(settings->beta1, (double)step));
    EX_LAUNCH(train->device, label, train->adam, ex_items(train->device, n), train->device->group,
              EX_TENSOR(parameters), EX_TENSOR(m), EX_TENSOR(v), EX_TENSOR(gradient),
              EX_U32(n / ex_vector_width(train->device)), EX_F32(settings->beta1),
              EX_F32(1 - settings->beta1), EX_F32(settings->beta2), EX_F32(1 - settings->beta2),
              EX_F32(rate_t), EX_F32(settings->eps * root));
}

void ex_softmax_loss(struct ex_train *train, int label, const struct ex_loss *loss)
{
    EX_LAUNCH(train->device, label, train->softmax_loss,
              loss->rows < train->device->items ? loss->rows : train->device->items,
              train->device->group, EX_TENSOR(loss->logits), EX_TENSOR(loss->bias),
              EX_TENSOR(loss->labels), EX_TENSOR(loss->d_logits), EX_MEM(loss->nll),
              EX_MEM(loss->wrong), EX_U32(loss->rows_at), EX_U32(loss->rows), EX_U32(loss->classes),
              EX_F32(loss->scale));
}

void ex_squared_loss(struct ex_train *train, int label, const struct ex_loss *loss,
                     double tolerance)
{
    EX_LAUNCH(train->device, label, train->squared_loss,
              loss->rows < train->device->items ? loss->rows : train->device->items,
              train->device->group, EX_TENSOR(loss->logits), EX_TENSOR(loss->bias),
              EX_TENSOR(loss->labels), EX_TENSOR(loss->d_logits), EX_MEM(loss->nll),
              EX_MEM(loss->wrong), EX_U32(loss->rows_at), EX_U32(loss->rows), EX_U32(loss->classes),
              EX_F32(loss->scale), EX_F32(tolerance));
}

void ex_norm(struct ex_train *train, int label, clnorm_tensor x, size_t n, clnorm_tensor parts)
{
    EX_LAUNCH(train->device, label, train->norm_parts, EX_NORM_PARTS / 2, 1, EX_TENSOR(x),
              EX_U32(n), EX_TENSOR(parts));
}

double ex_norm_of(const float parts[EX_NORM_PARTS])
{
    double sum = 0;
    for (int i = 0; i < EX_NORM_PARTS; i += 2)
        sum += (double)parts[i] * parts[i] * parts[i + 1];
    return sqrt(sum);
}

double ex_loss_read(struct ex_train *train, cl_mem nll, cl_mem wrong, size_t at, size_t rows,
                    uint64_t *errors)
{
    float parts[2 * PARTS];
    cl_uint wrong_parts[PARTS];
    double sum = 0;
    EX_LAUNCH(train->device, 0, train->loss_parts, PARTS, 1, EX_MEM(nll), EX_MEM(wrong), EX_U32(at),
              EX_U32(rows), EX_MEM(train->parts), EX_MEM(train->wrong_parts));
    ex_read(train->device, train->parts, 0, sizeof(parts), parts);
    ex_read(train->device, train->wrong_parts, 0, sizeof(wrong_parts), wrong_parts);
    *errors = 0;
    for (int i = 0; i < PARTS; i++) {
        sum += (double)parts[i] + parts[PARTS + i];
        *errors += wrong_parts[i];
    }
    return sum;
}

void ex_relu(struct ex_train *train, int label, clnorm_tensor x, size_t n)
{
    EX_LAUNCH(train->device, label, train->relu, ex_items(train->device, n), train->device->group,
              EX_TENSOR(x), EX_TENSOR(x), EX_U32(n));
}

void ex_relu_gradient(struct ex_train *train, int label, clnorm_tensor y, clnorm_tensor dy,
                      size_t n)
{
    EX_LAUNCH(train->device, label, train->relu_gradient, ex_items(train->device, n),
              train->device->group, EX_TENSOR(y), EX_TENSOR(dy), EX_TENSOR(dy), EX_U32(n));
}

void ex_add_bias(struct ex_train *train, int label, clnorm_tensor x, clnorm_tensor bias,
                 size_t rows, size_t cols)
{
    EX_LAUNCH(train->device, label, train->add_bias, ex_items(train->device, rows * cols),
              train->device->group, EX_TENSOR(x), EX_TENSOR(bias), EX_U32(rows), EX_U32(cols));
}

void ex_column_sums(struct ex_train *train, int label, clnorm_tensor x, clnorm_tensor sums,
                    size_t rows, size_t cols)
{
    EX_LAUNCH(train->device, label, train->column_sums, ex_items(train->device, rows * cols),
              train->device->group, EX_TENSOR(x), EX_TENSOR(sums), EX_U32(rows), EX_U32(cols));
}

void ex_copy(struct ex_train *train, int label, cl_mem from, cl_mem to, size_t n)
{
    EX_LAUNCH(train->device, label, train->copy, ex_items(train->device, n), train->device->group,
              EX_MEM(from), EX_MEM(to), EX_U32(n / ex_vector_width(train->device)));
}

void ex_negate(struct ex_train *train, int label, cl_mem x, size_t n)
{
    EX_LAUNCH(train->device, label, train->negate, ex_items(train->device, n), train->device->group,
              EX_MEM(x), EX_U32(n / ex_vector_width(train->device)));
}
