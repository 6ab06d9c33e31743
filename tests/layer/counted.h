/* SPDX-License-Identifier: MIT */
/* For programs that count their own allocations, and those of the library in them, with buffers of
 * a small matrix. Included after device.h, once a program. */
#ifndef CLNORM_TESTS_LAYER_COUNTED_H
#define CLNORM_TESTS_LAYER_COUNTED_H

#include <stdatomic.h>

enum { ROWS = 5, COLS = 40 };

/* By --wrap of the linker. live: those that are not freed yet. */
static atomic_long allocations, live;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *old, size_t bytes);
void __real_free(void *p);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *old, size_t bytes);
void __wrap_free(void *p);

static void *counted(void *p)
{
    allocations++;
    live += p != NULL;
    return p;
}

void *__wrap_malloc(size_t bytes) { return counted(__real_malloc(bytes)); }
void *__wrap_calloc(size_t count, size_t bytes) { return counted(__real_calloc(count, bytes)); }

void *__wrap_realloc(void *old, size_t bytes)
{
    live -= old != NULL;
    return counted(__real_realloc(old, bytes));
}

void __wrap_free(void *p)
{
    live -= p != NULL;
    __real_free(p);
}

static inline cl_mem matrix_of(const fixture *f)
{
    return buffer_of(f, CL_MEM_READ_WRITE, ROWS * COLS * 4, NULL);
}

/* Every gradient that args name has a buffer of ROWS x COLS. */
static inline void give(const fixture *f, clnorm_tensor *const *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tensors[i]->buffer = matrix_of(f);
        MUST(clEnqueueWriteBuffer(f->queue, tensors[i]->buffer, CL_TRUE, 0, ROWS * COLS * 4,
                                  (float[ROWS * COLS]){0}, 0, NULL, NULL));
    }
}

static inline void take(clnorm_tensor *const *tensors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        clReleaseMemObject(tensors[i]->buffer);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline cl_mem part_of(cl_mem whole, size_t bytes)
{
    const cl_buffer_region region = {0, bytes};
    cl_int code;
    cl_mem part = clCreateSubBuffer(whole, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    MUST(code);
    return part;
}

#endif
