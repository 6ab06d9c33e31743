/* SPDX-License-Identifier: MIT */
#include "check/runner.h"
#include "base/desc.h"
#include "base/dtype.h"
#include "base/status.h"
#include "check/subject.h"
#include "ops/op.h"
#include "ops/tensors.h"
#include "runtime/staging.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const clnorm_check_case *c;
    clnorm_desc desc; /* resolved */
    clnorm_op *op;
    clnorm_queues queues;
    clnorm_subjects subjects;
    cl_mem workspace;
    size_t workspace_bytes; /* without its guard bands */
} experiment;

/* ---- trials -------------------------------------------------------------------------------- */

/* A way to run the case. None may change a bit of the result. */
typedef struct {
    const char *name;
    bool first;
    bool halves; /* rows given in two calls */
    bool streamed; /* outputs written past the cache, as large ones are */
    bool workspace; /* the caller's, not the op's */
    bool shared; /* each row by several groups where one would take it, and the reverse */
    bool in_place; /* output is input */
    clnorm_tensor_id output, input;
} trial;

static const trial first_trial = {.name = "at first", .first = true};
static const trial other_trials[] = {
    {.name = "when run again"},
    {.name = "when its rows are given in two calls", .halves = true},
    {.name = "when written past the cache", .streamed = true},
    {.name = "in a workspace of the caller's", .workspace = true},
    {.name = "when other groups share its rows", .shared = true},
};

/* Rows of the first of two calls; 0: they cannot be parted. */
static uint64_t first_half(const experiment *e)
{
    const uint64_t rows = e->c->rows / 2;
    if (e->c->rows == 0 || e->c->direction != CLNORM_FORWARD)
        return 0;
    return rows - rows % clnorm_part_step(e->op, CLNORM_FORWARD, e->c->rows);
}

static bool is_possible(const experiment *e, const trial *t)
{
    if (t->halves)
        return first_half(e) > 0;
    if (t->streamed)
        return e->op->geometry.cpu_hints; /* without them there is no other store */
    if (t->workspace)
        return e->workspace_bytes > 0;
    if (t->shared)
        return e->op->geometry.part > 0 && e->c->direction == CLNORM_FORWARD;
    if (!t->in_place)
        return true;
    const clnorm_subject *output = &e->subjects.of[t->output], *input = &e->subjects.of[t->input];
    return clnorm_may_alias(e->c->direction, t->output, t->input) &&
           output->use.role == CLNORM_OUTPUT && input->use.role == CLNORM_INPUT &&
           output->use.dtype == input->use.dtype;
}

/* ---- runs ---------------------------------------------------------------------------------- */

static clnorm_status make_workspace(experiment *e, clnorm_error *error)
{
    clnorm_status status;
    cl_int code;
    TRY(clnorm_op_workspace(e->op, e->c->direction, e->c->rows, &e->workspace_bytes, error));
    if (e->workspace_bytes == 0 || e->c->once)
        return CLNORM_OK;
    const size_t bytes = e->workspace_bytes + 2 * CLNORM_GUARD;
    e->workspace = clCreateBuffer(e->op->context->cl, CL_MEM_READ_WRITE, bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
fail:
    return status;
}

static clnorm_status fill_workspace(const experiment *e, clnorm_error *error)
{
    const size_t bytes = e->workspace_bytes + 2 * CLNORM_GUARD;
    clnorm_status status = CLNORM_OK;
    void *poison = malloc(bytes);
    if (!poison)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", bytes);
    memset(poison, CLNORM_POISON, bytes);
    TRY_CL(clEnqueueWriteBuffer(e->queues.compute, e->workspace, CL_TRUE, 0, bytes, poison, 0, NULL,
                                NULL));
fail:
    free(poison);
    return status;
}

/* Outputs as they were before the first run; in place, with the input's rows. */
static clnorm_status reset(experiment *e, const trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        clnorm_subject *s = &e->subjects.of[id];
        if (!clnorm_subject_is_output(s))
            continue;
        memcpy(s->again, s->before, s->bytes);
        if (t->in_place && id == (int)t->output)
            clnorm_subject_spread(s, s->again, e->subjects.dense[t->input]);
        TRY_CL(clEnqueueWriteBuffer(e->queues.compute, s->tensor.buffer, CL_TRUE, 0, s->bytes,
                                    s->again, 0, NULL, NULL));
    }
    if (t->workspace)
        TRY(fill_workspace(e, error));
fail:
    return status;
}

/* The tensor from row `first` of the call on. */
static clnorm_tensor from_row(const experiment *e, clnorm_tensor_id id, uint64_t first)
{
    const clnorm_subject *s = &e->subjects.of[id];
    const clnorm_tensor_use before = clnorm_tensor_use_of(&e->desc, e->c->direction, id, first);
    clnorm_tensor tensor = s->tensor;
    if (first > 0 && s->use.extent != CLNORM_WHOLE)
        tensor.offset += before.has_stride ? before.rows * tensor.stride : before.cols;
    return tensor;
}

