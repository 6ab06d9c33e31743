/* SPDX-License-Identifier: MIT */
/* Every tensor of every operator goes through the checker: the reference's own results, rounded to
 * their types and stored with gaps, must pass, and one wrong element must be found at its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "family.h"

#define SEED 51
#define GAP 3 /* elements between rows */
#define DEPTH 10

#define ALL_INPUTS (CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS | CLNORM_WITH_GATE)
#define MIXED .x_dtype = CLNORM_BF16, .param_dtype = CLNORM_F16, .dparam_dtype = CLNORM_F32
#define BYTES(type, how) .y_dtype = CLNORM_##type, .quant = CLNORM_QUANT_##how

static const struct {
    const char *name;
    clnorm_desc desc;
} cases[] = {
    {"plain", {.cols = 300}},
    {"mixed", {.cols = 300, MIXED, .y_dtype = CLNORM_F16}},
    {"groups", {.cols = 300, .groups = 3, .y_dtype = CLNORM_BF16}},
    {"cast first", {.cols = 300, MIXED, .y_dtype = CLNORM_BF16, .cast = CLNORM_CAST_FIRST}},
    {"sum",
     {.cols = 300, MIXED, .inputs = ALL_INPUTS, .alpha = 1.3, .rows_per_mod = 2, .dropout = 0.2}},
    {"exact sum",
     {.cols = 30, MIXED, .inputs = ALL_INPUTS, .alpha = 1.3, .contract = CLNORM_SUM_EXACT}},
    {"modulated", {.cols = 30, .inputs = CLNORM_WITH_MODULATION, .scale_offset = 1, MIXED}},
    {"gate after", {.kind = CLNORM_RMS_NORM, .cols = 30, .act_gate = CLNORM_ACT_AFTER, MIXED}},
    {"gate before", {.kind = CLNORM_RMS_NORM, .cols = 30, .act_gate = CLNORM_ACT_BEFORE}},
    {"partial", {.kind = CLNORM_RMS_NORM, .cols = 300, .stats_cols = 20}},
    {"given", {.cols = 30, .groups = 2, .stats = CLNORM_STATS_GIVEN}},
    {"wide", {.cols = 300, .x_dtype = CLNORM_F64}},
    {"group", {.kind = CLNORM_GROUP_NORM, .cols = 24, .channels = 6, .groups = 2, MIXED}},
    {"group, last",
     {.kind = CLNORM_GROUP_NORM, .cols = 24, .channels = 6, .groups = 2, .layout = CLNORM_NHWC}},
    {"instance", {.kind = CLNORM_INSTANCE_NORM, .cols = 24, .channels = 6}},
    {"batch", {.kind = CLNORM_BATCH_NORM, .cols = 24, .channels = 6, .momentum = 0.1}},
    {"batch, last", {.kind = CLNORM_BATCH_NORM, .cols = 24, .channels = 6, .layout = CLNORM_NHWC}},
    {"running",
     {.kind = CLNORM_BATCH_NORM, .cols = 24, .channels = 6, .stats = CLNORM_STATS_RUNNING}},
    {"lp", {.kind = CLNORM_LP_NORM, .cols = 30, .p = 3, .eps_mode = CLNORM_EPS_OUTSIDE}},
    {"weight norm", {.kind = CLNORM_WEIGHT_NORM, .cols = 30}},
    {"mvn", {.kind = CLNORM_MVN, .cols = 30, .eps_mode = CLNORM_EPS_OUTSIDE}},
    {"i8", {.cols = 300, BYTES(I8, ROW)}},
    {"i8 static", {.cols = 300, BYTES(I8, STATIC)}},
    {"i8 groups", {.cols = 300, BYTES(I8, GROUP), .quant_group = 30}},
    {"i8 asymmetric", {.cols = 300, BYTES(I8, ROW), .quant_asymmetric = 1}},
    {"i8 asymmetric static", {.cols = 300, BYTES(I8, STATIC), .quant_asymmetric = 1}},
    {"i8 asymmetric groups",
     {.cols = 600, BYTES(I8, GROUP), .quant_group = 300, .quant_asymmetric = 1}},
    {"e4m3", {.cols = 300, BYTES(E4M3, ROW)}},
    {"e4m3 groups", {.cols = 600, BYTES(E4M3, GROUP), .quant_group = 300}},
    {"e5m2", {.cols = 300, BYTES(E5M2, ROW)}},
    {"e5m2 static", {.cols = 300, BYTES(E5M2, STATIC)}},
};

