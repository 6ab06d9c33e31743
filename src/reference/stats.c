/* SPDX-License-Identifier: MIT */
#include "reference/parts.h"

#include "base/dtype.h"

#include <math.h>

/* ---- what a device's range does to a set --------------------------------------------------- */

/* Devices may flush subnormal numbers to zero. A difference that is lost there counts rstd times
 * in x^. Kernels scale sets with a larger rstd than `most_rstd` up, so that nothing is lost, and
 * sets whose variance may be above `huge` down, to an rstd of at most `most_rstd`. */
typedef struct {
    double most_rstd, huge;
} number_range;

static const number_range float_range = {0x1p45, 0x1p90};
static const number_range double_range = {0x1p350, 0x1p900};

static void note_range(const clnorm_evaluation *e, clnorm_set *set)
{
    const number_range *range = e->wide ? &double_range : &float_range;
    const double rstd = (double)set->rstd;
    const bool huge = set->variance > range->huge;
    set->rescued = huge || rstd > range->most_rstd / 2;
    set->loss = huge ? range->most_rstd : 1 + fmin(rstd, range->most_rstd);
}

/* ---- from the sums to rstd ----------------------------------------------------------------- */

/* rstd and its slope for a deviation, or a norm: `square` is its square. A set of zeros has norm
 * 0, and x^ = 0. */
static long double rstd_of(const clnorm_evaluation *e, long double square, long double deviation)
{
    if (e->desc.center_only)
        return 1;
    if (e->kind.norm && deviation == 0 && e->eps == 0 && e->desc.kind == CLNORM_LP_NORM)
        return 0;
    if (e->desc.eps_mode == CLNORM_EPS_OUTSIDE)
        return 1 / (deviation + e->eps);
    if (e->desc.eps_mode == CLNORM_EPS_CLAMP)
        return 1 / (deviation > e->eps ? deviation : e->eps);
    return e->eps == 0 ? 1 / deviation : 1 / sqrtl(square + e->eps);
}

/* A sum that was rounded has other statistics than those that y was made with, and in a backward
 * pass from the output there is nothing else. */
static bool takes_rstd(const clnorm_evaluation *e)
{
    const bool rounded = e->desc.contract == CLNORM_SUM_EXACT && clnorm_given(e, TENSOR_sum);
    return e->direction == CLNORM_BACKWARD && e->desc.stats == CLNORM_STATS_COMPUTED &&
           clnorm_given(e, TENSOR_rstd) && (e->desc.backward == CLNORM_FROM_OUTPUT || rounded);
}

/* With D = 1 / rstd: by how much x^ must be multiplied so that D changes with x as
 * slope * x^ / size does. Outside: D / deviation; a clamp that holds D leaves nothing. */
static long double slope_of(const clnorm_evaluation *e, const clnorm_set *set)
{
    const bool inside = e->desc.eps_mode == CLNORM_EPS_INSIDE;
    const long double eps_share = e->eps * set->rstd;
    if (e->desc.center_only || e->desc.stats != CLNORM_STATS_COMPUTED)
        return 0;
    if (inside)
        return 1;
    if (takes_rstd(e)) {
        const bool none = 1 - eps_share <= 4 * e->unit;
        if (e->desc.eps_mode == CLNORM_EPS_CLAMP)
            return !none;
        return none ? 0 : 1 / (1 - eps_share);
    }
    if (e->desc.eps_mode == CLNORM_EPS_CLAMP)
        return set->deviation > e->eps;
    return set->deviation > 0 ? (set->deviation + e->eps) / set->deviation : 0;
}

void clnorm_set_finish(const clnorm_evaluation *e, clnorm_set *set)
{
    const bool computed = e->desc.stats == CLNORM_STATS_COMPUTED;
    const long double mean = set->hi + set->lo;
    set->slope = slope_of(e, set);
    set->spread = computed && e->kind.center ? (double)(set->deviation * set->rstd) : 0;
    set->offset = (double)(sqrtl(set->variance + mean * mean) * set->rstd);
    note_range(e, set);
}

/* ---- sums ---------------------------------------------------------------------------------- */

typedef enum { LARGEST, AROUND_SHIFT, AROUND_MEAN } pass;

/* |x|^p is taken of x / largest: it could leave any range. */
static long double power(const clnorm_evaluation *e, const clnorm_set *set, long double x)
{
    const long double size = fabsl(x);
    if (e->desc.p == 2)
        return x * x;
    if (e->desc.p == 1)
        return size;
    return set->largest == 0 ? 0 : powl(size / set->largest, e->desc.p);
}

static void add_run(const clnorm_evaluation *e, pass which, const double *s, size_t n,
                    clnorm_set *set)
{
    const long double around = which == AROUND_SHIFT ? set->shift : set->hi;
    long double sum = 0, squares = 0;
    for (size_t i = 0; which == LARGEST && i < n; i++)
        set->largest = fabs(s[i]) > set->largest ? fabs(s[i]) : set->largest;
    for (size_t i = 0; which != LARGEST && !e->kind.norm && i < n; i++) {
        const long double off = s[i] - around;
        sum += off;
        squares += off * off;
    }
    for (size_t i = 0; which == AROUND_MEAN && e->kind.norm && i < n; i++)
        squares += power(e, set, s[i]);
    set->sum += sum;
    set->variance += squares;
    set->chain++;
}

