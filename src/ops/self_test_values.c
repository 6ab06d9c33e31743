/* SPDX-License-Identifier: MIT */
#include "ops/self_test_values.h"

#include "base/checked.h"
#include "base/kind.h"
#include "base/sets.h"
#include "runtime/quirks.h"

#include <math.h>
#include <stdlib.h>

/* ---- the problem --------------------------------------------------------------------------- */

/* Segments of all lengths end in a part of a vector. */
enum { MOST_SPATIAL = 67, MOST_CHANNELS = 19, MOST_GROUPS = 3, LEAST_ROWS = 3, MOST_VEC = 16 };
static const double test_eps = 1e-5, silu = 64; /* of 64, in float and double */

/* Of x and y together, for the host and the device take a few milliseconds then. */
static uint64_t most_elements(const clnorm_context *context)
{
    return clnorm_quirk_reason(&context->device, CLNORM_QUIRK_SLOW) ? 2048 : 16384;
}

/* Of rows that are taken in blocks: for some whole blocks in a group and a slab, and a part of one,
 * on a device of one unit, which make_op of self_test.c makes of it. */
enum { ROWS_OF_BLOCKS = 95 };

/* All teams of a group have a row, and one has two; and where a work-item takes rows one after the
 * other, it has a second one. */
static uint64_t rows_of(const clnorm_context *context, const clnorm_desc *desc,
                        const clnorm_geometry *geometry)
{
    const uint64_t teams = geometry->group_size / geometry->team_size;
    const uint64_t most = most_elements(context) / 64;
    if (clnorm_kind_of(desc).channels)
        return LEAST_ROWS;
    if (geometry->block > 0)
        return ROWS_OF_BLOCKS;
    if (geometry->team_size > 1)
        return max_u64(teams + 1, LEAST_ROWS);
    return min_u64(4 * (uint64_t)context->device.compute_units + LEAST_ROWS, most);
}

static void shrink_channels(clnorm_desc *d, bool batch)
{
    const uint64_t spatial = min_u64(d->cols / d->channels, MOST_SPATIAL);
    const uint64_t groups = batch ? d->channels : d->groups;
    const uint64_t channels = min_u64(d->channels / groups, MOST_CHANNELS);
    d->channels = min_u64(groups, MOST_GROUPS) * channels;
    d->groups = batch ? d->groups : min_u64(groups, MOST_GROUPS);
    d->cols = d->channels * spatial;
}

/* Work-items that hold a row need one that fills them. Else the verdict is for rows of any length,
 * which the program is the same for: those of one have some vectors, and a part of one. */
static void change_rows(clnorm_desc *d, uint64_t most, bool held)
{
    const uint64_t run = d->cols / d->groups;
    d->groups = min_u64(d->groups, MOST_GROUPS);
    /* as many columns past whole vectors as before: programs may rely on there being none */
    if (!held && d->quant != CLNORM_QUANT_GROUP)
        d->cols = (most / MOST_VEC * MOST_VEC + run % MOST_VEC) * d->groups;
    else
        d->cols = run * d->groups;
    if (d->stats_cols && d->stats_cols < run)
        d->stats_cols = max_u64(d->cols / 2, 1);
    else
        d->stats_cols = 0;
}

/* Blocks are of rows with no more columns than this, whose remains of a vector are `run`'s. */
static uint64_t most_in_blocks(const clnorm_geometry *geometry, uint64_t run)
{
    return 8 * (uint64_t)geometry->vec - (run % MOST_VEC ? MOST_VEC : 0);
}

/* Only what is an argument of kernels changes, so that the programs stay those of the op. */
static clnorm_desc small_desc(const clnorm_context *context, const clnorm_desc *desc,
                              const clnorm_geometry *geometry, uint64_t rows)
{
    clnorm_desc d = *desc;
    const uint64_t most = geometry->block > 0 ? most_in_blocks(geometry, desc->cols)
                                              : max_u64(most_elements(context) / rows, 65);
    if (clnorm_kind_of(desc).channels)
        shrink_channels(&d, clnorm_kind_of(desc).batch);
    else
        change_rows(&d, most, geometry->hold > 0);
    d.eps = test_eps;
    d.weight_offset = desc->weight_offset != 0;
    d.scale_offset = 1;
    d.dropout = desc->dropout > 0 ? 1e-12 : 0;
    d.qscale_min = d.qscale_max = 0;
    return d;
}