static clnorm_desc desc_of(const clnorm_desc *from)
{
    clnorm_desc desc = *from;
    desc.struct_size = sizeof(desc);
    desc.p = desc.p > 0 ? desc.p : 2;
    desc.eps = desc.eps > 0 ? desc.eps : 1e-3;
    desc.alpha = desc.alpha != 0 ? desc.alpha : 1;
    desc.residual_dtype = desc.dy_dtype = desc.dx_dtype = CLNORM_DTYPE_DEFAULT;
    if (desc.dparam_dtype == CLNORM_F32)
        desc.dparam_dtype = CLNORM_DTYPE_DEFAULT;
    if (desc.x_dtype == CLNORM_F64)
        desc.y_dtype = desc.param_dtype = CLNORM_F64;
    return desc;
}

typedef struct {
    family f;
    clnorm_direction way;
    clnorm_host_args args, before;
    void *stored[TENSOR_COUNT], *old[TENSOR_COUNT];
} problem;

/* Codes need the scale as it was stored. */
static double stored_value(const problem *p, int id, uint64_t row, uint64_t col, uint64_t cols)
{
    return p->f.out[p->way][id][row * cols + col];
}

static problem problem_make(const clnorm_desc *desc, clnorm_direction way)
{
    problem p = {.f = family_make(desc, 5, SEED), .way = way};
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (family_use(&p.f, way, id).role == CLNORM_IN_OUT)
            p.f.out[way][id][1] = 3; /* what running statistics were */
    p.before = (clnorm_host_args)CLNORM_HOST_ARGS_INIT;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(&p.f, way, id);
        if (use.role != CLNORM_IN_OUT)
            continue;
        p.old[id] = calloc(use.cols, sizeof(double));
        clnorm_store(use.dtype, p.old[id], 1, 3);
        clnorm_host_array_set(&p.before, (clnorm_tensor_id)id, p.old[id], 0);
    }
    family_run(&p.f, way);
    p.args = family_args(&p.f, way);
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(&p.f, way, id);
        const uint64_t stride = use.cols + (use.has_stride ? GAP : 0);
        if (!p.f.out[way][id])
            continue;
        p.stored[id] = calloc(use.rows * stride + 1, sizeof(double));
        for (uint64_t i = 0; i < use.rows * use.cols; i++)
            clnorm_store(use.dtype, p.stored[id], i / use.cols * stride + i % use.cols,
                         stored_value(&p, id, i / use.cols, i % use.cols, use.cols));
        clnorm_host_array_set(&p.args, (clnorm_tensor_id)id, p.stored[id], stride);
    }
    return p;
}

static void problem_free(problem *p)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        free(p->stored[id]);
        free(p->old[id]);
    }
    family_free(&p->f);
}

static clnorm_verdict verdict_of(const problem *p)
{
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    clnorm_error error;
    if (clnorm_verify(&p->f.asked, p->way, DEPTH, p->f.rows, 0, &p->args, &p->before, &verdict,
                      &error) != CLNORM_OK)
        fail_msg("%s", error.text);
    return verdict;
}

static void fail_at(const char *name, const char *what, const clnorm_verdict *v)
{
    fail_msg("%s, seed %d, %s: %lu wrong of %lu, worst %s[%lu, %lu] is %.9g, expected %.9g within "
             "%.3g",
             name, SEED, what, (unsigned long)v->wrong, (unsigned long)v->compared, v->worst_tensor,
             (unsigned long)v->worst_row, (unsigned long)v->worst_col, v->worst_got,
             v->worst_expected, v->worst_bound);
}

static void test_reference_passes(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(cases) * 2; k++) {
        const clnorm_desc desc = desc_of(&cases[k / 2].desc);
        problem p = problem_make(&desc, (clnorm_direction)(k % 2));
        uint64_t outputs = 0;
        for (int id = 0; id < TENSOR_COUNT; id++)
            outputs += p.stored[id] ? family_count(&p.f, p.way, id) : 0;
        const clnorm_verdict v = verdict_of(&p);
        if (v.wrong != 0 || v.compared != outputs || !(v.max_bound_share <= 1))
            fail_at(cases[k / 2].name, k % 2 ? "backward" : "forward", &v);
        problem_free(&p);
    }
}