static void add_scope(const clnorm_scope *scope, pass which)
{
    const clnorm_evaluation *e = scope->e;
    const uint64_t within = e->desc.stats_cols ? e->desc.stats_cols : e->desc.cols;
    clnorm_elements in;
    clnorm_run run = {.n = 0};
    for (uint64_t k = 0; k < scope->count; k++) {
        scope->sets[k].sum = scope->sets[k].variance = 0;
        scope->sets[k].size = scope->sets[k].chain = 0;
    }
    while (clnorm_next_run(scope, &run)) {
        clnorm_set *set = &scope->sets[run.set];
        if (run.col >= within)
            continue;
        const size_t n = within - run.col < run.n ? (size_t)(within - run.col) : run.n;
        clnorm_load_sum(e, &run, &in);
        if (set->size == 0)
            set->shift = in.s[0];
        set->size += n;
        add_run(e, which, in.s, n, set);
    }
}

static void finish_moments(const clnorm_evaluation *e, clnorm_set *set)
{
    const long double total = set->variance;
    if (!isfinite(total)) { /* NaN or an infinity */
        set->hi = set->lo = e->kind.center ? NAN : 0;
        set->variance = set->deviation = set->rstd = NAN;
        return;
    }
    set->lo = e->kind.center ? set->sum / set->size : 0;
    const long double divisor = e->kind.norm ? 1 : (long double)(set->size - e->desc.ddof);
    const long double square = (total - set->sum * set->lo) / divisor;
    set->variance = square < 0 ? 0 : square;
    set->deviation = e->kind.norm && e->desc.p != 2
                         ? (e->desc.p == 1 ? total : set->largest * powl(total, 1 / e->desc.p))
                         : sqrtl(set->variance);
    if (e->kind.norm && e->desc.p != 2)
        set->variance = set->deviation * set->deviation;
    set->rstd = rstd_of(e, set->variance, set->deviation);
}

static void compute(const clnorm_scope *scope)
{
    const clnorm_evaluation *e = scope->e;
    if (e->kind.norm && e->desc.p != 1 && e->desc.p != 2)
        add_scope(scope, LARGEST);
    if (e->kind.center)
        add_scope(scope, AROUND_SHIFT);
    for (uint64_t k = 0; e->kind.center && k < scope->count; k++)
        scope->sets[k].hi = scope->sets[k].shift + scope->sets[k].sum / scope->sets[k].size;
    add_scope(scope, AROUND_MEAN);
    for (uint64_t k = 0; k < scope->count; k++) {
        if (!e->kind.center)
            scope->sets[k].sum = 0;
        finish_moments(e, &scope->sets[k]);
    }
}

/* ---- statistics that are given ------------------------------------------------------------- */

static double number(const clnorm_evaluation *e, clnorm_tensor_id id, uint64_t index)
{
    return clnorm_given(e, id) ? clnorm_load(e->uses[id].dtype, e->arrays[id].data, index) : 0;
}

static void take(const clnorm_scope *scope, uint64_t k)
{
    const clnorm_evaluation *e = scope->e;
    clnorm_set *set = &scope->sets[k];
    const uint64_t index = e->kind.batch ? k : scope->first * scope->count + k;
    if (e->desc.stats == CLNORM_STATS_RUNNING) {
        set->hi = number(e, TENSOR_running_mean, index);
        set->rstd = 1 / sqrtl(number(e, TENSOR_running_var, index) + (long double)e->eps);
        return;
    }
    if (e->desc.stats == CLNORM_STATS_GIVEN)
        set->hi = number(e, TENSOR_mean, index);
    set->rstd = number(e, TENSOR_rstd, index);
}

void clnorm_scope_statistics(const clnorm_scope *scope)
{
    const clnorm_evaluation *e = scope->e;
    const bool from_output =
        e->direction == CLNORM_BACKWARD && e->desc.backward == CLNORM_FROM_OUTPUT;
    for (uint64_t k = 0; k < scope->count; k++)
        scope->sets[k] = (clnorm_set){.size = from_output ? e->desc.cols / e->desc.groups : 0};
    if (e->desc.stats == CLNORM_STATS_COMPUTED && !from_output)
        compute(scope);
    for (uint64_t k = 0; k < scope->count; k++) {
        if (e->desc.stats != CLNORM_STATS_COMPUTED || takes_rstd(e))
            take(scope, k);
        clnorm_set_finish(e, &scope->sets[k]);
        if (from_output) { /* not needed to know: x^ has a variance of 1 at most */
            scope->sets[k].spread = e->kind.center;
            scope->sets[k].offset = 0;
        }
        scope->sets[k].chain += CLNORM_BLOCK;
    }
}
