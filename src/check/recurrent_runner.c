/* SPDX-License-Identifier: MIT */
#include "check/recurrent_runner.h"

#include "base/random.h"
#include "check/recurrent.h"
#include "ops/recurrent/op.h"
#include "runtime/staging.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In front of and behind each block, whose offset is a multiple of 64 then. */
enum { GUARD = 256, POISON = 0x5a };

/* What is behind the tensors. */
enum { BLOCK_SAVED = RECURRENT_COUNT, BLOCK_WORKSPACE, BLOCKS };

typedef struct {
    size_t bytes; /* without guards; 0: not given */
    bool output; /* of the direction under test */
    unsigned char *host; /* inputs, with guards; outputs after the first run */
    cl_mem mem;
} block;

typedef struct {
    const clnorm_recurrent_case *c;
    clnorm_recurrent *op;
    clnorm_queues queues;
    uint32_t *lengths; /* NULL: none */
    block of[BLOCKS];
} experiment;

/* ---- tensors ------------------------------------------------------------------------------- */

static clnorm_recurrent_use use_of(const experiment *e, clnorm_direction direction, int id)
{
    return clnorm_recurrent_use_of(&e->c->desc, direction, (clnorm_recurrent_id)id, e->c->steps,
                                   e->c->batch);
}

static bool is_state(int id)
{
    static const clnorm_recurrent_id states[] = {RECURRENT_h0,  RECURRENT_c0,   RECURRENT_h_n,
                                                 RECURRENT_c_n, RECURRENT_dh_n, RECURRENT_dc_n,
                                                 RECURRENT_dh0, RECURRENT_dc0};
    size_t i = 0;
    while (i < sizeof(states) / sizeof(states[0]) && (int)states[i] != id)
        i++;
    return i < sizeof(states) / sizeof(states[0]);
}

static bool is_parameter(int id)
{
    return (id >= RECURRENT_weight_x && id <= RECURRENT_bias_c) || id >= RECURRENT_dweight_x;
}

/* Backward takes what forward does, which leaves y and `saved` to it. */
static bool is_given(const experiment *e, int id)
{
    const unsigned with = e->c->with;
    const bool result = id <= RECURRENT_c_n;
    const clnorm_recurrent_use use = use_of(e, result ? CLNORM_FORWARD : e->c->direction, id);
    return use.role != CLNORM_UNUSED && (!is_state(id) || with & CLNORM_NET_STATES) &&
           (!is_parameter(id) || with & CLNORM_NET_PARAMETERS);
}

static bool is_output(const experiment *e, int id)
{
    return e->c->direction == CLNORM_FORWARD ? id <= RECURRENT_c_n : id >= RECURRENT_dx;
}

/* Multiples of 1/128 up to 2; of matrices so that sums of a row's columns are of that size. */
static void fill(const experiment *e, int id, float *to)
{
    const clnorm_recurrent_use use = use_of(e, e->c->direction, id);
    const bool matrix = id == RECURRENT_w_x || id == RECURRENT_w_h;
    const double scale = matrix ? exp2(-ceil(log2((double)use.cols) / 2)) : 1;
    clnorm_random random = clnorm_random_seed(e->c->seed, (uint64_t)id);
    for (uint64_t i = 0; i < use.rows * use.cols; i++)
        to[i] = (float)(scale * (2 * (double)clnorm_random_below(&random, 256) - 255) / 128);
}

/* All steps, none, and others; of a batch of one all but one. */
static clnorm_status choose_lengths(experiment *e, clnorm_error *error)
{
    const clnorm_recurrent_case *c = e->c;
    if (!(c->with & CLNORM_NET_LENGTHS))
        return CLNORM_OK;
    e->lengths = calloc((size_t)c->batch, sizeof(*e->lengths));
    if (!e->lengths)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for lengths");
    for (uint64_t i = 0; i < c->batch; i++)
        e->lengths[i] = (uint32_t)((c->steps + i) % (c->steps + 1));
    if (c->batch == 1)
        e->lengths[0] = (uint32_t)c->steps - 1;
    return CLNORM_OK;
}

/* What is not to be read. */
static void spoil_beyond_lengths(const experiment *e, int id, float *x)
{
    const clnorm_recurrent_case *c = e->c;
    const uint64_t cols = use_of(e, c->direction, id).cols;
    for (uint64_t row = 0; row < c->steps * c->batch && e->lengths; row++)
        for (uint64_t i = 0; row / c->batch >= e->lengths[row % c->batch] && i < cols; i++)
            x[row * cols + i] = NAN;
}

static float *floats_of(const block *b) { return (float *)(void *)(b->host + GUARD); }

