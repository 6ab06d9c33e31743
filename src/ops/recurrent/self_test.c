/* SPDX-License-Identifier: MIT */
/* A first step of three rows: one that goes on, one that ends, and one whose length is 0. */
#include "ops/recurrent/self_test.h"

#include "ops/recurrent/self_test_cell.h"
#include "ops/recurrent/step.h"
#include "ops/self_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Columns that are no whole number of vectors, and more of gates than any group has work-items. */
enum { HIDDEN = 131, STEPS = 2, BATCH = 3 };
static const uint32_t lengths[BATCH] = {2, 1, 0};
static const double test_eps = 1e-3;

static bool is_live(uint64_t row) { return lengths[row] > 0; }
static bool is_last(uint64_t row) { return lengths[row] < STEPS; }

enum { MEM_TENSORS, MEM_SAVED, MEM_WORKSPACE, MEMS };

typedef struct {
    clnorm_recurrent op; /* of few columns, with the kernels under test */
    clnorm_recurrent_args args;
    clnorm_recurrent_call call;
    clnorm_test_cell cell;
    struct {
        uint64_t count;
        float *host;
        cl_mem buffer;
    } mems[MEMS];
    clnorm_finding finding;
} trial;

/* ---- tensors ------------------------------------------------------------------------------- */

/* Those that a step's kernel has. */
static bool is_given(const trial *t, clnorm_recurrent_id id, uint64_t *count)
{
    const clnorm_recurrent_use use =
        clnorm_recurrent_use_of(&t->op.desc, t->call.direction, id, STEPS, BATCH);
    const bool of_products = id == RECURRENT_x || id == RECURRENT_w_x || id == RECURRENT_w_h ||
                             id == RECURRENT_dx || id >= RECURRENT_dw_x;
    *count = use.rows * use.cols;
    return use.role != CLNORM_UNUSED && !of_products;
}

static clnorm_tensor *tensor_of(trial *t, clnorm_recurrent_id id)
{
    return (clnorm_tensor *)(uintptr_t)clnorm_recurrent_tensor(&t->args, id);
}

/* On the host. */
static float *tensor_at(trial *t, clnorm_recurrent_id id)
{
    return t->mems[MEM_TENSORS].host + tensor_of(t, id)->offset;
}

static float *region_at(trial *t, clnorm_region region)
{
    const int mem = region < FORWARD_LENGTHS ? MEM_SAVED : MEM_WORKSPACE;
    return t->mems[mem].host + t->call.regions.at[region] / sizeof(float);
}

static void fill(float *to, int id, uint64_t rows, uint64_t cols)
{
    for (uint64_t i = 0; i < rows * cols; i++)
        to[i] = (float)clnorm_test_cell_value(id, i / cols, i % cols);
}

static void fill_tensors(trial *t)
{
    uint64_t count;
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_id id = (clnorm_recurrent_id)i;
        const clnorm_recurrent_use use =
            clnorm_recurrent_use_of(&t->op.desc, t->call.direction, id, STEPS, BATCH);
        if (is_given(t, id, &count) && use.role == CLNORM_INPUT)
            fill(tensor_at(t, id), id, use.rows, use.cols);
    }
}

/* Statistics that a kernel saves of a row. */
static unsigned statistics_of(const clnorm_recurrent *op)
{
    return (op->summed ? 1 : 2) * op->bundles.count +
           (op->desc.norm && op->desc.cell == CLNORM_LSTM);
}

static float *statistic_at(trial *t, unsigned k, unsigned which, uint64_t row)
{
    return region_at(t, SAVED_STATISTICS) + (2 * k + which) * t->call.rows + row;
}

/* What forward leaves for backward. */
static void fill_states(trial *t, uint64_t row)
{
    const uint64_t at = row * HIDDEN;
    clnorm_test_cell_run(&t->cell, row);
    for (uint64_t i = 0; i < HIDDEN; i++) {
        tensor_at(t, RECURRENT_y)[at + i] = is_live(row) ? (float)t->cell.h[i] : 0;
        if (t->op.desc.cell == CLNORM_LSTM)
            region_at(t, SAVED_C)[at + i] = is_live(row) ? (float)t->cell.c[i] : 0;
    }
    for (unsigned k = 0; k < statistics_of(&t->op); k++)
        for (unsigned which = 0; which < 2; which++)
            *statistic_at(t, k, which, row) = is_live(row) ? (float)t->cell.stats[k][which] : 0;
}