static double pattern(clnorm_tensor_id id, uint64_t i, uint64_t row)
{
    switch (id) {
    case TENSOR_x:
        return (double)((i * 5 + i / 16 * 3 + row * 7) % 17) + 1;
    case TENSOR_weight:
        return 1 + (double)(i % 5) / 4;
    case TENSOR_bias:
        return (double)(i % 7) - 3;
    case TENSOR_dy:
        return ((double)((i * 11 + row * 3) % 13) - 5) / 4;
    case TENSOR_gate:
        return 1;
    case TENSOR_z:
        return silu;
    default:
        return 0; /* residual, x_bias, scale, shift */
    }
}

/* ---- what comes out ------------------------------------------------------------------------ */

typedef struct {
    clnorm_test_values *v;
    clnorm_kind_info kind;
    clnorm_sets sets;
    uint64_t stats_cols;
    double factor, before; /* what a gate multiplies y and x with */
} walk;

/* A set, and what is known of it. */
typedef struct {
    uint64_t q;
    double n, mean, power, rstd, c1, c2;
} set;

typedef struct {
    uint64_t at, param, column; /* of the segment */
} place;

typedef void (*visit)(const walk *w, set *s, place p);

static void each(const walk *w, set *s, visit visit_one)
{
    const clnorm_sets *sets = &w->sets;
    const uint64_t cols = w->v->desc.cols, outer = sets->through_rows ? 0 : cols;
    const uint64_t step = sets->segment ? sets->segment : cols;
    for (uint64_t segment = 0; segment < sets->segments; segment++)
        for (uint64_t i = 0; i < sets->run; i++)
            visit_one(w, s,
                      (place){s->q / sets->inner * outer + s->q % sets->inner * sets->step +
                                  segment * step + i,
                              s->q % sets->period * sets->param_step +
                                  segment * sets->param_segment + (sets->per_col ? i : 0),
                              i});
}

static double xhat_at(const walk *w, const set *s, place p)
{
    return (w->v->of[TENSOR_x][p.at] - s->mean) * s->rstd;
}

static double weight_at(const walk *w, place p)
{
    const double *weight = w->v->of[TENSOR_weight];
    return (weight ? weight[p.param] : 1) + w->v->desc.weight_offset;
}

/* The gradient of x^. */
static double h_at(const walk *w, place p)
{
    return w->v->of[TENSOR_dy][p.at] * w->factor * weight_at(w, p);
}

static void add_x(const walk *w, set *s, place p)
{
    if (p.column < w->stats_cols)
        s->mean += w->v->of[TENSOR_x][p.at] / s->n;
}

static void add_power(const walk *w, set *s, place p)
{
    if (p.column < w->stats_cols)
        s->power += pow(fabs(w->v->of[TENSOR_x][p.at] - s->mean), w->v->desc.p);
}

static void put_y(const walk *w, set *s, place p)
{
    const double *bias = w->v->of[TENSOR_bias];
    w->v->of[TENSOR_y][p.at] =
        (xhat_at(w, s, p) * weight_at(w, p) + (bias ? bias[p.param] : 0)) * w->factor;
}

static void add_h(const walk *w, set *s, place p)
{
    s->c1 += h_at(w, p);
    s->c2 += h_at(w, p) * xhat_at(w, s, p);
}

static void put_gradients(const walk *w, set *s, place p)
{
    const double xhat = xhat_at(w, s, p), h = h_at(w, p), power = w->v->desc.p;
    const double spread = p.column < w->stats_cols ? copysign(pow(fabs(xhat), power - 1), xhat) : 0;
    double **of = w->v->of;
    of[TENSOR_dx][p.at] = s->rstd * (h - s->c1 - spread * s->c2);
    w->v->scale[TENSOR_dx] = fmax(w->v->scale[TENSOR_dx], s->rstd * fabs(h));
    if (of[TENSOR_dweight])
        of[TENSOR_dweight][p.param] += of[TENSOR_dy][p.at] * w->factor * xhat;
    if (of[TENSOR_dbias])
        of[TENSOR_dbias][p.param] += of[TENSOR_dy][p.at] * w->factor;
}

static void find_statistics(const walk *w, set *s)
{
    const clnorm_desc *d = &w->v->desc;
    double **of = w->v->of;
    s->n = (double)(w->sets.segments * w->stats_cols);
    if (w->kind.center)
        each(w, s, add_x);
    each(w, s, add_power);
    const double spread = w->kind.norm ? s->power : s->power / (s->n - d->ddof);
    if (of[TENSOR_running_var]) {
        of[TENSOR_running_mean][s->q] = s->mean;
        of[TENSOR_running_var][s->q] = s->power / s->n;
    }
    s->rstd = d->center_only ? 1 : pow(spread, -1 / d->p);
    if (!isfinite(s->rstd)) /* a set of equal numbers, for which x^ is 0 with any rstd */
        s->rstd = pow(test_eps, -1 / d->p);
    if (of[TENSOR_mean])
        of[TENSOR_mean][s->q] = s->mean * w->before;
    if (of[TENSOR_rstd])
        of[TENSOR_rstd][s->q] = d->center_only ? 1 : s->rstd / w->before;
}