/* qsum is compared with the codes as they are, and qscale, qzero say what they mean: a wrong one
 * may show in y too. */
static void expect_found(problem *p, const char *name, int id, uint64_t row, uint64_t col)
{
    const clnorm_tensor_use use = family_use(&p->f, p->way, id);
    const uint64_t stride = use.cols + (use.has_stride ? GAP : 0), at = row * stride + col;
    const double kept = clnorm_load(use.dtype, p->stored[id], at);
    const double step = use.dtype == CLNORM_I8 || use.dtype == CLNORM_I32 ? 2 : 0.1 + fabs(kept);
    clnorm_store(use.dtype, p->stored[id], at, kept > 0 ? kept - step : kept + step);
    const clnorm_verdict v = verdict_of(p);
    const bool scales = id == TENSOR_qscale || id == TENSOR_qzero || use.dtype == CLNORM_I8;
    if (v.wrong < 1 || (!scales && v.wrong != 1))
        fail_at(name, clnorm_tensor_name((clnorm_tensor_id)id), &v);
    if (!scales)
        assert_string_equal(v.worst_tensor, clnorm_tensor_name((clnorm_tensor_id)id));
    clnorm_store(use.dtype, p->stored[id], at, kept);
}

static void test_one_wrong_element_is_found(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(cases) * 2; k++) {
        const clnorm_desc desc = desc_of(&cases[k / 2].desc);
        problem p = problem_make(&desc, (clnorm_direction)(k % 2));
        for (int id = 0; id < TENSOR_COUNT; id++) {
            const clnorm_tensor_use use = family_use(&p.f, p.way, id);
            /* codes that are at the end of their range may not notice a step beyond it */
            for (uint64_t n = 0; p.stored[id] && n < 3; n++)
                expect_found(&p, cases[k / 2].name, id, n * (use.rows - 1) / 2,
                             n * (use.cols - 1) / 2);
        }
        problem_free(&p);
    }
}

/* Results of one descriptor are not those of another one that a kernel may take it for. */
static const struct {
    const char *name;
    clnorm_desc right, wrong;
    int backward; /* 1: shows there too */
} confusions[] = {
#define NORM .cols = 40, .eps = 0.1
    {"eps", {NORM}, {.cols = 40, .eps = 0.10001}, 1},
    {"outside", {NORM}, {NORM, .eps_mode = CLNORM_EPS_OUTSIDE}, 1},
    {"clamp", {NORM}, {NORM, .eps_mode = CLNORM_EPS_CLAMP}, 1},
    {"ddof", {NORM}, {NORM, .ddof = 1}, 1},
    {"centring", {NORM}, {NORM, .kind = CLNORM_RMS_NORM}, 1},
    {"offset", {NORM}, {NORM, .weight_offset = 1e-4}, 1},
    {"groups", {NORM}, {NORM, .groups = 2}, 1},
    {"partial",
     {NORM, .kind = CLNORM_RMS_NORM},
     {NORM, .kind = CLNORM_RMS_NORM, .stats_cols = 39},
     1},
    {"alpha",
     {NORM, .inputs = CLNORM_WITH_RESIDUAL, .alpha = 1},
     {NORM, .inputs = CLNORM_WITH_RESIDUAL, .alpha = 1.0001},
     1},
    {"contract",
     {NORM, MIXED, .y_dtype = CLNORM_F16, .inputs = CLNORM_WITH_RESIDUAL},
     {NORM, MIXED, .y_dtype = CLNORM_F16, .inputs = CLNORM_WITH_RESIDUAL,
      .contract = CLNORM_SUM_EXACT},
     0},
    {"probability", {NORM, .dropout = 0.5}, {NORM, .dropout = 0.501}, 1},
    {"scale offset",
     {NORM, .inputs = CLNORM_WITH_MODULATION, .scale_offset = 1},
     {NORM, .inputs = CLNORM_WITH_MODULATION, .scale_offset = 1.0001},
     1},
    {"rows of a mod",
     {NORM, .inputs = CLNORM_WITH_MODULATION, .rows_per_mod = 4},
     {NORM, .inputs = CLNORM_WITH_MODULATION, .rows_per_mod = 3},
     1},
    {"gate",
     {NORM, .kind = CLNORM_RMS_NORM, .act_gate = CLNORM_ACT_AFTER},
     {NORM, .kind = CLNORM_RMS_NORM, .act_gate = CLNORM_ACT_BEFORE},
     1},
    {"cast",
     {NORM, .y_dtype = CLNORM_BF16},
     {NORM, .y_dtype = CLNORM_BF16, .cast = CLNORM_CAST_FIRST},
     0},
    {"layout",
     {NORM, .kind = CLNORM_GROUP_NORM, .channels = 8, .groups = 2},
     {NORM, .kind = CLNORM_GROUP_NORM, .channels = 8, .groups = 2, .layout = CLNORM_NHWC},
     1},
    {"batch",
     {NORM, .kind = CLNORM_BATCH_NORM, .channels = 8},
     {NORM, .kind = CLNORM_BATCH_NORM, .channels = 8, .layout = CLNORM_NHWC},
     1},
    {"momentum",
     {NORM, .kind = CLNORM_BATCH_NORM, .channels = 8, .momentum = 0.1},
     {NORM, .kind = CLNORM_BATCH_NORM, .channels = 8, .momentum = 0.9},
     0},
    {"biased",
     {NORM, .kind = CLNORM_BATCH_NORM, .channels = 8, .momentum = 0.1},
     {NORM, .kind = CLNORM_BATCH_NORM, .channels = 8, .momentum = 0.1, .running_biased = 1},
     0},
    {"p",
     {NORM, .kind = CLNORM_LP_NORM, .p = 1, .eps_mode = CLNORM_EPS_CLAMP},
     {NORM, .kind = CLNORM_LP_NORM, .p = 2, .eps_mode = CLNORM_EPS_CLAMP},
     1},
    {"least scale", {NORM, BYTES(I8, ROW)}, {NORM, BYTES(I8, ROW), .qscale_min = 0.5}, 0},
    {"largest scale", {NORM, BYTES(E4M3, ROW)}, {NORM, BYTES(E4M3, ROW), .qscale_max = 1e-3}, 0},
};

