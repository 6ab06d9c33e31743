/* SPDX-License-Identifier: MIT */
/* Images and their classes, which stay on the device. */
#ifndef EXAMPLES_MNIST_DATA_H
#define EXAMPLES_MNIST_DATA_H

#include "common/device.h"

enum { CLASSES = 10 };

struct images {
    size_t count, pixels;
    uint64_t checksum; /* of pixels and classes */
    cl_mem pixel, class; /* uint8: [count, pixels], [count] */
};

struct data {
    struct images train, test;
};

/* The four files of MNIST in a directory: train-images-idx3-ubyte and so on, or with .gz. */
void data_read(struct data *data, struct ex_device *device, const char *directory);
/* Noise, which takes the same time. */
void data_random(struct data *data, struct ex_device *device, size_t count, size_t pixels,
                 uint64_t seed);
void data_release(struct data *data);

#endif