static clnorm_status make_block(experiment *e, int id, size_t bytes, clnorm_error *error)
{
    block *b = &e->of[id];
    clnorm_status status;
    cl_int code;
    *b = (block){.bytes = bytes, .output = id < RECURRENT_COUNT && is_output(e, id)};
    b->host = malloc(bytes + 2 * GUARD);
    if (!b->host)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", bytes);
    memset(b->host, POISON, bytes + 2 * GUARD);
    if (id < RECURRENT_COUNT && id > RECURRENT_c_n && !b->output)
        fill(e, id, floats_of(b));
    if (id == RECURRENT_x || id == RECURRENT_dy)
        spoil_beyond_lengths(e, id, floats_of(b));
    b->mem = clCreateBuffer(e->op->context->cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                            bytes + 2 * GUARD, b->host, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
fail:
    return status;
}

static clnorm_status make_blocks(experiment *e, clnorm_error *error)
{
    uint64_t saved, workspaces[2];
    clnorm_status status;
    TRY(choose_lengths(e, error));
    TRY(clnorm_recurrent_sizes(e->op, e->c->steps, e->c->batch, &saved, &workspaces[0],
                               &workspaces[1], error));
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        const clnorm_recurrent_use use =
            use_of(e, id <= RECURRENT_c_n ? CLNORM_FORWARD : e->c->direction, id);
        if (is_given(e, id))
            TRY(make_block(e, id, (size_t)(use.rows * use.cols) * sizeof(float), error));
    }
    TRY(make_block(e, BLOCK_SAVED, (size_t)saved, error));
    TRY(make_block(e, BLOCK_WORKSPACE,
                   (size_t)(workspaces[0] > workspaces[1] ? workspaces[0] : workspaces[1]), error));
fail:
    return status;
}

/* ---- runs ---------------------------------------------------------------------------------- */

static clnorm_recurrent_args args_of(const experiment *e, clnorm_direction direction, bool saves)
{
    clnorm_recurrent_args args = CLNORM_RECURRENT_ARGS_INIT;
    args.lengths = e->lengths;
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (e->of[id].mem && use_of(e, direction, id).role != CLNORM_UNUSED)
            *(clnorm_tensor *)(uintptr_t)clnorm_recurrent_tensor(&args, (clnorm_recurrent_id)id) =
                (clnorm_tensor){e->of[id].mem, GUARD / sizeof(float), 0};
    if (saves)
        args.saved = (clnorm_tensor){e->of[BLOCK_SAVED].mem, GUARD, 0};
    args.workspace = (clnorm_tensor){e->of[BLOCK_WORKSPACE].mem, GUARD, 0};
    return args;
}

static clnorm_status call(experiment *e, clnorm_direction direction, bool saves,
                          clnorm_error *error)
{
    const clnorm_recurrent_args args = args_of(e, direction, saves);
    cl_event event = NULL;
    clnorm_status status;
    TRY((direction == CLNORM_FORWARD ? clnorm_recurrent_forward : clnorm_recurrent_backward)(
        e->op, e->queues.compute, e->c->steps, e->c->batch, &args, 0, NULL, &event, error));
    TRY_CL(clFinish(e->queues.compute));
    TRY(clnorm_await(event, error));
fail:
    if (event)
        clReleaseEvent(event);
    return status;
}

/* What a call writes is poison again, and its last bytes are not taken for its own. */
static clnorm_status poison(experiment *e, int id, clnorm_error *error)
{
    const unsigned char pattern = POISON;
    clnorm_status status;
    TRY_CL(clEnqueueFillBuffer(e->queues.compute, e->of[id].mem, &pattern, 1, 0,
                               e->of[id].bytes + 2 * GUARD, 0, NULL, NULL));
fail:
    return status;
}

static clnorm_status run(experiment *e, bool saves, clnorm_error *error)
{
    clnorm_status status;
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (e->of[id].mem && e->of[id].output)
            TRY(poison(e, id, error));
    TRY(poison(e, BLOCK_WORKSPACE, error));
    TRY(call(e, e->c->direction, saves, error));
fail:
    return status;
}

static clnorm_status read(experiment *e, int id, unsigned char *to, clnorm_error *error)
{
    clnorm_status status;
    TRY_CL(clEnqueueReadBuffer(e->queues.compute, e->of[id].mem, CL_TRUE, 0,
                               e->of[id].bytes + 2 * GUARD, to, 0, NULL, NULL));
fail:
    return status;
}

static bool is_read(const experiment *e, int id)
{
    return e->of[id].mem && (e->of[id].output || id == RECURRENT_y || id >= RECURRENT_COUNT);
}

/* ---- questions ----------------------------------------------------------------------------- */

static const char *name_of(int id)
{
    return id == BLOCK_SAVED       ? "saved"
           : id == BLOCK_WORKSPACE ? "the workspace"
                                   : clnorm_recurrent_tensor_name((clnorm_recurrent_id)id);
}

static void failed(const experiment *e, clnorm_check_result *r, const char *text)
{
    snprintf(r->reason, sizeof(r->reason), "%.440s (seed %llu)", text,
             (unsigned long long)e->c->seed);
    r->outcome = CLNORM_FAILED;
}

static bool is_poison(const unsigned char *bytes)
{
    for (int i = 0; i < GUARD; i++)
        if (bytes[i] != POISON)
            return false;
    return true;
}