static clnorm_args args_of(const experiment *e, const trial *t, uint64_t first)
{
    clnorm_args args = CLNORM_ARGS_INIT;
    args.seed = e->subjects.seed;
    args.first_row = e->subjects.first_row + first;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        const clnorm_tensor_id same = t->in_place && id == t->input ? t->output : id;
        if (e->subjects.of[id].use.role != CLNORM_UNUSED)
            clnorm_args_set(&args, id, from_row(e, same, first));
    }
    if (t->workspace)
        args.workspace = (clnorm_tensor){e->workspace, CLNORM_GUARD, 0};
    return args;
}

static clnorm_status call(experiment *e, const trial *t, uint64_t first, uint64_t rows,
                          clnorm_error *error)
{
    const clnorm_args args = args_of(e, t, first);
    cl_event event = NULL;
    clnorm_status status;
    TRY((e->c->direction == CLNORM_FORWARD ? clnorm_forward : clnorm_backward)(
        e->op, e->queues.compute, rows, &args, 0, NULL, &event, error));
    TRY_CL(clFinish(e->queues.compute));
    TRY(clnorm_await(event, error));
fail:
    if (event)
        clReleaseEvent(event);
    return status;
}

static clnorm_status run(experiment *e, const trial *t, clnorm_error *error)
{
    const uint64_t rows = e->c->rows, before = t->halves ? first_half(e) : 0;
    const clnorm_geometry geometry = e->op->geometry;
    clnorm_status status;
    if (t->streamed)
        e->op->geometry.stream_bytes = 0;
    if (t->shared)
        e->op->geometry.slots = clnorm_shares_rows(&geometry, rows) ? 0 : UINT32_MAX;
    TRY(reset(e, t, error));
    if (before > 0)
        TRY(call(e, t, 0, before, error));
    TRY(call(e, t, before, rows - before, error));
    for (int id = 0; id < TENSOR_COUNT; id++) {
        clnorm_subject *s = &e->subjects.of[id];
        if (clnorm_subject_is_output(s))
            TRY_CL(clEnqueueReadBuffer(e->queues.compute, s->tensor.buffer, CL_TRUE, 0, s->bytes,
                                       t->first ? s->first : s->again, 0, NULL, NULL));
    }
fail:
    e->op->geometry = geometry;
    return status;
}

/* ---- questions ----------------------------------------------------------------------------- */

static clnorm_outcome failed(clnorm_check_result *r, const clnorm_check_case *c, const char *text)
{
    snprintf(r->reason, sizeof(r->reason), "%.440s (seed %llu, input %s)", text,
             (unsigned long long)c->seed, c->input->name);
    return r->outcome = CLNORM_FAILED;
}

static clnorm_outcome judge_guards(const experiment *e, clnorm_check_result *r)
{
    char text[64];
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_subject *s = &e->subjects.of[id];
        const char *stray = clnorm_subject_is_output(s) ? clnorm_subject_stray(s) : NULL;
        if (!stray)
            continue;
        snprintf(text, sizeof(text), "wrote %s %s", stray,
                 clnorm_tensor_name((clnorm_tensor_id)id));
        return failed(r, e->c, text);
    }
    return CLNORM_PASSED;
}

/* Sign and payload of a NaN are nobody's promise. */
static bool is_same(const clnorm_subject *s)
{
    const clnorm_dtype dtype = s->use.dtype;
    const size_t bytes = clnorm_dtype_bytes(dtype);
    if (!memcmp(s->first, s->again, s->bytes))
        return true;
    for (size_t at = 0; at < s->bytes; at += bytes)
        if (memcmp(s->first + at, s->again + at, bytes) &&
            !(isnan(clnorm_load(dtype, s->first + at, 0)) &&
              isnan(clnorm_load(dtype, s->again + at, 0))))
            return false;
    return true;
}

static clnorm_outcome judge_bits(const experiment *e, const trial *t, clnorm_check_result *r)
{
    char text[160], how[64];
    snprintf(how, sizeof(how), "when %s is %s", clnorm_tensor_name(t->output),
             clnorm_tensor_name(t->input));
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_subject *s = &e->subjects.of[id];
        if (!clnorm_subject_is_output(s) || is_same(s))
            continue;
        snprintf(text, sizeof(text), "%s has other bits %s",
                 clnorm_tensor_name((clnorm_tensor_id)id), t->in_place ? how : t->name);
        return failed(r, e->c, text);
    }
    return CLNORM_PASSED;
}

static clnorm_status judge_workspace(const experiment *e, clnorm_check_result *r,
                                     clnorm_error *error)
{
    unsigned char guards[2][CLNORM_GUARD], untouched[2][CLNORM_GUARD];
    clnorm_status status;
    memset(untouched, CLNORM_POISON, sizeof(untouched));
    for (int i = 0; i < 2; i++)
        TRY_CL(clEnqueueReadBuffer(e->queues.compute, e->workspace, CL_TRUE,
                                   i * (CLNORM_GUARD + e->workspace_bytes), CLNORM_GUARD, guards[i],
                                   0, NULL, NULL));
    if (memcmp(guards, untouched, sizeof(guards)))
        failed(r, e->c, "wrote beside the workspace");
fail:
    return status;
}

