/* SPDX-License-Identifier: MIT */
#include "check/runner.h"
#include "base/status.h"
#include "ops/op.h"
#include "runtime/staging.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GUARD = 64, /* elements on both sides of every output */
    POISON = 0x5a /* a number in every type, so that it is not taken for a wanted NaN */
};

/* A tensor in a buffer that is larger than it, and the bytes that came back. */
typedef struct {
    clnorm_tensor tensor;
    clnorm_dtype dtype;
    uint64_t rows, cols;
    size_t bytes;
    unsigned char *first, *again; /* of the first run, of a later one */
} output;

enum { Y, MEAN, RSTD, OUTPUTS };
static const char *const output_names[] = {"y", "mean", "rstd"};

typedef struct {
    const clnorm_check_case *c;
    clnorm_op *op;
    clnorm_queues queues;
    output outputs[OUTPUTS];
    void *x, *weight, *bias; /* host; x without its offset and gaps */
    clnorm_tensor x_tensor, weight_tensor, bias_tensor;
} experiment;

/* ---- set-up ---- */

static unsigned variant(const clnorm_check_case *c, unsigned choices)
{
    return (unsigned)(c->seed % choices);
}

static bool has_weight(const clnorm_check_case *c) { return variant(c, 4) < 2; }
static bool has_bias(const clnorm_check_case *c) { return variant(c, 4) % 3 == 0; }
static bool has_statistics(const clnorm_check_case *c)
{
    return variant(c, 4) != 3 || c->input->exact_sums;
}

static clnorm_status make_output(experiment *e, int which, clnorm_dtype dtype, uint64_t rows,
                                 uint64_t cols, uint64_t stride, clnorm_error *error)
{
    output *o = &e->outputs[which];
    const uint64_t elements = 2 * GUARD + rows * stride;
    cl_int code;
    *o = (output){.dtype = dtype,
                  .rows = rows,
                  .cols = cols,
                  .bytes = (size_t)elements * clnorm_dtype_bytes(dtype)};
    o->first = malloc(o->bytes);
    o->again = malloc(o->bytes);
    if (!o->first || !o->again)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", o->bytes);
    o->tensor.buffer = clCreateBuffer(e->op->context->cl, CL_MEM_READ_WRITE, o->bytes, NULL, &code);
    o->tensor.offset = GUARD + variant(e->c, 3);
    o->tensor.stride = stride;
    return clnorm_cl_check(code, "clCreateBuffer", error);
}

static clnorm_status make_outputs(experiment *e, clnorm_error *error)
{
    const clnorm_desc *d = &e->c->desc;
    const clnorm_dtype stats = clnorm_stats_dtype(d);
    const uint64_t gap = variant(e->c, 5) == 1 ? 3 : 0;
    clnorm_status status;
    TRY(make_output(e, Y, d->y_dtype, e->c->rows, d->cols, d->cols + gap, error));
    if (has_statistics(e->c)) {
        TRY(make_output(e, MEAN, stats, 1, e->c->rows, e->c->rows, error));
        TRY(make_output(e, RSTD, stats, 1, e->c->rows, e->c->rows, error));
    }
fail:
    return status;
}

