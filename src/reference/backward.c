/* SPDX-License-Identifier: MIT */
/* docs/numerics.md, "Backward". A first pass over a set adds up what its elements have in common,
 * a second one gives dx and the terms of the sums over rows. */
#include "reference/parts.h"
#include "reference/sums.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* What the chain rule gives from dy down to x^; rounded: how often its steps round. */
typedef struct {
    clnorm_elements in;
    clnorm_numbers x, u, v; /* x^, after weight and bias, after scale and shift */
    double dy[CLNORM_BLOCK];
    long double dv[CLNORM_BLOCK], du[CLNORM_BLOCK], h[CLNORM_BLOCK];
    double rounded; /* of du */
    double x_rounded; /* more of what has x^ in it */
} gradients;

static void load_gradients(const clnorm_scope *scope, const clnorm_run *run, gradients *g)
{
    const clnorm_evaluation *e = scope->e;
    const bool after = e->desc.act_gate == CLNORM_ACT_AFTER;
    const bool modulated = (e->desc.inputs & CLNORM_WITH_MODULATION) != 0;
    g->in.set = &scope->sets[run->set];
    clnorm_load_sum(e, run, &g->in);
    clnorm_load_params(e, &g->in);
    clnorm_load_run(e, TENSOR_dy, run, g->dy);
    clnorm_normalize(e, &g->in, &g->x);
    for (size_t i = 0; i < run->n; i++) {
        g->dv[i] = after ? g->dy[i] * g->in.silu[i] : g->dy[i];
        g->du[i] = modulated ? g->dv[i] * g->in.scale[i] : g->dv[i];
        g->h[i] = g->du[i] * g->in.weight[i];
    }
    g->rounded = 2 + (after ? CLNORM_SILU_ROUNDINGS : 0) + (modulated ? 2 : 0);
    g->x_rounded = 0;
    if (e->desc.act_gate == CLNORM_ACT_BEFORE) /* as clnorm_normalize has it */
        g->x_rounded = 2 * CLNORM_SILU_ROUNDINGS * (1 + g->in.set->offset);
}

/* ---- the first pass ------------------------------------------------------------------------ */

static void add_run(const gradients *g, clnorm_set *set)
{
    long double h = 0, h_size = 0, hx = 0, hx_size = 0;
    for (size_t i = 0; i < g->in.run.n; i++) {
        const long double product = g->h[i] * g->x.value[i];
        h += g->h[i];
        h_size += fabsl(g->h[i]);
        hx += product;
        hx_size += fabsl(product);
    }
    set->h += h, set->h_size += h_size;
    set->hx += hx, set->hx_size += hx_size;
}

/* For the gradient of a rstd that is given. */
static void add_deviations(const gradients *g, clnorm_set *set)
{
    for (size_t i = 0; i < g->in.run.n; i++) {
        const long double product = g->h[i] * (g->in.s[i] - set->hi);
        set->hd += product;
        set->hd_size += fabsl(product);
    }
}

/* Sums become averages, except those for the gradients of given statistics. */
static void average(const clnorm_evaluation *e, uint64_t size, clnorm_set *set)
{
    const uint64_t within = e->desc.stats_cols ? e->desc.stats_cols : size;
    const long double divisor = e->kind.norm ? 1 : (long double)(within - e->desc.ddof);
    set->hx /= divisor, set->hx_size /= divisor;
    if (e->desc.stats == CLNORM_STATS_COMPUTED)
        set->h /= (long double)size, set->h_size /= (long double)size;
}

static void add_scope(const clnorm_scope *scope, gradients *g)
{
    clnorm_run run = {.n = 0};
    while (clnorm_next_run(scope, &run)) {
        load_gradients(scope, &run, g);
        add_run(g, &scope->sets[run.set]);
        if (scope->e->desc.stats == CLNORM_STATS_GIVEN)
            add_deviations(g, &scope->sets[run.set]);
    }
    for (uint64_t k = 0; k < scope->count; k++)
        average(scope->e, scope->rows * scope->e->desc.cols / scope->count, &scope->sets[k]);
}

/* ---- the second pass ----------------------------------------------------------------------- */

/* sign(x) |x|^(p - 1), by which the norm grows with x. */
static long double growth(const clnorm_evaluation *e, long double x)
{
    if (!e->kind.norm || e->desc.p == 2)
        return x;
    if (e->desc.p == 1)
        return (x > 0) - (x < 0);
    return copysignl(powl(fabsl(x), e->desc.p - 1), x);
}