static void judge_guards(const experiment *e, clnorm_check_result *r)
{
    char text[64];
    for (int id = 0; id < BLOCKS; id++) {
        const block *b = &e->of[id];
        if (!is_read(e, id) || (is_poison(b->host) && is_poison(b->host + GUARD + b->bytes)))
            continue;
        snprintf(text, sizeof(text), "wrote beside %s", name_of(id));
        failed(e, r, text);
    }
}

static void judge_values(const experiment *e, clnorm_check_result *r)
{
    const float *got[RECURRENT_COUNT] = {NULL};
    clnorm_recurrent_host_args inputs = CLNORM_RECURRENT_HOST_ARGS_INIT;
    clnorm_recurrent_verdict v;
    clnorm_error error;
    char text[256];
    inputs.lengths = e->lengths;
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        const block *b = &e->of[id];
        if (b->mem && (b->output || id == RECURRENT_y))
            got[id] = floats_of(b);
        if (b->mem && use_of(e, e->c->direction, id).role != CLNORM_UNUSED)
            clnorm_recurrent_host_array_set(&inputs, (clnorm_recurrent_id)id, floats_of(b));
    }
    if (clnorm_recurrent_verify(&e->c->desc, e->c->direction, e->c->steps, e->c->batch, &inputs,
                                got, &v, &error)) {
        failed(e, r, error.text);
        return;
    }
    r->verdict.compared = v.compared;
    r->verdict.wrong = v.wrong;
    r->verdict.max_bound_share = v.max_bound_share;
    r->verdict.max_ulp = v.max_ulp;
    if (v.wrong == 0)
        return;
    snprintf(text, sizeof(text), "%s[%llu, %llu, %llu] is %.9g, expected %.9g +- %.3g; %llu wrong",
             v.worst_tensor, (unsigned long long)v.worst_step, (unsigned long long)v.worst_row,
             (unsigned long long)v.worst_col, v.worst_got, v.worst_expected, v.worst_bound,
             (unsigned long long)v.wrong);
    failed(e, r, text);
}

/* The outputs once more. */
static clnorm_status judge_bits(experiment *e, const char *how, clnorm_check_result *r,
                                clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    char text[64];
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        const block *b = &e->of[id];
        if (!b->mem || !b->output)
            continue;
        unsigned char *again = malloc(b->bytes + 2 * GUARD);
        if (!again)
            return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes",
                               b->bytes);
        status = read(e, id, again, error);
        if (status == CLNORM_OK && memcmp(again, b->host, b->bytes + 2 * GUARD)) {
            snprintf(text, sizeof(text), "%s has other bits %s", name_of(id), how);
            failed(e, r, text);
        }
        free(again);
        if (status != CLNORM_OK)
            break;
    }
    return status;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static clnorm_status conduct(experiment *e, clnorm_check_result *r, clnorm_error *error)
{
    clnorm_status status;
    TRY(clnorm_queues_create(e->op->context, &e->queues, error));
    TRY(make_blocks(e, error));
    if (e->c->direction == CLNORM_BACKWARD)
        TRY(call(e, CLNORM_FORWARD, true, error));
    TRY(run(e, true, error));
    for (int id = 0; id < BLOCKS; id++)
        if (is_read(e, id))
            TRY(read(e, id, e->of[id].host, error));
    judge_values(e, r);
    judge_guards(e, r);
    if (r->outcome != CLNORM_PASSED)
        return CLNORM_OK;
    TRY(run(e, true, error));
    TRY(judge_bits(e, "when run again", r, error));
    if (e->c->direction == CLNORM_BACKWARD || r->outcome != CLNORM_PASSED)
        return CLNORM_OK;
    TRY(run(e, false, error));
    TRY(judge_bits(e, "when nothing is saved", r, error));
fail:
    return status;
}

static void release(experiment *e)
{
    clnorm_queues_release(&e->queues);
    for (int id = 0; id < BLOCKS; id++) {
        if (e->of[id].mem)
            clReleaseMemObject(e->of[id].mem);
        free(e->of[id].host);
    }
    free(e->lengths);
    clnorm_recurrent_destroy(e->op);
}

void clnorm_recurrent_check_run(clnorm_context *context, const clnorm_recurrent_case *c,
                                clnorm_check_result *result)
{
    experiment e = {.c = c};
    clnorm_status status;
    *result = (clnorm_check_result){.outcome = CLNORM_PASSED, .verdict = CLNORM_VERDICT_INIT};
    TRY(clnorm_recurrent_make(context, &c->desc, c->form, &e.op, &result->error));
    TRY(conduct(&e, result, &result->error));
fail:
    if (status == CLNORM_UNSUPPORTED) {
        result->outcome = CLNORM_SKIPPED;
        snprintf(result->reason, sizeof(result->reason), "%.500s", result->error.text);
    } else if (status != CLNORM_OK)
        failed(&e, result, result->error.text);
    release(&e);
}
