/* SPDX-License-Identifier: MIT */
/* The reference's backward pass against differences of its forward pass, in f64: every operator and
 * every switch. A device is compared with the reference, so a wrong formula here would be believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "family.h"

#define SEED 41
#define TOLERANCE 1e-6 /* relative to the largest gradient of the tensor */

typedef struct {
    const char *name;
    uint64_t rows;
    clnorm_desc desc;
} gradient_case;

#define CASE(name, rows, cols_, ...)                                                               \
    {                                                                                              \
        name, rows, { .cols = cols_, __VA_ARGS__ }                                                 \
    }
#define ALL_INPUTS (CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS | CLNORM_WITH_GATE)
#define OUTSIDE .eps_mode = CLNORM_EPS_OUTSIDE
#define CLAMP .eps_mode = CLNORM_EPS_CLAMP
#define BATCH .kind = CLNORM_BATCH_NORM
#define GROUP .kind = CLNORM_GROUP_NORM
#define RMS .kind = CLNORM_RMS_NORM
#define LP .kind = CLNORM_LP_NORM
#define GIVEN .stats = CLNORM_STATS_GIVEN

static const gradient_case cases[] = {
    CASE("layer", 3, 7, .eps = 1e-5),
    CASE("layer, one column", 3, 1, .eps = 0.1),
    CASE("layer, ddof", 3, 7, .eps = 0.3, .ddof = 1),
    CASE("layer, outside", 3, 7, .eps = 0.3, OUTSIDE),
    CASE("layer, outside, ddof", 3, 7, .eps = 0.3, OUTSIDE, .ddof = 1),
    CASE("layer, clamp", 3, 7, .eps = 0.3, CLAMP),
    CASE("layer, clamp holds", 3, 7, .eps = 9, CLAMP),
    CASE("layer, center only", 3, 7, .eps = 0.3, .center_only = 1),
    CASE("layer, groups", 3, 12, .eps = 0.3, .groups = 3),
    CASE("layer, given", 3, 7, GIVEN),
    CASE("layer, given, groups", 3, 12, GIVEN, .groups = 2),
    CASE("layer, offset", 3, 7, .eps = 0.3, .weight_offset = 1),
    CASE("layer, cast first", 3, 7, .eps = 0.3, .cast = CLNORM_CAST_FIRST),
    CASE("layer, from output", 3, 7, .eps = 0.3, .backward = CLNORM_FROM_OUTPUT),
    CASE("layer, from output, outside", 3, 7, .eps = 0.3, OUTSIDE, .backward = CLNORM_FROM_OUTPUT),
    CASE("layer, from output, ddof", 3, 7, .eps = 0.3, .ddof = 1, .backward = CLNORM_FROM_OUTPUT),
    CASE("layer, from output, clamp", 3, 7, .eps = 9, CLAMP, .backward = CLNORM_FROM_OUTPUT),
    CASE("layer, sum", 5, 7, .eps = 0.3, .inputs = ALL_INPUTS, .alpha = 1.7, .rows_per_mod = 2),
    CASE("layer, exact sum", 5, 7, .eps = 0.3, .inputs = CLNORM_WITH_RESIDUAL, .alpha = -0.7,
         .contract = CLNORM_SUM_EXACT),
    CASE("layer, dropout", 5, 9, .eps = 0.3, .inputs = ALL_INPUTS, .dropout = 0.4),
    CASE("layer, all dropped", 2, 9, .eps = 0.3, .inputs = ALL_INPUTS, .dropout = 1),
    CASE("layer, modulated", 5, 7, .eps = 0.3, .inputs = CLNORM_WITH_MODULATION, .rows_per_mod = 2,
         .scale_offset = 1),
    CASE("layer, modulated by one", 5, 7, .eps = 0.3, .inputs = ALL_INPUTS | CLNORM_WITH_MODULATION,
         .scale_offset = 0.5),
    CASE("layer, gate after", 3, 7, .eps = 0.3, .act_gate = CLNORM_ACT_AFTER,
         .inputs = CLNORM_WITH_MODULATION, .scale_offset = 1),
    CASE("layer, gate before", 3, 7, .eps = 0.3, .act_gate = CLNORM_ACT_BEFORE),
    CASE("rms", 3, 7, RMS, .eps = 1e-5),
    CASE("rms, outside", 3, 7, RMS, .eps = 0.3, OUTSIDE),
    CASE("rms, clamp", 3, 7, RMS, .eps = 0.3, CLAMP),
    CASE("rms, partial", 3, 9, RMS, .eps = 0.3, .stats_cols = 4),
    CASE("rms, partial, outside", 3, 9, RMS, .eps = 0.3, OUTSIDE, .stats_cols = 4),
    CASE("rms, groups", 3, 12, RMS, .eps = 0.3, .groups = 4, .weight_offset = 1),
    CASE("rms, given", 3, 7, RMS, GIVEN),
    CASE("rms, gate after", 3, 12, RMS, .eps = 0.3, .act_gate = CLNORM_ACT_AFTER, .groups = 2),
    CASE("rms, gate before", 3, 12, RMS, .eps = 0.3, .act_gate = CLNORM_ACT_BEFORE, .groups = 2),
    CASE("rms, sum", 5, 7, RMS, .eps = 0.3, .inputs = ALL_INPUTS, .dropout = 0.2),
    CASE("rms, from output", 3, 7, RMS, .eps = 0.3, .backward = CLNORM_FROM_OUTPUT),
    CASE("group", 2, 24, GROUP, .eps = 0.3, .channels = 6, .groups = 2),
    CASE("group, last", 2, 24, GROUP, .eps = 0.3, .channels = 6, .groups = 2,
         .layout = CLNORM_NHWC),
    CASE("group, outside, ddof", 2, 24, GROUP, .eps = 0.3, OUTSIDE, .ddof = 1, .channels = 6,
         .groups = 3),
    CASE("group, given", 2, 24, GROUP, GIVEN, .channels = 6, .groups = 2),
    CASE("instance", 2, 15, .kind = CLNORM_INSTANCE_NORM, .eps = 0.3, .channels = 3),
    CASE("instance, last", 2, 15, .kind = CLNORM_INSTANCE_NORM, .eps = 0.3, .channels = 3,
         .layout = CLNORM_NHWC),
    CASE("batch", 4, 6, BATCH, .eps = 0.3, .channels = 3, .momentum = 0.1),
    CASE("batch, last", 4, 6, BATCH, .eps = 0.3, .channels = 3, .layout = CLNORM_NHWC),
    CASE("batch, flat", 4, 5, BATCH, .eps = 0.3, .channels = 5),
    CASE("batch, running", 4, 6, BATCH, .eps = 0.3, .channels = 3, .stats = CLNORM_STATS_RUNNING),
    CASE("batch, given", 4, 6, BATCH, GIVEN, .channels = 3),
    CASE("lp 2", 3, 7, LP, .p = 2),
    CASE("lp 2, inside", 3, 7, LP, .p = 2, .eps = 0.3),
    CASE("lp 2, outside", 3, 7, LP, .p = 2, .eps = 0.3, OUTSIDE),
    CASE("lp 2, clamp", 3, 7, LP, .p = 2, .eps = 0.3, CLAMP),
    CASE("lp 2, clamp holds", 3, 7, LP, .p = 2, .eps = 99, CLAMP),
    CASE("lp 1", 3, 7, LP, .p = 1, .eps = 0.3, OUTSIDE),
    CASE("lp 1, clamp", 3, 7, LP, .p = 1, .eps = 0.3, CLAMP),
    CASE("lp 3", 3, 7, LP, .p = 3),
    CASE("lp 3, outside", 3, 7, LP, .p = 3, .eps = 0.3, OUTSIDE),
    CASE("lp 1.5", 3, 7, LP, .p = 1.5, .eps = 0.3, OUTSIDE),
    CASE("lp 7.5, clamp", 3, 7, LP, .p = 7.5, .eps = 0.3, CLAMP),
    CASE("weight norm", 3, 7, .kind = CLNORM_WEIGHT_NORM),
    CASE("weight norm, clamp", 3, 7, .kind = CLNORM_WEIGHT_NORM, .eps = 0.3, CLAMP),
    CASE("weight norm, inside", 3, 7, .kind = CLNORM_WEIGHT_NORM, .eps = 0.3, .weight_offset = 1),
    CASE("mvn", 3, 7, .kind = CLNORM_MVN, .eps = 0.3, OUTSIDE),
    CASE("mvn, center only", 3, 7, .kind = CLNORM_MVN, .center_only = 1),
    CASE("mvn, channels", 3, 8, .kind = CLNORM_MVN, .eps = 0.3, .channels = 2, OUTSIDE),
};