/* ds of element i: the gradient of x^'s own formula, without dsum. */
static void normal_gradient(const clnorm_evaluation *e, const gradients *g, size_t i,
                            clnorm_numbers *ds)
{
    const clnorm_set *set = g->in.set;
    const long double rstd = set->rstd, h = g->h[i];
    const bool computed = e->desc.stats == CLNORM_STATS_COMPUTED;
    const bool center = e->kind.center && computed;
    const bool within = e->desc.stats_cols == 0 || g->in.run.col + i < e->desc.stats_cols;
    /* x^ as it stands in the derivative of the denominator */
    const long double x = within && computed ? growth(e, set->slope * g->x.value[i]) : 0;
    const long double size = fabsl(x) * (e->desc.p > 2 ? e->desc.p : 1);
    const long double slope = set->slope, spread = set->spread;
    const long double mean = set->h_size, product = set->hx_size;
    long double grown = fabsl(h), lost = 2;
    ds->value[i] = rstd * (h - (center ? set->h : 0) - (x == 0 ? 0 : x * set->hx));
    if (computed && (within || center))
        grown += (center + size * spread * slope) * mean + (spread + size) * slope * product;
    if (computed && within)
        lost += slope * (size + (product + size * mean) * set->loss);
    ds->grown[i] = (double)(rstd * grown);
    ds->rounded[i] = clnorm_behind(ds->grown[i], g->rounded + g->x_rounded);
    ds->lost[i] = 1 + (double)(rstd * lost);
    if (isnan(rstd))
        ds->value[i] = NAN;
}

static void add_dsum(const clnorm_evaluation *e, const clnorm_run *run, clnorm_numbers *ds)
{
    double dsum[CLNORM_BLOCK];
    if (!clnorm_given(e, TENSOR_dsum))
        return;
    clnorm_load_run(e, TENSOR_dsum, run, dsum);
    for (size_t i = 0; i < run->n; i++) {
        ds->value[i] += dsum[i];
        ds->rounded[i] += fabs((double)ds->value[i]);
    }
}

/* out = in * by, where `by` is off by `roundings`. */
static void times(clnorm_numbers *out, const clnorm_numbers *in, size_t i, long double by,
                  double roundings)
{
    const double size = (double)fabsl(by);
    out->value[i] = in->value[i] * by;
    out->grown[i] = clnorm_behind(size, in->grown[i]);
    out->rounded[i] = clnorm_behind(size, in->rounded[i]) + roundings * fabs((double)out->value[i]);
    out->lost[i] =
        clnorm_behind(size, in->lost[i]) + 1 + (roundings > 2 ? fabs((double)in->value[i]) : 0);
}

static long double silu_slope(const gradients *g, size_t i)
{
    const long double sigmoid = g->in.sigmoid[i];
    return sigmoid * (1 + g->in.z[i] * (1 - sigmoid));
}

/* dz = what * SiLU'(z), whose error near its zero is that of its terms. */
static void emit_dz(const clnorm_evaluation *e, const gradients *g, const clnorm_numbers *what)
{
    clnorm_numbers dz;
    for (size_t i = 0; i < g->in.run.n; i++) {
        const double terms = (double)g->in.sigmoid[i] * (1 + fabs(g->in.z[i]));
        times(&dz, what, i, silu_slope(g, i), 3);
        dz.rounded[i] += CLNORM_SILU_ROUNDINGS * fabs((double)what->value[i]) * terms;
        dz.lost[i] += fabs((double)what->value[i]) * (1 + fabs(g->in.z[i]));
    }
    clnorm_emit(e, TENSOR_dz, &g->in.run, g->in.set, &dz, NULL, NULL);
}

/* From ds to x, through the gate that stands before the norm. */
static void through_act(const clnorm_evaluation *e, const gradients *g, const clnorm_numbers *ds,
                        clnorm_numbers *dx)
{
    clnorm_numbers what;
    for (size_t i = 0; i < g->in.run.n; i++) {
        times(&what, ds, i, g->in.x[i], 1);
        times(dx, ds, i, g->in.silu[i], CLNORM_SILU_ROUNDINGS);
    }
    emit_dz(e, g, &what);
}