static void fill_inputs(trial *t)
{
    const clnorm_recurrent *op = &t->op;
    const uint64_t all = op->gates * HIDDEN;
    const bool forward = t->call.direction == CLNORM_FORWARD;
    fill_tensors(t);
    fill(region_at(t, op->summed ? SAVED_X : SAVED_H), CLNORM_TEST_U, BATCH, all);
    if (!op->summed)
        fill(region_at(t, SAVED_X), CLNORM_TEST_V, BATCH, all);
    memcpy(region_at(t, forward ? FORWARD_LENGTHS : BACKWARD_LENGTHS), lengths, sizeof(lengths));
    if (forward)
        return;
    fill(region_at(t, BACKWARD_DH), CLNORM_TEST_DH, BATCH, HIDDEN);
    if (op->desc.cell == CLNORM_LSTM)
        fill(region_at(t, BACKWARD_DC), CLNORM_TEST_DC, BATCH, HIDDEN);
    for (uint64_t row = 0; row < BATCH; row++)
        fill_states(t, row);
}

/* ---- comparison ---------------------------------------------------------------------------- */

/* Coarse: this is about kernels that are broken, not about the last digit. */
static const double relative = 1e-4;

static void expect(trial *t, const char *what, uint64_t row, uint64_t i, double got, double wanted,
                   double allowed)
{
    if (fabs(got - wanted) <= allowed || t->finding.trial == CLNORM_DISABLED) /* not so for NaN */
        return;
    t->finding.trial = CLNORM_DISABLED;
    snprintf(t->finding.text, sizeof(t->finding.text),
             "%s[%llu, %llu] is %.6g where %.6g +- %.2g is right, of %d columns", what,
             (unsigned long long)row, (unsigned long long)i, got, wanted, allowed, HIDDEN);
}

static void expect_value(trial *t, const char *what, uint64_t row, uint64_t i, double got,
                         double wanted)
{
    expect(t, what, row, i, got, wanted, relative * (1 + fabs(wanted)));
}

static void expect_states(trial *t, uint64_t row)
{
    const bool live = is_live(row), lstm = t->op.desc.cell == CLNORM_LSTM;
    for (uint64_t i = 0; i < HIDDEN; i++) {
        const uint64_t at = row * HIDDEN + i;
        const double h = t->cell.h[i], c = t->cell.c[i];
        expect_value(t, "y", row, i, tensor_at(t, RECURRENT_y)[at], live ? h : 0);
        if (lstm)
            expect_value(t, "c", row, i, region_at(t, SAVED_C)[at], live ? c : 0);
        if (is_last(row))
            expect_value(t, "h_n", row, i, tensor_at(t, RECURRENT_h_n)[at],
                         live ? h : clnorm_test_cell_value(RECURRENT_h0, row, i));
        if (is_last(row) && lstm)
            expect_value(t, "c_n", row, i, tensor_at(t, RECURRENT_c_n)[at],
                         live ? c : clnorm_test_cell_value(RECURRENT_c0, row, i));
    }
}

/* Projections of a row whose length is over become 0. */
static void expect_saved(trial *t, uint64_t row)
{
    const uint64_t all = t->op.gates * HIDDEN;
    for (unsigned k = 0; k < statistics_of(&t->op); k++)
        for (unsigned which = 0; which < 2; which++)
            expect_value(t, which ? "rstd" : "mean", row, k, *statistic_at(t, k, which, row),
                         is_live(row) ? t->cell.stats[k][which] : 0);
    for (uint64_t i = 0; i < all && t->op.desc.norm && !is_live(row); i++) {
        expect_value(t, "x w_x", row, i, region_at(t, SAVED_X)[row * all + i], 0);
        if (!t->op.summed)
            expect_value(t, "h w_h", row, i, region_at(t, SAVED_H)[row * all + i], 0);
    }
}

/* Along a direction: one sum for each row. */
static void expect_gradient(trial *t, const char *what, clnorm_cell_part part, const float *got,
                            uint64_t cols, uint64_t row, double wanted)
{
    double sum = 0, size = 0;
    for (uint64_t i = 0; i < cols; i++) {
        const double term = (double)got[row * cols + i] * clnorm_test_cell_direction(i);
        sum += term;
        size += fabs(term);
    }
    if (is_live(row))
        wanted = clnorm_test_cell_slope(&t->cell, row, is_last(row), part);
    expect(t, what, row, 0, sum, wanted, relative * (size + fabs(wanted)) / 8 + 1e-6);
}

