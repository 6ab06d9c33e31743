/* SPDX-License-Identifier: MIT */
/* What must hold whatever the numbers are: invariances (arXiv:1607.06450, table 1), identities of
 * x^ and dx, and operators that are special cases of one another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "family.h"

#define SEED 61

static clnorm_desc wide(clnorm_desc desc)
{
    desc.struct_size = sizeof(desc);
    desc.x_dtype = desc.y_dtype = desc.param_dtype = desc.residual_dtype = CLNORM_F64;
    desc.dy_dtype = desc.dx_dtype = desc.dparam_dtype = CLNORM_F64;
    desc.p = desc.p > 0 ? desc.p : 2;
    desc.alpha = 1;
    return desc;
}

/* ---- invariances of norm(W x) ---- */

enum { CASES = 6, INPUTS = 5, UNITS = 7 };

typedef struct {
    double x[CASES][INPUTS], w[UNITS][INPUTS];
} layer;

typedef enum { W_TIMES, W_PLUS, ONE_W_TIMES, X_TIMES, X_PLUS, ONE_X_TIMES, CHANGES } change;

static layer layer_with(int what)
{
    layer l;
    double shift[INPUTS];
    clnorm_random random = clnorm_random_seed(SEED, 1);
    for (int k = 0; k < INPUTS; k++)
        shift[k] = clnorm_random_normal(&random);
    for (int i = 0; i < CASES; i++)
        for (int k = 0; k < INPUTS; k++)
            l.x[i][k] = clnorm_random_normal(&random) *
                            (what == X_TIMES || (what == ONE_X_TIMES && i == 2) ? 3 : 1) +
                        (what == X_PLUS ? shift[k] : 0);
    for (int j = 0; j < UNITS; j++)
        for (int k = 0; k < INPUTS; k++)
            l.w[j][k] = clnorm_random_normal(&random) *
                            (what == W_TIMES || (what == ONE_W_TIMES && j == 1) ? 3 : 1) +
                        (what == W_PLUS ? shift[k] : 0);
    return l;
}

static void normalize(clnorm_kind kind, uint64_t rows, uint64_t cols, const double *x, double *y)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    const clnorm_desc desc = wide((clnorm_desc){
        .kind = kind, .cols = cols, .channels = kind == CLNORM_BATCH_NORM ? cols : 0});
    clnorm_error error;
    args.x.data = x;
    args.y.data = y;
    if (clnorm_reference(&desc, CLNORM_FORWARD, rows, &args, &error) != CLNORM_OK)
        fail_msg("%s", error.text);
}

static void run_layer(clnorm_kind kind, const layer *l, double *y)
{
    double w[UNITS][INPUTS], a[CASES][UNITS] = {{0}};
    memcpy(w, l->w, sizeof(w));
    if (kind == CLNORM_WEIGHT_NORM)
        normalize(kind, UNITS, INPUTS, l->w[0], w[0]);
    for (int i = 0; i < CASES; i++)
        for (int j = 0; j < UNITS; j++)
            for (int k = 0; k < INPUTS; k++)
                a[i][j] += l->x[i][k] * w[j][k];
    if (kind == CLNORM_WEIGHT_NORM)
        memcpy(y, a, sizeof(a));
    else
        normalize(kind, CASES, UNITS, a[0], y);
}

static void test_invariances(void **state)
{
    (void)state;
    static const struct {
        clnorm_kind kind;
        bool same[CHANGES];
    } table[] = {
        {CLNORM_LAYER_NORM, {true, true, false, true, false, true}},
        {CLNORM_RMS_NORM, {true, false, false, true, false, true}},
        {CLNORM_BATCH_NORM, {true, false, true, true, true, false}},
        {CLNORM_WEIGHT_NORM, {true, false, true, false, false, false}},
    };
    for (size_t k = 0; k < COUNT(table) * CHANGES; k++) {
        const layer plain = layer_with(-1), other = layer_with((int)(k % CHANGES));
        double y[CASES * UNITS], changed[CASES * UNITS], most = 0;
        run_layer(table[k / CHANGES].kind, &plain, y);
        run_layer(table[k / CHANGES].kind, &other, changed);
        for (int i = 0; i < CASES * UNITS; i++)
            most = fmax(most, fabs(y[i] - changed[i]));
        if (table[k / CHANGES].same[k % CHANGES] ? most > 1e-12 : most < 1e-2)
            fail_msg("kind %d, change %d, seed %d: y differs by %g", table[k / CHANGES].kind,
                     (int)(k % CHANGES), SEED, most);
    }
}