static clnorm_desc desc_of(const gradient_case *c)
{
    clnorm_desc desc = c->desc;
    desc.struct_size = sizeof(desc);
    desc.x_dtype = desc.y_dtype = desc.param_dtype = desc.residual_dtype = CLNORM_F64;
    desc.dy_dtype = desc.dx_dtype = desc.dparam_dtype = CLNORM_F64;
    desc.p = desc.p > 0 ? desc.p : 2;
    desc.alpha = desc.alpha != 0 ? desc.alpha : 1;
    return desc;
}

static const clnorm_tensor_id pairs[][2] = {
    {TENSOR_x, TENSOR_dx},         {TENSOR_residual, TENSOR_dresidual},
    {TENSOR_z, TENSOR_dz},         {TENSOR_x_bias, TENSOR_dx_bias},
    {TENSOR_gate, TENSOR_dgate},   {TENSOR_weight, TENSOR_dweight},
    {TENSOR_bias, TENSOR_dbias},   {TENSOR_scale, TENSOR_dscale},
    {TENSOR_shift, TENSOR_dshift}, {TENSOR_mean, TENSOR_dmean},
    {TENSOR_rstd, TENSOR_drstd},
};

static double inner(const double *a, const double *b, uint64_t n)
{
    long double sum = 0;
    for (uint64_t i = 0; a && b && i < n; i++)
        sum += (long double)a[i] * b[i];
    return (double)sum;
}