static void through_sum(const clnorm_evaluation *e, const gradients *g, const clnorm_numbers *ds,
                        clnorm_numbers *dx)
{
    const bool gated = (e->desc.inputs & CLNORM_WITH_GATE) != 0, dropped = e->desc.dropout > 0;
    clnorm_numbers other;
    for (size_t i = 0; i < g->in.run.n; i++) {
        const bool kept = !dropped || g->in.mask[i] > 0;
        times(dx, ds, i, (gated ? g->in.gate[i] : 1.0L) * (dropped ? g->in.mask[i] : 1),
              gated + dropped);
        if (!kept) /* whatever it is */
            dx->value[i] = dx->grown[i] = dx->rounded[i] = dx->lost[i] = 0;
    }
    if (!clnorm_given(e, TENSOR_dresidual))
        return;
    for (size_t i = 0; i < g->in.run.n; i++)
        times(&other, ds, i, e->alpha, 1);
    clnorm_emit(e, TENSOR_dresidual, &g->in.run, g->in.set, &other, NULL, NULL);
}

/* dy * v is what SiLU'(z) multiplies; u and v are made again for their gradients. */
static void outer_gradients(const clnorm_evaluation *e, clnorm_sums *sums, gradients *g)
{
    const clnorm_run *run = &g->in.run;
    clnorm_numbers what;
    const bool dz = e->desc.act_gate == CLNORM_ACT_AFTER && clnorm_given(e, TENSOR_dz);
    clnorm_sums_add_product(sums, TENSOR_dweight, run, g->du, &g->x, g->rounded);
    clnorm_sums_add(sums, TENSOR_dbias, run, g->du, g->rounded);
    clnorm_sums_add(sums, TENSOR_dshift, run, g->dv, g->rounded);
    if (!dz && !clnorm_given(e, TENSOR_dscale))
        return;
    g->u = g->x;
    clnorm_affine(e, &g->in, &g->u);
    clnorm_sums_add_product(sums, TENSOR_dscale, run, g->dv, &g->u, g->rounded);
    if (!dz)
        return;
    g->v = g->u;
    clnorm_modulate(e, &g->in, &g->v);
    for (size_t i = 0; i < run->n; i++)
        times(&what, &g->v, i, g->dy[i], 1);
    emit_dz(e, g, &what);
}

static void backward_run(const clnorm_scope *scope, const clnorm_run *run, clnorm_sums *sums,
                         gradients *g)
{
    const clnorm_evaluation *e = scope->e;
    clnorm_numbers ds, dx;
    load_gradients(scope, run, g);
    outer_gradients(e, sums, g);
    for (size_t i = 0; i < run->n; i++)
        normal_gradient(e, g, i, &ds);
    add_dsum(e, run, &ds);
    if (e->desc.act_gate == CLNORM_ACT_BEFORE)
        through_act(e, g, &ds, &dx);
    else
        through_sum(e, g, &ds, &dx);
    clnorm_emit(e, TENSOR_dx, run, g->in.set, &dx, dx.grown, NULL);
    clnorm_sums_add_numbers(sums, TENSOR_dx_bias, run, &dx, NULL);
    clnorm_sums_add_numbers(sums, TENSOR_dgate, run, &ds, g->in.t);
}

/* Of given statistics: x^ = (s - mean) * rstd. */
static void emit_of_statistics(const clnorm_scope *scope, double rounded)
{
    const clnorm_evaluation *e = scope->e;
    for (uint64_t k = 0; e->desc.stats == CLNORM_STATS_GIVEN && k < scope->count; k++) {
        const clnorm_set *set = &scope->sets[k];
        const uint64_t row = e->kind.batch ? 0 : scope->first;
        const long double size = set->rstd * set->h_size;
        clnorm_emit_one(e, TENSOR_dmean, row, k, set, -set->rstd * set->h, size, rounded * size);
        clnorm_emit_one(e, TENSOR_drstd, row, k, set, set->hd, set->hd_size,
                        rounded * set->hd_size);
    }
}

clnorm_status clnorm_backward_scopes(const clnorm_evaluation *e, clnorm_scope *scope,
                                     clnorm_error *error)
{
    clnorm_sums sums;
    gradients *g = malloc(sizeof(*g));
    clnorm_status status = clnorm_sums_init(&sums, e);
    if (!g || status != CLNORM_OK) {
        free(g);
        clnorm_sums_free(&sums);
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for sums over rows");
    }
    for (; scope->first < e->rows; scope->first += scope->rows) {
        clnorm_run run = {.n = 0};
        clnorm_scope_statistics(scope);
        add_scope(scope, g);
        while (clnorm_next_run(scope, &run))
            backward_run(scope, &run, &sums, g);
        emit_of_statistics(scope, g->rounded);
    }
    clnorm_sums_emit(&sums);
    clnorm_sums_free(&sums);
    free(g);
    return CLNORM_OK;
}
