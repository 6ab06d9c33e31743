/* SPDX-License-Identifier: MIT */
/* LayerNorm forward, f32: clnorm beside oneDNN 2.x on the same cores, in interleaved rounds.
 *
 *   against_onednn [ROWS COLS [SELECTOR]]     default 524288 768 cpu
 *
 * Both write into memory that was touched before, both results are verified, and what counts is the
 * ratio of the medians. Run it with OMP_WAIT_POLICY=passive: else oneDNN's threads spin on the
 * cores while the other one works. */
#define _POSIX_C_SOURCE 200809L
#include "clnorm/clnorm.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15 };

struct problem {
    uint64_t rows, cols;
    float *x, *y, *params; /* params: cols weights, then cols biases */
};

struct opencl {
    clnorm_context *context;
    clnorm_op *op;
    cl_command_queue queue;
    clnorm_args args;
};

struct onednn {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_memory_t x, y, params;
    const char *kernel;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "against_onednn: %s failed\n", what);
    exit(3);
}

#define MUST(call) must((call) == 0, #call)

static float *floats(uint64_t count)
{
    float *data = aligned_alloc(64, (size_t)(count * sizeof(float) + 63) / 64 * 64);
    must(data != NULL, "allocation");
    memset(data, 0, (size_t)count * sizeof(float));
    return data;
}

static void fill(float *data, uint64_t count, uint32_t seed)
{
    for (uint64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (float)(seed >> 8) / 8388608.0f - 1.0f;
    }
}

static cl_mem buffer(const struct opencl *cl, size_t bytes, const void *data)
{
    cl_int code;
    cl_mem mem =
        clCreateBuffer(clnorm_context_cl(cl->context), CL_MEM_READ_WRITE, bytes, NULL, &code);
    must(code == CL_SUCCESS, "clCreateBuffer");
    if (data)
        MUST(clEnqueueWriteBuffer(cl->queue, mem, CL_TRUE, 0, bytes, data, 0, NULL, NULL));
    return mem;
}

static void opencl_init(struct opencl *cl, const struct problem *p, const char *selector)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    clnorm_error error = {.text = ""};
    cl_int code;
    desc.cols = p->cols;
    if (clnorm_context_create(selector, NULL, NULL, &cl->context, &error) ||
        clnorm_op_create(cl->context, &desc, &cl->op, &error))
        must(0, error.text);
    const clnorm_device *device = clnorm_context_device(cl->context);
    cl->queue = clCreateCommandQueue(clnorm_context_cl(cl->context), device->device_id, 0, &code);
    must(code == CL_SUCCESS, "clCreateCommandQueue");
    const size_t bytes = (size_t)(p->rows * p->cols) * sizeof(float);
    const size_t param_bytes = (size_t)p->cols * sizeof(float);
    cl->args = (clnorm_args)CLNORM_ARGS_INIT;
    cl->args.x.buffer = buffer(cl, bytes, p->x);
    cl->args.y.buffer = buffer(cl, bytes, p->y);
    cl->args.weight.buffer = buffer(cl, param_bytes, p->params);
    cl->args.bias.buffer = buffer(cl, param_bytes, p->params + p->cols);
    printf("clnorm on %s (%s)\n", device->name, device->platform_name);
}

static double opencl_round(struct opencl *cl, const struct problem *p)
{
    const double begin = now();
    MUST(clnorm_forward(cl->op, cl->queue, p->rows, &cl->args, 0, NULL, NULL, NULL));
    MUST(clFinish(cl->queue));
    return now() - begin;
}