/* `rows` rows of `cols` elements, with gaps of `gap` elements between them. */
static clnorm_status make_input(experiment *e, const void *data, clnorm_dtype dtype, uint64_t rows,
                                uint64_t cols, uint64_t gap, clnorm_tensor *tensor,
                                clnorm_error *error)
{
    /* an odd offset: nothing may rely on the alignment of more than an element */
    const uint64_t offset = variant(e->c, 3), stride = cols + gap;
    const size_t element = clnorm_dtype_bytes(dtype), pad = 64, width = (size_t)cols * element;
    const size_t bytes = (size_t)(offset + rows * stride) * element + pad;
    clnorm_status status;
    cl_int code;
    /* all of it is written: Oclgrind loses track of a write that begins inside of a buffer */
    char *image = malloc(bytes);
    if (!image)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", bytes);
    memset(image, POISON, bytes);
    for (uint64_t row = 0; row < rows; row++)
        memcpy(image + (size_t)(offset + row * stride) * element,
               (const char *)data + (size_t)row * width, width);
    *tensor = (clnorm_tensor){.offset = offset, .stride = stride};
    tensor->buffer = clCreateBuffer(e->op->context->cl, CL_MEM_READ_ONLY, bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    TRY_CL(clEnqueueWriteBuffer(e->queues.compute, tensor->buffer, CL_TRUE, 0, bytes, image, 0,
                                NULL, NULL));
fail:
    free(image);
    return status;
}

static clnorm_status make_inputs(experiment *e, clnorm_error *error)
{
    const clnorm_desc *d = &e->c->desc;
    const size_t params = (size_t)d->cols * clnorm_dtype_bytes(d->param_dtype);
    const uint64_t elements = e->c->rows * d->cols, gap = variant(e->c, 7) == 1 ? 5 : 0;
    clnorm_status status;
    e->x = malloc((size_t)elements * clnorm_dtype_bytes(d->x_dtype) + 1);
    e->weight = malloc(params);
    e->bias = malloc(params);
    if (!e->x || !e->weight || !e->bias)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %llu elements",
                           (unsigned long long)elements);
    clnorm_input_fill(e->c->input, d->x_dtype, e->c->rows, d->cols, e->c->seed, e->x);
    clnorm_weight_fill(d->param_dtype, d->cols, e->c->seed, e->weight);
    clnorm_bias_fill(d->param_dtype, d->cols, e->c->seed, e->bias);
    TRY(make_input(e, e->x, d->x_dtype, e->c->rows, d->cols, gap, &e->x_tensor, error));
    if (has_weight(e->c))
        TRY(make_input(e, e->weight, d->param_dtype, 1, d->cols, 0, &e->weight_tensor, error));
    if (has_bias(e->c))
        TRY(make_input(e, e->bias, d->param_dtype, 1, d->cols, 0, &e->bias_tensor, error));
fail:
    return status;
}

static void release(experiment *e)
{
    const cl_mem inputs[] = {e->x_tensor.buffer, e->weight_tensor.buffer, e->bias_tensor.buffer};
    clnorm_queues_release(&e->queues);
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
        if (inputs[i])
            clReleaseMemObject(inputs[i]);
    for (int i = 0; i < OUTPUTS; i++) {
        if (e->outputs[i].tensor.buffer)
            clReleaseMemObject(e->outputs[i].tensor.buffer);
        free(e->outputs[i].first);
        free(e->outputs[i].again);
    }
    free(e->x);
    free(e->weight);
    free(e->bias);
    clnorm_op_destroy(e->op);
}

/* ---- runs ---- */

/* A way to run the case. None may change a bit of the result. */
typedef struct {
    const char *name;
    bool halves; /* rows given in two calls */
    bool streamed; /* y written past the cache, as for large tensors */
    bool in_place; /* y is x */
} trial;

static const trial first_trial = {.name = "at first"};
static const trial other_trials[] = {
    {.name = "when run again"},
    {.name = "when its rows are given in two calls", .halves = true},
    {.name = "when written past the cache", .streamed = true},
    {.name = "when y is x", .in_place = true},
};

/* For a run in place the rows of y hold x already. */
static void fill_output(const experiment *e, output *o, bool with_x)
{
    const size_t bytes = clnorm_dtype_bytes(o->dtype), width = (size_t)o->cols * bytes;
    memset(o->again, POISON, o->bytes);
    for (uint64_t row = 0; with_x && row < o->rows; row++)
        memcpy(o->again + (size_t)(o->tensor.offset + row * o->tensor.stride) * bytes,
               (const char *)e->x + (size_t)row * width, width);
}

