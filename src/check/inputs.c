/* SPDX-License-Identifier: MIT */
#include "check/inputs.h"

#include "base/dtype.h"
#include "base/random.h"

#include <math.h>
#include <string.h>

/* A row while it is made. */
typedef struct {
    clnorm_random random;
    clnorm_dtype dtype;
    uint64_t index, cols;
    double parameter;
    int special; /* this row gets what its kind has in one row only */
    double center, scale; /* for the rule's own use */
    uint64_t chosen; /* column */
    double previous;
} input_row;

/* begin draws what a row has in common, value gives the columns in order. */
typedef struct clnorm_input_rule {
    void (*begin)(input_row *row);
    double (*value)(input_row *row, uint64_t col);
} clnorm_input_rule;

static void begin_normal(input_row *row)
{
    row->center = row->parameter;
    row->scale = 1;
}

static double normal_value(input_row *row, uint64_t col)
{
    (void)col;
    const double largest = clnorm_dtype_max(row->dtype);
    const double value = row->center + row->scale * clnorm_random_normal(&row->random);
    return fmax(-largest, fmin(value, largest));
}

/* No powers of two: a mean that is rounded shows as a difference to the constant. */
static void begin_constant(input_row *row)
{
    static const double values[] = {1000.1, 1e6 + 0.25, 0.1, 0, -77.7};
    row->center = values[row->index % (sizeof(values) / sizeof(values[0]))];
    if (row->parameter > 0) /* a few of which already sum up to infinity */
        row->center = clnorm_dtype_max(row->dtype) * row->parameter;
    if (fabs(row->center) > clnorm_dtype_max(row->dtype))
        row->center /= 1024;
    row->scale = 0;
}

/* The parameter is a part of the type's exponent range. Rows spread over it, because kernels scale
 * rows beyond some size, and both sides of that border can be wrong. */
static void begin_scaled(input_row *row)
{
    const int least = clnorm_dtype_min_exponent(row->dtype), most = 1 - least;
    const double part = row->parameter * (0.35 + 0.65 * clnorm_random_uniform(&row->random));
    row->center = 0;
    row->scale = exp2(part < 0 ? -part * least : part * most);
}

/* The special value stands in the first column of the first row, in the last of the second, then
 * anywhere. */
static void begin_outlier(input_row *row)
{
    begin_normal(row);
    row->center = 0;
    row->chosen = row->index == 0   ? 0
                  : row->index == 1 ? row->cols - 1
                                    : clnorm_random_below(&row->random, row->cols);
}

static double outlier_value(input_row *row, uint64_t col)
{
    const double value = normal_value(row, col);
    return col == row->chosen ? fmin(row->parameter, clnorm_dtype_max(row->dtype) / 4) : value;
}

static void begin_poisoned(input_row *row)
{
    begin_normal(row);
    row->center = 0;
    row->chosen = clnorm_random_below(&row->random, row->cols);
}

static double poisoned_value(input_row *row, uint64_t col)
{
    const double value = normal_value(row, col);
    return row->special && col == row->chosen ? row->parameter : value;
}

/* Pairs center + t, center - t of integers. 2 cols max|x| and cols max t^2 stay at or below 2^24,
 * and |x| within the digits of the type, so no partial sum is rounded. The center is 16 t at least:
 * then a quotient that is 2.5 units off, as OpenCL allows, still gives it exactly. */
static void begin_exact(input_row *row)
{
    const double cols = (double)row->cols, digits = 1 / clnorm_dtype_unit(row->dtype);
    const double most = fmin(floor(0x1p23 / cols), fmin(digits, 1024));
    row->scale = floor(fmin(most / 17, sqrt(0x1p24 / cols)));
    const double least = fmax(1, 16 * row->scale), choices = fmax(1, most - row->scale - least + 1);
    row->center = least + (double)clnorm_random_below(&row->random, (uint64_t)choices);
    if (clnorm_random_bits(&row->random) & 1)
        row->center = -row->center;
}

static double exact_value(input_row *row, uint64_t col)
{
    if (col % 2 == 1)
        return row->center - row->previous;
    row->previous = (double)clnorm_random_below(&row->random, (uint64_t)row->scale + 1);
    if (col + 1 == row->cols)
        row->previous = 0;
    return row->center + row->previous;
}

static const clnorm_input_rule normal_rule = {begin_normal, normal_value};
static const clnorm_input_rule constant_rule = {begin_constant, normal_value};
static const clnorm_input_rule scaled_rule = {begin_scaled, normal_value};
static const clnorm_input_rule outlier_rule = {begin_outlier, outlier_value};
static const clnorm_input_rule poisoned_rule = {begin_poisoned, poisoned_value};
static const clnorm_input_rule exact_rule = {begin_exact, exact_value};

static const clnorm_input_kind kinds[] = {
    {"normal", &normal_rule, 0, 10, 0},
    {"mean_1e2", &normal_rule, 1e2, 1e2, 0},
    {"mean_1e3", &normal_rule, 1e3, 1e3, 0},
    {"mean_1e4", &normal_rule, 1e4, 1e4, 0},
    {"mean_1e5", &normal_rule, 1e5, 1e5, 0},
    {"mean_1e6", &normal_rule, 1e6, 1e6, 0},
    {"constant", &constant_rule, 0, 1e3, 0},
    {"constant_huge", &constant_rule, 0x1p-4, 1e3, 0},
    {"outlier", &outlier_rule, 1e6, 1e3, 0},
    {"nan", &poisoned_rule, NAN, 10, 0},
    {"inf", &poisoned_rule, INFINITY, 10, 0},
    {"minus_inf", &poisoned_rule, -INFINITY, 10, 0},
    {"tiny", &scaled_rule, -0.8, 10, 0},
    {"huge", &scaled_rule, 0.9, 10, 0},
    {"exact", &exact_rule, 0, 1024, 1},
    {"mixed", NULL, 0, 10, 0}, /* each row is of another kind */
    {"means", NULL, 1e6, 10, 0}, /* the same, and none spoils a sum over rows */
};