static void onednn_init(struct onednn *dnn, const struct problem *p)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)p->rows, (dnnl_dim_t)p->cols};
    const dnnl_dims_t param_dims = {2, (dnnl_dim_t)p->cols};
    dnnl_memory_desc_t md, param_md;
    dnnl_layer_normalization_desc_t desc;
    dnnl_primitive_desc_t pd;
    MUST(dnnl_engine_create(&dnn->engine, dnnl_cpu, 0));
    MUST(dnnl_stream_create(&dnn->stream, dnn->engine, dnnl_stream_default_flags));
    MUST(dnnl_memory_desc_init_by_tag(&md, 2, dims, dnnl_f32, dnnl_ab));
    MUST(dnnl_memory_desc_init_by_tag(&param_md, 2, param_dims, dnnl_f32, dnnl_ab));
    MUST(dnnl_layer_normalization_forward_desc_init(&desc, dnnl_forward_inference, &md, NULL, 1e-5f,
                                                    dnnl_use_scaleshift));
    MUST(dnnl_primitive_desc_create(&pd, &desc, NULL, dnn->engine, NULL));
    MUST(dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &dnn->kernel));
    MUST(dnnl_primitive_create(&dnn->primitive, pd));
    MUST(dnnl_memory_create(&dnn->x, &md, dnn->engine, p->x));
    MUST(dnnl_memory_create(&dnn->y, &md, dnn->engine, p->y));
    MUST(dnnl_memory_create(&dnn->params, &param_md, dnn->engine, p->params));
    const dnnl_version_t *v = dnnl_version();
    printf("oneDNN %d.%d.%d, %s\n", v->major, v->minor, v->patch, dnn->kernel);
}

static double onednn_round(struct onednn *dnn)
{
    const dnnl_exec_arg_t args[] = {
        {DNNL_ARG_SRC, dnn->x}, {DNNL_ARG_DST, dnn->y}, {DNNL_ARG_SCALE_SHIFT, dnn->params}};
    const double begin = now();
    MUST(dnnl_primitive_execute(dnn->primitive, dnn->stream, 3, args));
    MUST(dnnl_stream_wait(dnn->stream));
    return now() - begin;
}

/* Every 97th row of p->y. */
static void verify(const struct opencl *cl, const struct problem *p, const char *name)
{
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    for (uint64_t row = 0; row < p->rows; row += 97) {
        clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
        args.x.data = p->x + row * p->cols;
        args.y.data = p->y + row * p->cols;
        args.weight.data = p->params;
        args.bias.data = p->params + p->cols;
        MUST(clnorm_verify(clnorm_op_desc(cl->op), CLNORM_FORWARD, clnorm_op_depth(cl->op), 1, row,
                           &args, NULL, &verdict, NULL));
    }
    printf("%s: max error %.1e, %.0f %% of its bound\n", name, verdict.max_error,
           100 * verdict.max_bound_share);
    must(verdict.wrong == 0, "verification");
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct problem p = {.rows = argc > 2 ? strtoull(argv[1], NULL, 10) : 524288,
                        .cols = argc > 2 ? strtoull(argv[2], NULL, 10) : 768};
    struct opencl cl = {.context = NULL};
    struct onednn dnn = {.engine = NULL};
    double ours[ROUNDS], theirs[ROUNDS];
    const uint64_t elements = p.rows * p.cols;
    p.x = floats(elements);
    p.y = floats(elements);
    p.params = floats(2 * p.cols);
    fill(p.x, elements, 1);
    fill(p.params, 2 * p.cols, 2);
    opencl_init(&cl, &p, argc > 3 ? argv[3] : "cpu");
    onednn_init(&dnn, &p);
    onednn_round(&dnn);
    verify(&cl, &p, "oneDNN");
    opencl_round(&cl, &p);
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = opencl_round(&cl, &p);
        theirs[i] = onednn_round(&dnn);
    }
    MUST(clEnqueueReadBuffer(cl.queue, cl.args.y.buffer, CL_TRUE, 0,
                             (size_t)elements * sizeof(float), p.y, 0, NULL, NULL));
    verify(&cl, &p, "clnorm");
    qsort(ours, ROUNDS, sizeof(*ours), ascending);
    qsort(theirs, ROUNDS, sizeof(*theirs), ascending);
    const double bytes = 2.0 * (double)elements * sizeof(float), us = ours[ROUNDS / 2],
                 them = theirs[ROUNDS / 2];
    printf("%llu x %llu f32, median of %d rounds: clnorm %.1f GB/s, oneDNN %.1f GB/s, ratio %.2f\n",
           (unsigned long long)p.rows, (unsigned long long)p.cols, ROUNDS, bytes / us / 1e9,
           bytes / them / 1e9, them / us);
    return 0;
}