/* ---- sums over a row ---- */

static void expect_sum(const char *what, double got, double expected)
{
    if (!(fabs(got - expected) <= 1e-12 * (1 + fabs(expected))))
        fail_msg("%s, seed %d: %.17g, expected %.17g", what, SEED, got, expected);
}

static void test_sums_of_rows(void **state)
{
    (void)state;
    enum { ROWS = 4, COLS = 33 };
    const double eps = 0.3;
    for (int kind = CLNORM_LAYER_NORM; kind <= CLNORM_RMS_NORM; kind++) {
        const clnorm_desc desc = wide((clnorm_desc){.kind = kind, .cols = COLS, .eps = eps});
        family f = family_make(&desc, ROWS, SEED);
        const double *x = f.in[TENSOR_x], *w = f.in[TENSOR_weight], *dy = f.in[TENSOR_dy];
        free(f.in[TENSOR_dsum]);
        f.in[TENSOR_dsum] = NULL;
        family_run(&f, CLNORM_FORWARD);
        family_run(&f, CLNORM_BACKWARD);
        for (int row = 0; row < ROWS; row++) {
            const double mean = f.out[0][TENSOR_mean][row], r = f.out[0][TENSOR_rstd][row];
            double sum = 0, squares = 0, sum_dx = 0, dx_x = 0, hx = 0;
            for (int c = row * COLS; c < (row + 1) * COLS; c++) {
                const double normal = (x[c] - mean) * r, dx = f.out[1][TENSOR_dx][c];
                sum += normal;
                squares += normal * normal / COLS;
                sum_dx += dx;
                dx_x += dx * normal;
                hx += dy[c] * w[c % COLS] * normal;
            }
            expect_sum("mean square", squares, 1 - eps * r * r);
            expect_sum("dx x^", dx_x, r * eps * r * r * hx);
            expect_sum("x^", kind == CLNORM_LAYER_NORM ? sum : 0, 0);
            expect_sum("dx", kind == CLNORM_LAYER_NORM ? sum_dx : 0, 0);
        }
        family_free(&f);
    }
}

/* ---- special cases of one another ---- */

/* What both have must be equal, where an optional input that one has not is given to neither. */
static const struct {
    const char *name;
    clnorm_desc special, general;
    clnorm_tensor_id zeros[2]; /* inputs of the general one that are 0 */
} same[] = {
    {"group norm of one channel each",
     {.kind = CLNORM_INSTANCE_NORM, .cols = 12, .channels = 4, .eps = 0.1},
     {.kind = CLNORM_GROUP_NORM, .cols = 12, .channels = 4, .groups = 4, .eps = 0.1},
     {0}},
    {"rms of all columns",
     {.kind = CLNORM_RMS_NORM, .cols = 9, .eps = 0.1},
     {.kind = CLNORM_RMS_NORM, .cols = 9, .stats_cols = 9, .eps = 0.1},
     {0}},
    {"norms of one case",
     {.kind = CLNORM_WEIGHT_NORM, .cols = 9, .eps = 0.1},
     {.kind = CLNORM_LP_NORM, .cols = 9, .eps = 0.1},
     {0}},
    {"mvn",
     {.kind = CLNORM_LAYER_NORM, .cols = 9, .eps = 0.1, .eps_mode = CLNORM_EPS_OUTSIDE},
     {.kind = CLNORM_MVN, .cols = 9, .eps = 0.1, .eps_mode = CLNORM_EPS_OUTSIDE},
     {0}},
    {"modulation by nothing",
     {.cols = 9, .eps = 0.1},
     {.cols = 9, .eps = 0.1, .inputs = CLNORM_WITH_MODULATION, .scale_offset = 1},
     {TENSOR_scale, TENSOR_shift}},
    {"no residual",
     {.cols = 9, .eps = 0.1},
     {.cols = 9, .eps = 0.1, .inputs = CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS},
     {TENSOR_residual, TENSOR_x_bias}},
    {"instances as a batch",
     {.kind = CLNORM_MVN, .cols = 12, .eps = 0.1, .channels = 1},
     {.kind = CLNORM_BATCH_NORM, .cols = 12, .eps = 0.1, .channels = 1},
     {0}},
    {"from the output",
     {.cols = 9, .eps = 0.1, .ddof = 1},
     {.cols = 9, .eps = 0.1, .ddof = 1, .backward = CLNORM_FROM_OUTPUT},
     {0}},
};