/* What the gradients belong to: <dy, y> + <dsum, sum>. */
static double loss(family *f)
{
    family_run(f, CLNORM_FORWARD);
    const uint64_t n = f->rows * f->desc.cols;
    const bool summed = f->out[CLNORM_FORWARD][TENSOR_sum] != NULL;
    const double *sum = summed ? f->out[CLNORM_FORWARD][TENSOR_sum] : f->in[TENSOR_x];
    return inner(f->in[TENSOR_dy], f->out[CLNORM_FORWARD][TENSOR_y], n) +
           inner(f->in[TENSOR_dsum], sum, n);
}

/* Where s = x * SiLU(z) nobody sees the sum; elsewhere it is x, or an output. */
static void drop_dsum(family *f)
{
    if (f->desc.act_gate != CLNORM_ACT_BEFORE)
        return;
    free(f->in[TENSOR_dsum]);
    f->in[TENSOR_dsum] = NULL;
}

/* Fourth order: the error is about h^4. */
static double difference(family *f, double *const *places, const double *steps, size_t n)
{
    static const double at[] = {-2, -1, 1, 2}, factor[] = {1, -8, 8, -1};
    const double h = 1e-3;
    double sum = 0;
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < n; i++)
            *places[i] += at[k] * h * steps[i];
        sum += factor[k] * loss(f);
        for (size_t i = 0; i < n; i++)
            *places[i] -= at[k] * h * steps[i];
    }
    return sum / (12 * h);
}

static void expect_gradient(family *f, const gradient_case *c, const clnorm_tensor_id *pair)
{
    const clnorm_tensor_use use = family_use(f, CLNORM_BACKWARD, pair[1]);
    const uint64_t n = use.rows * use.cols;
    const double *gradient = f->out[CLNORM_BACKWARD][pair[1]];
    double largest = 1e-3, *in = f->in[pair[0]];
    const double step = 1;
    for (uint64_t i = 0; gradient && i < n; i++)
        largest = fmax(largest, fabs(gradient[i]));
    for (uint64_t i = 0; gradient && i < n; i++) {
        double *place = &in[i];
        const double expected = difference(f, &place, &step, 1);
        if (!(fabs(gradient[i] - expected) <= TOLERANCE * largest))
            fail_msg("%s, seed %d, %lu x %lu: %s[%lu] is %.12g, differences give %.12g", c->name,
                     SEED, (unsigned long)c->rows, (unsigned long)c->desc.cols,
                     clnorm_tensor_name(pair[1]), (unsigned long)i, gradient[i], expected);
    }
}

static void test_finite_differences(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        const clnorm_desc desc = desc_of(&cases[k]);
        family f = family_make(&desc, cases[k].rows, SEED + k);
        drop_dsum(&f);
        family_run(&f, CLNORM_FORWARD);
        family_run(&f, CLNORM_BACKWARD);
        for (size_t i = 0; i < COUNT(pairs); i++)
            expect_gradient(&f, &cases[k], pairs[i]);
        family_free(&f);
    }
}

/* <dy, J d> = <J^T dy, d> for a direction d of all inputs at once, in wider rows. */
static void expect_adjoint(const gradient_case *c, uint64_t seed)
{
    enum { TIMES = 40 };
    clnorm_desc desc = desc_of(c);
    desc.cols *= TIMES;
    desc.stats_cols *= TIMES;
    family f = family_make(&desc, c->rows, seed);
    clnorm_random random = clnorm_random_seed(seed, 1);
    size_t n = 0;
    double through = 0, size = 0, *places[16384], steps[16384];
    drop_dsum(&f);
    family_run(&f, CLNORM_FORWARD);
    family_run(&f, CLNORM_BACKWARD);
    for (size_t k = 0; k < COUNT(pairs); k++) {
        const double *gradient = f.out[CLNORM_BACKWARD][pairs[k][1]];
        const uint64_t count = gradient ? family_count(&f, CLNORM_BACKWARD, pairs[k][1]) : 0;
        for (uint64_t i = 0; i < count; i++, n++) {
            assert_true(n < COUNT(steps));
            places[n] = (double *)f.in[pairs[k][0]] + i;
            steps[n] = 0.1 * clnorm_random_normal(&random);
            through += steps[n] * gradient[i];
            size += fabs(steps[n] * gradient[i]);
        }
    }
    const double along = difference(&f, places, steps, n);
    if (!(fabs(along - through) <= TOLERANCE * size))
        fail_msg("%s, seed %lu, %lu columns: <dy, J d> = %.12g, <J^T dy, d> = %.12g", c->name,
                 (unsigned long)seed, (unsigned long)desc.cols, along, through);
    family_free(&f);
}

static void test_adjoint(void **state)
{
    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++)
        expect_adjoint(&cases[k], SEED + 100 + k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finite_differences),
        cmocka_unit_test(test_adjoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