static clnorm_status poison(experiment *e, const trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < OUTPUTS; i++) {
        output *o = &e->outputs[i];
        if (!o->tensor.buffer)
            continue;
        fill_output(e, o, t->in_place && i == Y);
        TRY_CL(clEnqueueWriteBuffer(e->queues.compute, o->tensor.buffer, CL_TRUE, 0, o->bytes,
                                    o->again, 0, NULL, NULL));
    }
fail:
    return status;
}

static clnorm_tensor from_row(clnorm_tensor t, uint64_t elements)
{
    t.offset += elements;
    return t;
}

static clnorm_status forward(experiment *e, const trial *t, uint64_t first, uint64_t rows,
                             clnorm_error *error)
{
    const output *o = e->outputs;
    const clnorm_tensor x = t->in_place ? o[Y].tensor : e->x_tensor;
    const clnorm_args args = {
        .struct_size = sizeof(args),
        .y = from_row(o[Y].tensor, first * o[Y].tensor.stride),
        .mean = from_row(o[MEAN].tensor, first),
        .rstd = from_row(o[RSTD].tensor, first),
        .x = from_row(x, first * x.stride),
        .weight = e->weight_tensor,
        .bias = e->bias_tensor,
    };
    cl_event event = NULL;
    clnorm_status status;
    TRY(clnorm_forward(e->op, e->queues.compute, rows, &args, 0, NULL, &event, error));
    TRY_CL(clFinish(e->queues.compute));
    TRY(clnorm_await(event, error));
fail:
    if (event)
        clReleaseEvent(event);
    return status;
}

static clnorm_status run(experiment *e, const trial *t, clnorm_error *error)
{
    const uint64_t rows = e->c->rows, before = t->halves ? rows / 2 : 0;
    const uint64_t stream_bytes = e->op->geometry.stream_bytes;
    clnorm_status status;
    if (t->streamed)
        e->op->geometry.stream_bytes = 0;
    TRY(poison(e, t, error));
    if (before > 0)
        TRY(forward(e, t, 0, before, error));
    TRY(forward(e, t, before, rows - before, error));
    for (int i = 0; i < OUTPUTS; i++) {
        output *o = &e->outputs[i];
        if (o->tensor.buffer)
            TRY_CL(clEnqueueReadBuffer(e->queues.compute, o->tensor.buffer, CL_TRUE, 0, o->bytes,
                                       t == &first_trial ? o->first : o->again, 0, NULL, NULL));
    }
fail:
    e->op->geometry.stream_bytes = stream_bytes;
    return status;
}

/* ---- questions ---- */

/* NULL, or where something was written that is no result. */
static const char *stray_write(const output *o)
{
    const size_t bytes = clnorm_dtype_bytes(o->dtype);
    const size_t pitch = (size_t)o->tensor.stride * bytes, width = (size_t)o->cols * bytes;
    const size_t begin = (size_t)o->tensor.offset * bytes;
    const size_t end = begin + (o->rows ? (size_t)(o->rows - 1) * pitch + width : 0);
    for (size_t at = 0; at < o->bytes; at++) {
        const bool result = at >= begin && at < end && (at - begin) % pitch < width;
        if (!result && o->first[at] != POISON)
            return at < begin ? "before" : at < end ? "between rows of" : "after";
    }
    return NULL;
}

static clnorm_outcome failed(clnorm_check_result *r, const clnorm_check_case *c, const char *text)
{
    snprintf(r->reason, sizeof(r->reason), "%.440s (seed %llu, input %s)", text,
             (unsigned long long)c->seed, c->input->name);
    return r->outcome = CLNORM_FAILED;
}

static clnorm_outcome judge_bytes(const experiment *e, const char *differs, clnorm_check_result *r)
{
    char text[128];
    for (int i = 0; i < OUTPUTS; i++) {
        const output *o = &e->outputs[i];
        if (!o->tensor.buffer)
            continue;
        const char *stray = stray_write(o);
        if (stray)
            snprintf(text, sizeof(text), "wrote %s %s", stray, output_names[i]);
        else if (memcmp(o->first, o->again, o->bytes))
            snprintf(text, sizeof(text), "%s has other bits %s", output_names[i], differs);
        else
            continue;
        return failed(r, e->c, text);
    }
    return CLNORM_PASSED;
}