static void test_confusions_are_found(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(confusions) * 2; k++) {
        const clnorm_desc right = desc_of(&confusions[k / 2].right);
        clnorm_verdict v = CLNORM_VERDICT_INIT;
        if (k % 2 && !confusions[k / 2].backward)
            continue;
        problem p = problem_make(&right, (clnorm_direction)(k % 2));
        assert_int_equal(verdict_of(&p).wrong, 0);
        p.f.asked = desc_of(&confusions[k / 2].wrong);
        v = verdict_of(&p);
        if (v.wrong == 0)
            fail_at(confusions[k / 2].name, k % 2 ? "backward" : "forward", &v);
        problem_free(&p);
    }
}

static void test_another_mask_is_found(void **state)
{
    (void)state;
    const clnorm_desc base = {.cols = 40, .dropout = 0.5};
    const clnorm_desc desc = desc_of(&base);
    for (int way = CLNORM_FORWARD; way <= CLNORM_BACKWARD; way++) {
        problem p = problem_make(&desc, (clnorm_direction)way);
        p.args.seed++;
        assert_true(verdict_of(&p).wrong > 0);
        p.args.seed--;
        p.args.first_row++;
        assert_true(verdict_of(&p).wrong > 0);
        p.args.first_row--;
        assert_int_equal(verdict_of(&p).wrong, 0);
        problem_free(&p);
    }
}

static void test_another_zero_point_is_found(void **state)
{
    (void)state;
    const clnorm_desc base = {.cols = 40, BYTES(I8, STATIC), .quant_asymmetric = 1};
    const clnorm_desc desc = desc_of(&base);
    problem p = problem_make(&desc, CLNORM_FORWARD);
    int8_t *const zero = p.f.in[TENSOR_qzero];
    zero[0]++;
    assert_true(verdict_of(&p).wrong > 0);
    zero[0]--;
    assert_int_equal(verdict_of(&p).wrong, 0);
    problem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_passes),
        cmocka_unit_test(test_one_wrong_element_is_found),
        cmocka_unit_test(test_confusions_are_found),
        cmocka_unit_test(test_another_mask_is_found),
        cmocka_unit_test(test_another_zero_point_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