/* Of an initial state: a row of length 0 gets those of its last one. */
static void expect_initial(trial *t, clnorm_recurrent_id id, clnorm_recurrent_id last,
                           clnorm_cell_part part, uint64_t row)
{
    double wanted = 0;
    for (uint64_t i = 0; i < HIDDEN; i++)
        wanted += clnorm_test_cell_value(last, row, i) * clnorm_test_cell_direction(i);
    expect_gradient(t, clnorm_recurrent_tensor_name(id), part, tensor_at(t, id), HIDDEN, row,
                    wanted);
}

static void expect_gradients(trial *t, uint64_t row)
{
    const clnorm_recurrent *op = &t->op;
    const bool norm = op->desc.norm, gru = op->desc.cell == CLNORM_GRU;
    const bool lstm = op->desc.cell == CLNORM_LSTM;
    const struct {
        const char *name;
        bool used;
        clnorm_region region;
        clnorm_cell_part part;
        uint64_t cols;
    } gradients[] = {
        {"dp", norm || gru, BACKWARD_DP, PART_P, op->gates * HIDDEN},
        {"dn", norm && gru, BACKWARD_DN, PART_N, HIDDEN},
        {"du", true, BACKWARD_DU, PART_U, op->gates * HIDDEN},
        {"dq", norm && lstm, BACKWARD_DQ, PART_Q, HIDDEN},
    };
    for (size_t i = 0; i < sizeof(gradients) / sizeof(gradients[0]); i++)
        if (gradients[i].used)
            expect_gradient(t, gradients[i].name, gradients[i].part,
                            region_at(t, gradients[i].region), gradients[i].cols, row, 0);
    expect_initial(t, RECURRENT_dh0, RECURRENT_dh_n, PART_H, row);
    if (lstm)
        expect_initial(t, RECURRENT_dc0, RECURRENT_dc_n, PART_C, row);
}

static void compare(trial *t)
{
    t->finding.trial = CLNORM_TRUSTED;
    for (uint64_t row = 0; row < BATCH; row++) {
        if (t->call.direction == CLNORM_BACKWARD) {
            expect_gradients(t, row);
            continue;
        }
        clnorm_test_cell_run(&t->cell, row);
        expect_states(t, row);
        expect_saved(t, row);
    }
}

/* ---- the trial ----------------------------------------------------------------------------- */

static clnorm_status upload(trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    cl_int code;
    for (int i = 0; i < MEMS; i++) {
        t->mems[i].buffer =
            clCreateBuffer(t->op.context->cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR,
                           (size_t)t->mems[i].count * sizeof(float), t->mems[i].host, &code);
        TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    }
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        uint64_t count;
        if (is_given(t, (clnorm_recurrent_id)i, &count))
            tensor_of(t, (clnorm_recurrent_id)i)->buffer = t->mems[MEM_TENSORS].buffer;
    }
    t->args.saved.buffer = t->mems[MEM_SAVED].buffer;
    t->args.workspace.buffer = t->mems[MEM_WORKSPACE].buffer;
fail:
    return status;
}

static clnorm_status download(trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int i = 0; i < MEMS; i++)
        TRY_CL(clEnqueueReadBuffer(t->call.queue, t->mems[i].buffer, CL_TRUE, 0,
                                   (size_t)t->mems[i].count * sizeof(float), t->mems[i].host, 0,
                                   NULL, NULL));
fail:
    return status;
}

/* All of it NaN. */
static clnorm_status allocate(trial *t, clnorm_error *error)
{
    bool ok = clnorm_test_cell_make(&t->op, &t->cell);
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        uint64_t count;
        const clnorm_recurrent_id id = (clnorm_recurrent_id)i;
        if (!is_given(t, id, &count))
            continue;
        tensor_of(t, id)->offset = t->mems[MEM_TENSORS].count;
        t->mems[MEM_TENSORS].count += count;
    }
    t->mems[MEM_SAVED].count = t->call.regions.bytes[HOME_SAVED] / sizeof(float);
    t->mems[MEM_WORKSPACE].count =
        t->call.regions.bytes[t->call.direction == CLNORM_FORWARD ? HOME_FORWARD : HOME_BACKWARD] /
        sizeof(float);
    for (int i = 0; i < MEMS && ok; i++) {
        const size_t bytes = (size_t)t->mems[i].count * sizeof(float);
        t->mems[i].host = malloc(bytes);
        ok = t->mems[i].host != NULL;
        if (ok)
            memset(t->mems[i].host, 0xff, bytes);
    }
    return ok ? CLNORM_OK
              : clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a self-test");
}

