/* SPDX-License-Identifier: MIT */
#include "mnist/data.h"
#include "common/file.h"
#include "common/idx.h"
#include "common/random.h"

#include <stdio.h>
#include <stdlib.h>

static void upload(struct images *images, struct ex_device *device, const struct ex_idx *pixels,
                   const struct ex_idx *classes)
{
    images->count = pixels->dims[0];
    images->pixels = pixels->dims[1] * pixels->dims[2];
    images->checksum = ex_checksum(0, pixels->data, images->count * images->pixels);
    images->checksum = ex_checksum(images->checksum, classes->data, images->count);
    images->pixel = ex_buffer(device, images->count * images->pixels, pixels->data);
    images->class = ex_buffer(device, images->count, classes->data);
}

static void read_images(struct images *images, struct ex_device *device, const char *directory,
                        const char *set)
{
    struct ex_idx pixels, classes;
    char name[64];
    snprintf(name, sizeof(name), "%s-images-idx3-ubyte", set);
    ex_idx_read(&pixels, directory, name, 3);
    snprintf(name, sizeof(name), "%s-labels-idx1-ubyte", set);
    ex_idx_read(&classes, directory, name, 1);
    if (pixels.dims[0] != classes.dims[0])
        ex_die(EX_USAGE, "%s: %zu images of '%s', but %zu labels", directory, pixels.dims[0], set,
               classes.dims[0]);
    for (size_t i = 0; i < classes.dims[0]; i++)
        if (classes.data[i] >= CLASSES)
            ex_die(EX_USAGE, "%s: label %zu of '%s' is %d; must be 0 to %d", directory, i, set,
                   classes.data[i], CLASSES - 1);
    upload(images, device, &pixels, &classes);
    free(pixels.data);
    free(classes.data);
}

void data_read(struct data *data, struct ex_device *device, const char *directory)
{
    read_images(&data->train, device, directory, "train");
    read_images(&data->test, device, directory, "t10k");
    if (data->train.pixels != data->test.pixels)
        ex_die(EX_USAGE, "%s: training images have %zu pixels, those of the test %zu", directory,
               data->train.pixels, data->test.pixels);
}

void data_random(struct data *data, struct ex_device *device, size_t count, size_t pixels,
                 uint64_t seed)
{
    struct ex_idx noise = {3, {count, pixels, 1}, ex_alloc(count, pixels)};
    struct ex_idx classes = {1, {count, 1, 1}, ex_alloc(count, 1)};
    for (size_t i = 0; i < count * pixels; i++)
        noise.data[i] = (uint8_t)(ex_bits(seed, 0, i) >> 56);
    for (size_t i = 0; i < count; i++)
        classes.data[i] = (uint8_t)(ex_bits(seed, 1, i) % CLASSES);
    upload(&data->train, device, &noise, &classes);
    upload(&data->test, device, &noise, &classes);
    free(noise.data);
    free(classes.data);
}

void data_release(struct data *data)
{
    struct images *const sets[] = {&data->train, &data->test};
    for (int i = 0; i < 2; i++) {
        clReleaseMemObject(sets[i]->pixel);
        clReleaseMemObject(sets[i]->class);
    }
}