static void expect_same(const char *name, const family *a, const family *b, int way, int id)
{
    const uint64_t count = family_count(a, (clnorm_direction)way, id);
    const double *one = a->out[way][id], *other = b->out[way][id];
    for (uint64_t i = 0; one && other && i < count; i++)
        if (!(fabs(one[i] - other[i]) <= 1e-12 * (1 + fabs(one[i]))))
            fail_msg("%s, seed %d: %s[%lu] is %.17g and %.17g", name, SEED,
                     clnorm_tensor_name((clnorm_tensor_id)id), (unsigned long)i, one[i], other[i]);
}

static void drop(family *f, clnorm_tensor_id input)
{
    free(f->in[input]);
    f->in[input] = NULL;
}

static void test_special_cases(void **state)
{
    (void)state;
    static const clnorm_tensor_id optional[] = {TENSOR_weight, TENSOR_bias, TENSOR_dsum};
    for (size_t k = 0; k < COUNT(same); k++) {
        const clnorm_desc special = wide(same[k].special), general = wide(same[k].general);
        family a = family_make(&special, 3, SEED), b = family_make(&general, 3, SEED);
        for (int i = 0; i < 2 && same[k].zeros[i]; i++)
            memset(b.in[same[k].zeros[i]], 0,
                   sizeof(double) * family_count(&b, CLNORM_FORWARD, (int)same[k].zeros[i]));
        for (size_t i = 0; i < COUNT(optional); i++)
            if (!a.in[optional[i]] || !b.in[optional[i]])
                drop(&a, optional[i]), drop(&b, optional[i]);
        for (int way = CLNORM_FORWARD; way <= CLNORM_BACKWARD; way++) {
            family_run(&a, (clnorm_direction)way);
            family_run(&b, (clnorm_direction)way);
            for (int id = 0; id < TENSOR_COUNT; id++)
                expect_same(same[k].name, &a, &b, way, id);
        }
        family_free(&a);
        family_free(&b);
    }
}

/* RMSNorm of a centred row is LayerNorm; so is LayerNorm with the statistics that it would find. */
static void test_statistics_from_elsewhere(void **state)
{
    (void)state;
    enum { ROWS = 3, COLS = 17 };
    const clnorm_desc plain = wide((clnorm_desc){.cols = COLS, .eps = 0.1});
    const clnorm_desc rms = wide((clnorm_desc){.kind = CLNORM_RMS_NORM, .cols = COLS, .eps = 0.1});
    const clnorm_desc given =
        wide((clnorm_desc){.cols = COLS, .eps = 0.1, .stats = CLNORM_STATS_GIVEN});
    family a = family_make(&plain, ROWS, SEED), b = family_make(&rms, ROWS, SEED);
    family c = family_make(&given, ROWS, SEED);
    family_run(&a, CLNORM_FORWARD);
    for (int i = 0; i < ROWS * COLS; i++)
        ((double *)b.in[TENSOR_x])[i] -= a.out[0][TENSOR_mean][i / COLS];
    memcpy(c.in[TENSOR_mean], a.out[0][TENSOR_mean], ROWS * sizeof(double));
    memcpy(c.in[TENSOR_rstd], a.out[0][TENSOR_rstd], ROWS * sizeof(double));
    family_run(&b, CLNORM_FORWARD);
    family_run(&c, CLNORM_FORWARD);
    expect_same("centred", &a, &b, 0, TENSOR_y);
    expect_same("centred", &a, &b, 0, TENSOR_rstd);
    expect_same("given", &a, &c, 0, TENSOR_y);
    family_run(&a, CLNORM_BACKWARD);
    family_run(&c, CLNORM_BACKWARD);
    expect_same("given", &a, &c, 1, TENSOR_dweight);
    family_free(&a);
    family_free(&b);
    family_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_invariances),
        cmocka_unit_test(test_sums_of_rows),
        cmocka_unit_test(test_special_cases),
        cmocka_unit_test(test_statistics_from_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