static void find_set(const walk *w, uint64_t q)
{
    const clnorm_desc *d = &w->v->desc;
    set s = {.q = q};
    find_statistics(w, &s);
    if (w->v->of[TENSOR_y])
        each(w, &s, put_y);
    if (!w->v->of[TENSOR_dx])
        return;
    each(w, &s, add_h);
    const bool constant = d->stats != CLNORM_STATS_COMPUTED; /* they have no gradients */
    s.c1 = w->kind.center && !constant ? s.c1 / s.n : 0;
    s.c2 = constant || d->center_only ? 0 : w->kind.norm ? s.c2 : s.c2 / (s.n - d->ddof);
    each(w, &s, put_gradients);
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* Inputs that a call may go without, and outputs that can be told. */
static bool is_wanted(clnorm_tensor_id id, clnorm_role role)
{
    switch (id) {
    case TENSOR_sum: /* made from x again */
    case TENSOR_dsum:
        return false;
    case TENSOR_y:
    case TENSOR_dx:
    case TENSOR_dweight:
    case TENSOR_dbias:
    case TENSOR_mean:
    case TENSOR_rstd:
    case TENSOR_qscale:
    case TENSOR_qzero:
        return role != CLNORM_UNUSED;
    default:
        return role == CLNORM_INPUT;
    }
}

static bool allocate(clnorm_test_values *v)
{
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_tensor_uses_of(&v->desc, v->purpose.direction, v->rows, uses);
    uses[TENSOR_x].role = CLNORM_INPUT; /* what all follows from, given or not */
    uses[TENSOR_x].rows = v->rows;
    uses[TENSOR_x].cols = v->desc.cols;
    if (v->purpose.usual && !clnorm_kind_of(&v->desc).center) /* as clnorm_is_usual has it */
        uses[TENSOR_bias].role = uses[TENSOR_dbias].role = CLNORM_UNUSED;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        if (!is_wanted((clnorm_tensor_id)id, uses[id].role))
            continue;
        v->count[id] = uses[id].rows * uses[id].cols;
        v->of[id] = calloc((size_t)v->count[id], sizeof(double));
        if (!v->of[id])
            return false;
        if (uses[id].role == CLNORM_INPUT)
            for (uint64_t i = 0; i < v->count[id]; i++)
                v->of[id][i] = pattern((clnorm_tensor_id)id, i % uses[id].cols, i / uses[id].cols);
    }
    return true;
}

static void find_scales(clnorm_test_values *v)
{
    for (int id = 0; id < TENSOR_COUNT; id++)
        for (uint64_t i = 0; v->of[id] && i < v->count[id]; i++)
            v->scale[id] = fmax(v->scale[id], fabs(v->of[id][i]));
    if (v->desc.quant == CLNORM_QUANT_STATIC)
        v->of[TENSOR_qscale][0] = v->scale[TENSOR_y] / 100;
}

bool clnorm_test_values_make(const clnorm_context *context, const clnorm_desc *desc,
                             const clnorm_geometry *geometry, clnorm_purpose purpose,
                             clnorm_test_values *v)
{
    const uint64_t rows = rows_of(context, desc, geometry);
    *v = (clnorm_test_values){
        .desc = small_desc(context, desc, geometry, rows), .rows = rows, .purpose = purpose};
    if (!allocate(v))
        return false;
    const bool before = v->desc.act_gate == CLNORM_ACT_BEFORE;
    walk w = {.v = v,
              .kind = clnorm_kind_of(&v->desc),
              .sets = clnorm_sets_of(&v->desc, rows),
              .factor = v->desc.act_gate == CLNORM_ACT_AFTER ? silu : 1,
              .before = before ? silu : 1};
    w.stats_cols = v->desc.stats_cols ? v->desc.stats_cols : w.sets.run;
    for (uint64_t q = 0; q < w.sets.count; q++)
        find_set(&w, q);
    find_scales(v);
    return true;
}

void clnorm_test_values_free(clnorm_test_values *v)
{
    for (int id = 0; id < TENSOR_COUNT; id++)
        free(v->of[id]);
}