/* The arrays of the first run, for the checker. */
static clnorm_host_args host_args_of(const experiment *e, bool before)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.seed = e->subjects.seed;
    args.first_row = e->subjects.first_row;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_subject *s = &e->subjects.of[id];
        const bool output = clnorm_subject_is_output(s);
        if (s->use.role == CLNORM_UNUSED || (before && s->use.role != CLNORM_IN_OUT))
            continue;
        unsigned char *const array = output && !before ? s->first : s->before;
        clnorm_host_array_set(&args, (clnorm_tensor_id)id, clnorm_subject_begin(s, array),
                              s->use.has_stride ? s->tensor.stride : 0);
    }
    return args;
}

/* The sums of rows of integers are exact where nothing but the row is added up. */
static bool has_exact_sums(const clnorm_check_case *c)
{
    return c->input->exact_sums && c->direction == CLNORM_FORWARD &&
           strcmp(c->variant->name, "layer_norm") == 0;
}

static clnorm_outcome judge_values(const experiment *e, clnorm_check_result *r)
{
    const clnorm_host_args args = host_args_of(e, false), before = host_args_of(e, true);
    const clnorm_verdict *v = &r->verdict;
    const bool exact = has_exact_sums(e->c);
    const unsigned depth = exact ? 0 : clnorm_op_depth(e->op);
    clnorm_error error;
    char text[256];
    uint64_t row = 0;
    if (clnorm_verify(&e->desc, e->c->direction, depth, e->c->rows, 0, &args, &before, &r->verdict,
                      &error))
        return failed(r, e->c, error.text);
    if (v->wrong) {
        snprintf(text, sizeof(text), "%s[%llu, %llu] is %.9g, expected %.9g +- %.3g; %llu wrong",
                 v->worst_tensor, (unsigned long long)v->worst_row,
                 (unsigned long long)v->worst_col, v->worst_got, v->worst_expected, v->worst_bound,
                 (unsigned long long)v->wrong);
        return failed(r, e->c, text);
    }
    if (exact && clnorm_input_wrong_means(&e->desc, e->subjects.dense[TENSOR_x], args.mean.data,
                                          e->c->rows, &row)) {
        snprintf(text, sizeof(text), "mean[%llu] of an exact sum is off", (unsigned long long)row);
        return failed(r, e->c, text);
    }
    return CLNORM_PASSED;
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* One more trial, unless something is wrong already. */
static clnorm_status attempt(experiment *e, const trial *t, clnorm_check_result *r,
                             clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    if (r->outcome != CLNORM_PASSED || !is_possible(e, t))
        return CLNORM_OK;
    TRY(run(e, t, error));
    if (judge_bits(e, t, r) == CLNORM_PASSED && t->workspace)
        TRY(judge_workspace(e, r, error));
fail:
    return status;
}

static clnorm_status try_others(experiment *e, clnorm_check_result *r, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < sizeof(other_trials) / sizeof(other_trials[0]); i++)
        TRY(attempt(e, &other_trials[i], r, error));
    for (int output = 0; output < TENSOR_COUNT; output++)
        for (int input = 0; input < TENSOR_COUNT; input++) {
            const trial t = {.in_place = true,
                             .output = (clnorm_tensor_id)output,
                             .input = (clnorm_tensor_id)input};
            TRY(attempt(e, &t, r, error));
        }
fail:
    return status;
}

static clnorm_status conduct(experiment *e, clnorm_check_result *r, clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_queues_create(e->op->context, &e->queues, error));
    TRY(clnorm_subjects_make(e->op->context, e->queues.compute, e->c, &e->desc, &e->subjects,
                             error));
    TRY(make_workspace(e, error));
    TRY(run(e, &first_trial, error));
    if (judge_values(e, r) == CLNORM_PASSED && judge_guards(e, r) == CLNORM_PASSED && !e->c->once)
        TRY(try_others(e, r, error));
fail:
    return status;
}

static void release(experiment *e)
{
    clnorm_queues_release(&e->queues);
    clnorm_subjects_release(&e->subjects);
    if (e->workspace)
        clReleaseMemObject(e->workspace);
    clnorm_op_destroy(e->op);
}

void clnorm_check_run(clnorm_context *context, const clnorm_check_case *c,
                      clnorm_check_result *result)
{
    experiment e = {.c = c};
    clnorm_status status;
    *result = (clnorm_check_result){.outcome = CLNORM_PASSED, .verdict = CLNORM_VERDICT_INIT};
    TRY(clnorm_desc_resolve(&c->desc, &e.desc, &result->error));
    TRY(clnorm_op_make(context, &c->desc, c->direction == CLNORM_FORWARD, &e.op, &result->error));
    TRY(conduct(&e, result, &result->error));
fail:
    if (status == CLNORM_UNSUPPORTED) {
        result->outcome = CLNORM_SKIPPED;
        snprintf(result->reason, sizeof(result->reason), "%.500s", result->error.text);
    } else if (status != CLNORM_OK)
        failed(result, c, result->error.text);
    release(&e);
}