static const size_t kind_count = sizeof(kinds) / sizeof(kinds[0]);

const clnorm_input_kind *clnorm_input_kinds(size_t *count)
{
    *count = kind_count;
    return kinds;
}

const clnorm_input_kind *clnorm_input_find(const char *name)
{
    for (size_t i = 0; i < kind_count; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

int clnorm_input_fits(const clnorm_input_kind *kind, clnorm_dtype dtype)
{
    return kind->largest < clnorm_dtype_max(dtype);
}

static int spoils_sums(const clnorm_input_kind *kind)
{
    const bool is_huge = kind->rule == &constant_rule && kind->parameter > 0;
    return is_huge || kind->rule == &poisoned_rule || kind->rule == &scaled_rule;
}

/* The kind of a row of a mixture. */
static const clnorm_input_kind *any_kind(const clnorm_input_kind *mixture, input_row *row)
{
    const int calm = mixture->parameter > 0;
    const clnorm_input_kind *kind;
    do
        kind = &kinds[clnorm_random_below(&row->random, kind_count)];
    while (!kind->rule || !clnorm_input_fits(kind, row->dtype) || (calm && spoils_sums(kind)));
    row->special = 1;
    return kind;
}

void clnorm_input_fill(const clnorm_input_kind *kind, clnorm_dtype dtype, uint64_t rows,
                       uint64_t cols, uint64_t seed, void *x)
{
    for (uint64_t index = 0; index < rows; index++) {
        input_row row = {.random = clnorm_random_seed(seed, index),
                         .dtype = dtype,
                         .index = index,
                         .cols = cols,
                         .special = index == rows / 2};
        const clnorm_input_kind *own = kind->rule ? kind : any_kind(kind, &row);
        row.parameter = own->parameter;
        own->rule->begin(&row);
        for (uint64_t col = 0; col < cols; col++)
            clnorm_store(dtype, x, index * cols + col, own->rule->value(&row, col));
    }
}

/* ---- all other tensors --------------------------------------------------------------------- */

/* Normal numbers, of which none is nearer to 0 than `least`, and one in `zeros` is 0. */
typedef struct {
    double center, spread, least;
    int positive;
    unsigned zeros;
} distribution;

static distribution distribution_of(const clnorm_desc *desc, clnorm_tensor_id id)
{
    static const distribution usual = {.spread = 1};
    static const distribution own[TENSOR_COUNT] = {
        [TENSOR_weight] = {.center = 1, .spread = 0.5, .zeros = 64},
        [TENSOR_gate] = {.center = 1, .spread = 0.5, .zeros = 64},
        [TENSOR_scale] = {.spread = 0.5},
        [TENSOR_z] = {.spread = 2},
        [TENSOR_running_var] = {.center = 1, .spread = 0.5, .least = 0.1, .positive = 1},
        [TENSOR_qscale] = {.center = 0.02, .spread = 0.002, .least = 0.01, .positive = 1},
        [TENSOR_qzero] = {.spread = 40},
    };
    distribution d = own[id].spread > 0 ? own[id] : usual;
    if (id == TENSOR_weight && desc->backward == CLNORM_FROM_OUTPUT) {
        d.least = 0.5;
        d.zeros = 0;
    }
    return d;
}

static double draw(const distribution *d, clnorm_random *random)
{
    const double value = d->center + d->spread * clnorm_random_normal(random);
    const double kept = fabs(value) < d->least ? d->least : fabs(value);
    if (d->zeros && clnorm_random_below(random, d->zeros) == 0)
        return 0;
    return d->positive || value > 0 ? kept : -kept;
}

void clnorm_tensor_fill(const clnorm_desc *desc, clnorm_tensor_id id, clnorm_dtype dtype,
                        uint64_t count, uint64_t seed, void *array)
{
    const distribution d = distribution_of(desc, id);
    const double offset = id == TENSOR_weight ? desc->weight_offset : 0;
    clnorm_random random = clnorm_random_seed(seed, UINT64_MAX - (uint64_t)id);
    for (uint64_t i = 0; i < count; i++)
        clnorm_store(dtype, array, i, draw(&d, &random) - offset);
}

static const clnorm_desc no_switches = CLNORM_DESC_INIT;

void clnorm_weight_fill(clnorm_dtype dtype, uint64_t cols, uint64_t seed, void *weight)
{
    clnorm_tensor_fill(&no_switches, TENSOR_weight, dtype, cols, seed, weight);
}

void clnorm_bias_fill(clnorm_dtype dtype, uint64_t cols, uint64_t seed, void *bias)
{
    clnorm_tensor_fill(&no_switches, TENSOR_bias, dtype, cols, seed, bias);
}

/* ---- exact sums ---------------------------------------------------------------------------- */

uint64_t clnorm_input_wrong_means(const clnorm_desc *desc, const void *x, const void *mean,
                                  uint64_t rows, uint64_t *first_wrong)
{
    const clnorm_dtype type = clnorm_stats_dtype(desc);
    uint64_t wrong = 0;
    for (uint64_t row = 0; row < rows; row++) {
        double sum = 0;
        for (uint64_t col = 0; col < desc->cols; col++)
            sum += clnorm_load(desc->x_dtype, x, row * desc->cols + col);
        const double expected = sum / (double)desc->cols;
        const double error = fabs(clnorm_load(type, mean, row) - expected);
        if (error <= clnorm_dtype_ulp(type, expected))
            continue;
        if (wrong++ == 0)
            *first_wrong = row;
    }
    return wrong;
}
