/* SPDX-License-Identifier: MIT */
/* What device tests share: the device of the environment, tensors on it, and a host problem with
 * its verdict. Included after cmocka.h. */
#ifndef CLNORM_TESTS_DEVICE_H
#define CLNORM_TESTS_DEVICE_H

#include "check/inputs.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Oclgrind runs one thread, and hangs on events that the host completes. */
/* One of the names of ci/devices. */
static inline bool is_on(const char *implementation)
{
    const char *name = getenv("CLNORM_TEST_DEVICE");
    return name && !strcmp(name, implementation);
}

static inline bool is_oclgrind(void) { return is_on("oclgrind"); }

/* PoCL's basic driver runs a command in the thread that enqueues it, and waits there. */
static inline bool is_pocl_basic(void) { return is_on("pocl-basic"); }

#define MUST(call)                                                                                 \
    do {                                                                                           \
        clnorm_error must_error = {.text = ""};                                                    \
        clnorm_error *error = &must_error;                                                         \
        (void)error;                                                                               \
        const int must_code = (int)(call);                                                         \
        if (must_code)                                                                             \
            fail_msg("%s is %d: %s", #call, must_code, must_error.text);                           \
    } while (0)

/* The status that is wanted, and each of the words in the text. */
#define EXPECT_ERROR(call, wanted, word, other)                                                    \
    do {                                                                                           \
        clnorm_error expect_error = {.text = ""};                                                  \
        clnorm_error *error = &expect_error;                                                       \
        (void)error;                                                                               \
        const clnorm_status expect_status = (call);                                                \
        if (expect_status != (wanted) || expect_error.status != (wanted) ||                        \
            !strstr(expect_error.text, (word)) || !strstr(expect_error.text, (other)))             \
            fail_msg("%s is %s '%s'; expected %s with '%s' and '%s'", #call,                       \
                     clnorm_status_name(expect_status), expect_error.text,                         \
                     clnorm_status_name(wanted), (word), (other));                                 \
    } while (0)

static const clnorm_form all_forms[] = {CLNORM_FORM_SEQUENTIAL, CLNORM_FORM_SLICED,
                                        CLNORM_FORM_HELD, CLNORM_FORM_COOPERATIVE};
enum { FORMS = sizeof(all_forms) / sizeof(all_forms[0]) };

typedef struct fixture {
    clnorm_context *context;
    cl_context cl;
    cl_device_id device;
    cl_command_queue queue;
} fixture;

static inline int fixture_open(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    cl_int code;
    MUST(clnorm_context_create(NULL, NULL, NULL, &f->context, error));
    /* a wrong kernel is to be seen, not replaced */
    MUST(clnorm_context_set_self_test(f->context, CLNORM_SELF_TEST_OFF, error));
    f->cl = clnorm_context_cl(f->context);
    f->device = clnorm_context_device(f->context)->device_id;
    f->queue = clCreateCommandQueue(f->cl, f->device, 0, &code);
    MUST(code);
    printf("device: %s (%s)\n", clnorm_context_device(f->context)->name,
           clnorm_context_device(f->context)->platform_name);
    *state = f;
    return 0;
}

static inline int fixture_close(void **state)
{
    fixture *f = *state;
    clReleaseCommandQueue(f->queue);
    clnorm_context_destroy(f->context);
    free(f);
    return 0;
}

/* At least 64 bytes: Oclgrind reports what it remembers of smaller ones. */
static inline cl_mem buffer_of(const fixture *f, cl_mem_flags flags, size_t bytes, const void *data)
{
    cl_int code;
    cl_mem mem = clCreateBuffer(f->cl, flags, bytes < 64 ? 64 : bytes, NULL, &code);
    MUST(code);
    if (data)
        MUST(clEnqueueWriteBuffer(f->queue, mem, CL_TRUE, 0, bytes, data, 0, NULL, NULL));
    return mem;
}

static inline void read_back(const fixture *f, cl_mem mem, size_t bytes, void *data)
{
    MUST(clEnqueueReadBuffer(f->queue, mem, CL_TRUE, 0, bytes, data, 0, NULL, NULL));
}

/* NULL if the device has none. */
static inline cl_command_queue out_of_order_queue(const fixture *f)
{
    cl_command_queue_properties able = 0;
    cl_int code;
    MUST(clGetDeviceInfo(f->device, CL_DEVICE_QUEUE_PROPERTIES, sizeof(able), &able, NULL));
    if (!(able & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE))
        return NULL;
    cl_command_queue queue =
        clCreateCommandQueue(f->cl, f->device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    MUST(code);
    return queue;
}

/* An event after all that f->queue has written, for the wait lists of other queues. Intel's FPGA
 * emulator needs it: there, the end of a blocking write does not order another queue's kernel. */
static inline cl_event after_writes(const fixture *f)
{
    cl_event event;
    MUST(clEnqueueMarkerWithWaitList(f->queue, 0, NULL, &event));
    return event;
}

/* f32 rows, weight and bias on host and device. */
typedef struct problem {
    clnorm_desc desc;
    clnorm_op *op;
    uint64_t rows;
    size_t bytes; /* of x, and of y */
    float *x, *y, *weight, *bias;
    clnorm_args args;
} problem;

static inline problem problem_open(const fixture *f, clnorm_desc desc, uint64_t rows,
                                   const char *input)
{
    problem p = {.desc = desc, .rows = rows, .args = CLNORM_ARGS_INIT};
    const size_t params = (size_t)desc.cols * sizeof(float);
    p.bytes = (size_t)(rows * desc.cols) * sizeof(float);
    p.x = malloc(p.bytes);
    p.y = malloc(p.bytes);
    p.weight = malloc(params);
    p.bias = malloc(params);
    clnorm_input_fill(clnorm_input_find(input), CLNORM_F32, rows, desc.cols, 7, p.x);
    clnorm_weight_fill(CLNORM_F32, desc.cols, 7, p.weight);
    clnorm_bias_fill(CLNORM_F32, desc.cols, 7, p.bias);
    memset(p.y, 0x5a, p.bytes);
    MUST(clnorm_op_create(f->context, &desc, &p.op, error));
    p.args.x.buffer = buffer_of(f, CL_MEM_READ_ONLY, p.bytes, p.x);
    p.args.y.buffer = buffer_of(f, CL_MEM_READ_WRITE, p.bytes, p.y);
    p.args.weight.buffer = buffer_of(f, CL_MEM_READ_ONLY, params, p.weight);
    p.args.bias.buffer = buffer_of(f, CL_MEM_READ_ONLY, params, p.bias);
    return p;
}

static inline void problem_close(problem *p)
{
    clReleaseMemObject(p->args.x.buffer);
    clReleaseMemObject(p->args.y.buffer);
    clReleaseMemObject(p->args.weight.buffer);
    clReleaseMemObject(p->args.bias.buffer);
    clnorm_op_destroy(p->op);
    free(p->x);
    free(p->y);
    free(p->weight);
    free(p->bias);
}

/* p->y against the reference. */
static inline clnorm_verdict expect_right(const problem *p)
{
    clnorm_verdict v = CLNORM_VERDICT_INIT;
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x.data = p->x;
    args.y.data = p->y;
    args.weight.data = p->weight;
    args.bias.data = p->bias;
    MUST(clnorm_verify(&p->desc, CLNORM_FORWARD, clnorm_op_depth(p->op), p->rows, 0, &args, NULL,
                       &v, error));
    if (v.wrong)
        fail_msg("%llu wrong; %llux%llu seed 7: %s[%llu, %llu] is %.9g, expected %.9g +- %.3g",
                 (unsigned long long)v.wrong, (unsigned long long)p->rows,
                 (unsigned long long)p->desc.cols, v.worst_tensor, (unsigned long long)v.worst_row,
                 (unsigned long long)v.worst_col, v.worst_got, v.worst_expected, v.worst_bound);
    assert_true(v.compared >= p->rows * p->desc.cols);
    return v;
}

static inline clnorm_desc desc_of(uint64_t cols)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.cols = cols;
    return desc;
}

#endif
