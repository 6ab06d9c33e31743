/* SPDX-License-Identifier: MIT */
/* A device with its queue and buffers, and what is enqueued on it. */
#ifndef EXAMPLES_COMMON_DEVICE_H
#define EXAMPLES_COMMON_DEVICE_H

#include "common/error.h"

#include <stdbool.h>

struct ex_trace;

struct ex_device {
    clnorm_context *context; /* with the program cache and the table of `clnorm tune` */
    cl_context cl; /* of the context */
    cl_device_id id;
    cl_command_queue queue; /* in-order */
    /* CPUs, FPGAs: a work-item owns a long stretch of an array; else neighbours take neighbours */
    bool stretches;
    size_t items, group; /* work-items of a launch over a large array, and of a group */
    struct ex_trace *trace; /* of trace.h; NULL: events are not kept */
};

/* selector: of clnorm_devices_select; NULL: $CLNORM_DEVICE, or the best. The program cache and the
 * table are the user's, or where $CLNORM_CACHE_DIR and $CLNORM_TUNE_FILE say. */
void ex_device_open(struct ex_device *device, const char *selector, bool profiling);
/* Releases what is left in the trace, too. */
void ex_device_close(struct ex_device *device);
/* Waits until all is done that was enqueued. */
void ex_finish(struct ex_device *device);

/* A buffer of its own, read and written; `data` of `bytes` bytes, or NULL: zeros. Released with
 * clReleaseMemObject. */
cl_mem ex_buffer(struct ex_device *device, size_t bytes, const void *data);
/* A part of a buffer as a buffer of its own, released likewise. `at`, in bytes: a multiple of
 * ex_alignment. */
cl_mem ex_sub_buffer(cl_mem buffer, size_t at, size_t bytes);
size_t ex_alignment(const struct ex_device *device); /* bytes; a power of 2 */
clnorm_tensor ex_tensor(cl_mem buffer, uint64_t offset);
/* Wait until the queue has come that far. Offsets are in bytes. */
void ex_read(struct ex_device *device, cl_mem from, size_t offset, size_t bytes, void *to);
void ex_write(struct ex_device *device, cl_mem to, size_t offset, size_t bytes, const void *from);

/* ---- kernels ---- */

/* -DVEC=16 -DSTRETCHES=1 or the like, which the words of each.cl need. */
const char *ex_build_options(const struct ex_device *device);
size_t ex_vector_width(const struct ex_device *device); /* VEC */
/* The program of each.cl and a text that embed.sh made; a failure shows the build log. */
cl_program ex_program(struct ex_device *device, const char *name, const char *text,
                      const char *options);
cl_kernel ex_kernel(cl_program program, const char *name);

struct ex_value {
    size_t bytes;
    const void *at;
};
/* Arguments of a kernel: a buffer, which may be NULL, and numbers. */
#define EX_MEM(mem)                                                                                \
    {                                                                                              \
        sizeof(cl_mem), &(cl_mem) { mem }                                                          \
    }
#define EX_U32(number)                                                                             \
    {                                                                                              \
        sizeof(cl_uint), &(cl_uint) { (cl_uint)(number) }                                          \
    }
#define EX_F32(number)                                                                             \
    {                                                                                              \
        sizeof(cl_float), &(cl_float) { (cl_float)(number) }                                       \
    }
/* A buffer and the offset in it, two arguments. */
#define EX_TENSOR(tensor) EX_MEM((tensor).buffer), EX_U32((tensor).offset)

/* Enqueues a kernel; `label` is that of ex_event. items: rounded up to whole groups. */
void ex_launch(struct ex_device *device, int label, cl_kernel kernel, size_t items, size_t group,
               const struct ex_value *values, size_t n);
#define EX_LAUNCH(device, label, kernel, items, group, ...)                                        \
    ex_launch(device, label, kernel, items, group, (const struct ex_value[]){__VA_ARGS__},         \
              sizeof((const struct ex_value[]){__VA_ARGS__}) / sizeof(struct ex_value))

#endif