static void *result_of(const output *o)
{
    return o->tensor.buffer ? o->first + o->tensor.offset * clnorm_dtype_bytes(o->dtype) : NULL;
}

static clnorm_outcome judge_values(const experiment *e, clnorm_check_result *r)
{
    const clnorm_desc *d = &e->c->desc;
    const clnorm_host_args args = {.struct_size = sizeof(args),
                                   .y = result_of(&e->outputs[Y]),
                                   .mean = result_of(&e->outputs[MEAN]),
                                   .rstd = result_of(&e->outputs[RSTD]),
                                   .x = e->x,
                                   .weight = has_weight(e->c) ? e->weight : NULL,
                                   .bias = has_bias(e->c) ? e->bias : NULL,
                                   .y_stride = e->outputs[Y].tensor.stride};
    const clnorm_verdict *v = &r->verdict;
    const bool exact = e->c->input->exact_sums && d->kind == CLNORM_LAYER_NORM;
    const unsigned depth = exact ? 0 : clnorm_op_depth(e->op);
    clnorm_error error;
    char text[256];
    uint64_t row = 0;
    if (clnorm_verify_forward(d, depth, &args, e->c->rows, 0, &r->verdict, &error))
        return failed(r, e->c, error.text);
    if (v->wrong) {
        snprintf(text, sizeof(text), "%s[%llu, %llu] is %.9g, expected %.9g +- %.3g; %llu wrong",
                 v->worst_tensor, (unsigned long long)v->worst_row,
                 (unsigned long long)v->worst_col, v->worst_got, v->worst_expected, v->worst_bound,
                 (unsigned long long)v->wrong);
        return failed(r, e->c, text);
    }
    if (exact && clnorm_input_wrong_means(d, e->x, args.mean, e->c->rows, &row)) {
        snprintf(text, sizeof(text), "mean[%llu] of an exact sum is off", (unsigned long long)row);
        return failed(r, e->c, text);
    }
    return CLNORM_PASSED;
}

static clnorm_status conduct(experiment *e, clnorm_check_result *r, clnorm_error *error)
{
    const bool one_type = e->c->desc.x_dtype == e->c->desc.y_dtype;
    clnorm_status status;
    TRY(clnorm_queues_create(e->op->context, &e->queues, error));
    TRY(make_inputs(e, error));
    TRY(make_outputs(e, error));
    TRY(run(e, &first_trial, error));
    if (judge_values(e, r) != CLNORM_PASSED)
        return CLNORM_OK;
    for (size_t i = 0; !e->c->once && i < sizeof(other_trials) / sizeof(other_trials[0]); i++) {
        const trial *t = &other_trials[i];
        /* without the hints there is no other store */
        if ((t->in_place && !one_type) || (t->streamed && !e->op->geometry.cpu_hints))
            continue;
        TRY(run(e, t, error));
        if (judge_bytes(e, t->name, r) != CLNORM_PASSED)
            return CLNORM_OK;
    }
fail:
    return status;
}

void clnorm_check_run(clnorm_context *context, const clnorm_check_case *c,
                      clnorm_check_result *result)
{
    experiment e = {.c = c};
    clnorm_status status;
    *result = (clnorm_check_result){.outcome = CLNORM_PASSED, .verdict = CLNORM_VERDICT_INIT};
    TRY(clnorm_op_create(context, &c->desc, &e.op, &result->error));
    TRY(conduct(&e, result, &result->error));
fail:
    if (status == CLNORM_UNSUPPORTED) {
        result->outcome = CLNORM_SKIPPED;
        snprintf(result->reason, sizeof(result->reason), "%.500s", result->error.text);
    } else if (status != CLNORM_OK)
        failed(result, c, result->error.text);
    release(&e);
}