/* The op's kernels, and no norms: nothing but the step is run. */
static void make_op(trial *t, const clnorm_recurrent *op)
{
    t->op = *op;
    t->op.desc.features = 1;
    t->op.desc.hidden = HIDDEN;
    t->op.desc.eps = test_eps;
    t->op.lock = (clnorm_lock)CLNORM_LOCK_INIT;
    memset(t->op.norms, 0, sizeof(t->op.norms));
}

static clnorm_status prepare(trial *t, const clnorm_recurrent *op, clnorm_direction direction,
                             clnorm_error *error)
{
    clnorm_status status;
    cl_int code;
    make_op(t, op);
    t->args = (clnorm_recurrent_args)CLNORM_RECURRENT_ARGS_INIT;
    t->call = (clnorm_recurrent_call){.op = &t->op,
                                      .direction = direction,
                                      .in_order = true,
                                      .steps = STEPS,
                                      .batch = BATCH,
                                      .rows = STEPS * BATCH,
                                      .args = &t->args,
                                      .lengths = lengths};
    TRY(clnorm_recurrent_find_regions(&t->op, STEPS, BATCH, &t->call.regions, error));
    TRY(allocate(t, error));
    fill_inputs(t);
    TRY(upload(t, error));
    t->call.queue = clCreateCommandQueue(op->context->cl, op->context->device.device_id, 0, &code);
    TRY(clnorm_cl_check(code, "clCreateCommandQueue", error));
fail:
    return status;
}

static clnorm_status run(trial *t, clnorm_error *error)
{
    clnorm_status status;
    TRY((t->call.direction == CLNORM_FORWARD ? clnorm_recurrent_step_forward
                                             : clnorm_recurrent_step_backward)(&t->call, 0, error));
    TRY(download(t, error));
    compare(t);
fail:
    return status;
}

static void release(trial *t)
{
    if (t->call.queue) {
        clFinish(t->call.queue);
        clReleaseCommandQueue(t->call.queue);
    }
    for (int i = 0; i < MEMS; i++) {
        if (t->mems[i].buffer)
            clReleaseMemObject(t->mems[i].buffer);
        free(t->mems[i].host);
    }
    clnorm_test_cell_free(&t->cell);
    free(t);
}

static clnorm_finding test(const clnorm_recurrent *op, clnorm_direction direction)
{
    clnorm_error error = {.text = ""};
    clnorm_finding finding = {CLNORM_UNTRIED, "no host memory for a self-test"};
    trial *t = calloc(1, sizeof(*t));
    if (!t)
        return finding;
    const bool prepared = prepare(t, op, direction, &error) == CLNORM_OK;
    const bool failed = prepared && run(t, &error) != CLNORM_OK;
    finding = prepared && !failed ? t->finding : clnorm_finding_of(&error, failed);
    release(t);
    return finding;
}

static clnorm_finding test_forward(const void *op) { return test(op, CLNORM_FORWARD); }
static clnorm_finding test_backward(const void *op) { return test(op, CLNORM_BACKWARD); }

bool clnorm_recurrent_passes(const clnorm_recurrent *op)
{
    static const struct {
        clnorm_cell_kernel id;
        const char *name;
        clnorm_test_fn test;
    } steps[] = {{CELL_FORWARD, "forward", test_forward},
                 {CELL_BACKWARD, "backward", test_backward}};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        char name[64];
        snprintf(name, sizeof(name), "a step of %s%s%s, %s",
                 clnorm_recurrent_cell_name(op->desc.cell), op->desc.norm ? "" : " without norm",
                 op->desc.norm_gates ? ", norm_gates" : "", steps[i].name);
        const clnorm_candidate candidate = {name, &op->geometry, op->programs[steps[i].id]};
        if (!clnorm_self_test_trusts(op->context, &candidate, steps[i].test, op))
            return false;
    }
    return true;
}
