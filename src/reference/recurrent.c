/* SPDX-License-Identifier: MIT */
/* A sequence, row by row of the batch: forward through its steps, and back. Only the states are
 * kept in between; a step is done again before it is differentiated. */
#include "reference/recurrent.h"

#include "base/status.h"
#include "reference/recurrent_parts.h"

#include <stdlib.h>
#include <string.h>

/* A row of the batch on its way. */
typedef struct {
    const clnorm_recurrent_evaluation *e;
    const clnorm_recurrent_cell *cell;
    clnorm_recurrent_step step;
    bool adds_bias; /* to v; else it belongs to a norm, or there is none */
    clnorm_number *h, *c; /* [steps + 1, H]: before each step, and at the end */
    clnorm_number *dx; /* [I] */
    clnorm_number *sums[RECURRENT_COUNT]; /* gradients that are sums over rows, or NULL */
    double rounding; /* in such a sum */
    uint64_t row, length;
} walk;

/* ---- tensors ------------------------------------------------------------------------------- */

static clnorm_recurrent_use use_of(const clnorm_recurrent_evaluation *e, clnorm_recurrent_id id)
{
    return clnorm_recurrent_use_of(&e->desc, CLNORM_BACKWARD, id, e->steps, e->batch);
}

/* Row `row` of an input of n columns, or 0. */
static void load(const walk *w, clnorm_recurrent_id id, uint64_t row, size_t n, clnorm_number *to)
{
    const float *const from = clnorm_recurrent_host_array(&w->e->args, id);
    for (size_t i = 0; i < n; i++)
        to[i] = number_exact(from ? from[row * n + i] : 0);
}

/* Row `row` of an output; numbers NULL: 0. */
static void store(const clnorm_recurrent_evaluation *e, clnorm_recurrent_id id, uint64_t row,
                  size_t n, const clnorm_number *numbers)
{
    double *const value = clnorm_recurrent_host_array(&e->args, id);
    double *const bound = clnorm_recurrent_host_array(&e->bounds, id);
    for (size_t i = 0; value && i < n; i++)
        value[row * n + i] = numbers ? (double)numbers[i].value : 0;
    for (size_t i = 0; bound && i < n; i++)
        bound[row * n + i] = numbers ? numbers[i].error + 0x1p-53 * number_size(numbers[i]) : 0;
}

/* ---- one step ------------------------------------------------------------------------------ */

static void step_forward(walk *w, uint64_t t)
{
    const clnorm_recurrent_host_args *args = &w->e->args;
    clnorm_recurrent_step *s = &w->step;
    load(w, RECURRENT_x, t * w->e->batch + w->row, s->features, s->x);
    s->h = w->h + t * s->hidden;
    s->c = w->c + t * s->hidden;
    clnorm_recurrent_product(args->w_x, s->gates, s->features, s->x, s->v);
    clnorm_recurrent_product(args->w_h, s->gates, s->hidden, s->h, s->u);
    clnorm_recurrent_norm_forward(&s->norms[NORM_X], s->gates, s->v, s->v);
    clnorm_recurrent_norm_forward(&s->norms[NORM_H], s->gates, s->u, s->u);
    for (size_t i = 0; w->adds_bias && args->bias && i < s->gates; i++)
        s->v[i] = number_add(s->v[i], number_exact(args->bias[i]));
    w->cell->forward(s);
}

/* sums += d in^T, of [gates, n]. */
static void add_outer(const walk *w, clnorm_recurrent_id id, const clnorm_number *d,
                      const clnorm_number *in, size_t n)
{
    clnorm_number *const sums = w->sums[id];
    for (size_t i = 0; sums && i < w->step.gates; i++)
        for (size_t j = 0; j < n; j++)
            clnorm_recurrent_sum(&sums[i * n + j], d[i], in[j], w->rounding);
}

/* step.dh and dc: those of h and c after step t become those before it. */
static void step_backward(walk *w, uint64_t t)
{
    const clnorm_recurrent_host_args *args = &w->e->args;
    const uint64_t row = t * w->e->batch + w->row;
    clnorm_recurrent_step *s = &w->step;
    for (size_t i = 0; args->dy && i < s->hidden; i++)
        s->dh[i] = number_add(s->dh[i], number_exact(args->dy[row * s->hidden + i]));
    w->cell->backward(s);
    if (w->adds_bias)
        add_outer(w, RECURRENT_dbias, s->dv, &(clnorm_number){1, 0}, 1);
    clnorm_recurrent_norm_backward(&s->norms[NORM_X], s->gates, s->dv, s->dv);
    clnorm_recurrent_norm_backward(&s->norms[NORM_H], s->gates, s->du, s->du);
    add_outer(w, RECURRENT_dw_x, s->dv, s->x, s->features);
    add_outer(w, RECURRENT_dw_h, s->du, s->h, s->hidden);
    memset(w->dx, 0, s->features * sizeof(*w->dx));
    clnorm_recurrent_product_back(args->w_x, s->gates, s->features, s->dv, w->dx);
    store(w->e, RECURRENT_dx, row, s->features, w->dx);
    clnorm_recurrent_product_back(args->w_h, s->gates, s->hidden, s->du, s->dh);
}

/* ---- one row of the batch ------------------------------------------------------------------ */

static void keep_state(walk *w, uint64_t t)
{
    const size_t n = w->step.hidden;
    const uint64_t row = t * w->e->batch + w->row;
    clnorm_number *const h = w->h + (t + 1) * n, *const c = w->c + (t + 1) * n;
    store(w->e, RECURRENT_y, row, n, w->step.h_next);
    for (size_t i = 0; i < n; i++) {
        h[i] = w->e->given_y ? number_exact(w->e->given_y[row * n + i]) : w->step.h_next[i];
        c[i] = w->step.c_next[i];
    }
}

static void row_forward(walk *w)
{
    const size_t n = w->step.hidden;
    load(w, RECURRENT_h0, w->row, n, w->h);
    load(w, RECURRENT_c0, w->row, n, w->c);
    for (uint64_t t = 0; t < w->length; t++) {
        step_forward(w, t);
        keep_state(w, t);
    }
    for (uint64_t t = w->length; t < w->e->steps; t++)
        store(w->e, RECURRENT_y, t * w->e->batch + w->row, n, NULL);
    store(w->e, RECURRENT_h_n, w->row, n, w->h + w->length * n);
    store(w->e, RECURRENT_c_n, w->row, n, w->c + w->length * n);
}

static void row_backward(walk *w)
{
    const size_t n = w->step.hidden;
    load(w, RECURRENT_dh_n, w->row, n, w->step.dh);
    load(w, RECURRENT_dc_n, w->row, n, w->step.dc);
    for (uint64_t t = w->length; t-- > 0;) {
        step_forward(w, t);
        step_backward(w, t);
    }
    for (uint64_t t = w->length; t < w->e->steps; t++)
        store(w->e, RECURRENT_dx, t * w->e->batch + w->row, w->step.features, NULL);
    store(w->e, RECURRENT_dh0, w->row, n, w->step.dh);
    store(w->e, RECURRENT_dc0, w->row, n, w->step.dc);
}

/* ---- memory -------------------------------------------------------------------------------- */

/* Parts of one array, or with begin NULL its length. */
typedef struct {
    clnorm_number *begin;
    uint64_t used;
} arena;

static clnorm_number *take(arena *a, uint64_t n)
{
    clnorm_number *const part = a->begin ? a->begin + a->used : NULL;
    a->used += n;
    return part;
}

/* From dw_x on all gradients are sums. */
static void take_sums(walk *w, arena *a)
{
    for (int i = RECURRENT_dw_x; w->e->direction == CLNORM_BACKWARD && i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_use use = use_of(w->e, (clnorm_recurrent_id)i);
        if (clnorm_recurrent_host_array(&w->e->args, (clnorm_recurrent_id)i))
            w->sums[i] = take(a, use.rows * use.cols);
    }
}

static void take_all(walk *w, arena *a)
{
    clnorm_recurrent_step *s = &w->step;
    clnorm_number **const wide[] = {&s->u, &s->v, &s->gate, &s->du, &s->dv};
    clnorm_number **const narrow[] = {&s->q, &s->h_next, &s->c_next, &s->dh, &s->dc};
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        *wide[i] = take(a, s->gates);
    for (size_t i = 0; i < sizeof(narrow) / sizeof(narrow[0]); i++)
        *narrow[i] = take(a, s->hidden);
    for (int i = 0; i < NORMS; i++)
        s->norms[i].hat = take(a, s->norms[i].n);
    s->x = take(a, s->features);
    w->dx = take(a, s->features);
    w->h = take(a, (w->e->steps + 1) * s->hidden);
    w->c = take(a, (w->e->steps + 1) * s->hidden);
    take_sums(w, a);
}

/* ---- norms --------------------------------------------------------------------------------- */

static const struct {
    clnorm_recurrent_id weight, bias, dweight, dbias;
} norm_tensors[NORMS] = {
    [NORM_X] = {RECURRENT_weight_x, RECURRENT_bias_x, RECURRENT_dweight_x, RECURRENT_dbias_x},
    [NORM_H] = {RECURRENT_weight_h, RECURRENT_bias_h, RECURRENT_dweight_h, RECURRENT_dbias_h},
    [NORM_SUM] = {RECURRENT_weight, RECURRENT_bias, RECURRENT_dweight, RECURRENT_dbias},
    [NORM_C] = {RECURRENT_weight_c, RECURRENT_bias_c, RECURRENT_dweight_c, RECURRENT_dbias_c},
};

/* Of a gru z and r are together, of an lstm all; norm_gates: each is alone. */
static void find_sets(const clnorm_recurrent_desc *desc, clnorm_recurrent_norm *norm)
{
    const size_t hidden = (size_t)desc->hidden;
    const size_t first = desc->norm_gates || desc->cell == CLNORM_RNN || norm->n == hidden ? 1
                         : desc->cell == CLNORM_GRU                                        ? 2
                                                                                           : 4;
    for (size_t done = 0; done < norm->n; norm->sets++) {
        norm->size[norm->sets] = norm->sets == 0 ? first * hidden : hidden;
        done += norm->size[norm->sets];
    }
}

static void find_norms(walk *w)
{
    const clnorm_recurrent_evaluation *e = w->e;
    for (int i = 0; i < NORMS; i++) {
        clnorm_recurrent_norm *norm = &w->step.norms[i];
        const clnorm_recurrent_use use = use_of(e, norm_tensors[i].weight);
        if (use.role == CLNORM_UNUSED)
            continue;
        norm->n = (size_t)use.cols;
        norm->eps = (float)e->desc.eps;
        norm->rounding = w->rounding;
        norm->weight = clnorm_recurrent_host_array(&e->args, norm_tensors[i].weight);
        norm->bias = clnorm_recurrent_host_array(&e->args, norm_tensors[i].bias);
        find_sets(&e->desc, norm);
    }
    w->adds_bias =
        use_of(e, RECURRENT_bias).role != CLNORM_UNUSED && w->step.norms[NORM_SUM].n == 0;
}

static void find_sums_of_norms(walk *w)
{
    for (int i = 0; i < NORMS; i++) {
        if (w->step.norms[i].n == 0)
            continue;
        w->step.norms[i].dweight = w->sums[norm_tensors[i].dweight];
        w->step.norms[i].dbias = w->sums[norm_tensors[i].dbias];
    }
}

/* ---- all together -------------------------------------------------------------------------- */

static clnorm_status open_walk(walk *w, arena *a, clnorm_error *error)
{
    const clnorm_recurrent_desc *desc = &w->e->desc;
    const double rows = (double)w->e->steps * (double)w->e->batch;
    w->cell = &clnorm_recurrent_cells[desc->cell];
    w->rounding = NUMBER_UNIT * number_chain(rows);
    w->step.nonlinearity = desc->nonlinearity;
    w->step.features = (size_t)desc->features;
    w->step.hidden = (size_t)desc->hidden;
    w->step.gates = clnorm_recurrent_gates(desc->cell) * w->step.hidden;
    find_norms(w);
    take_all(w, a);
    if (a->used <= SIZE_MAX / sizeof(*a->begin))
        a->begin = calloc((size_t)a->used, sizeof(*a->begin));
    if (!a->begin)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY,
                           "no host memory for %llu numbers of %zu bytes of a recurrent net",
                           (unsigned long long)a->used, sizeof(*a->begin));
    a->used = 0;
    take_all(w, a);
    find_sums_of_norms(w);
    return CLNORM_OK;
}

clnorm_status clnorm_recurrent_evaluate(const clnorm_recurrent_evaluation *e, clnorm_error *error)
{
    walk w = {.e = e};
    arena a = {NULL, 0};
    const clnorm_status status = open_walk(&w, &a, error);
    for (; status == CLNORM_OK && w.row < e->batch; w.row++) {
        w.length = e->args.lengths ? e->args.lengths[w.row] : e->steps;
        row_forward(&w);
        if (e->direction == CLNORM_BACKWARD)
            row_backward(&w);
    }
    for (int i = 0; status == CLNORM_OK && i < RECURRENT_COUNT; i++)
        if (w.sums[i]) {
            const clnorm_recurrent_use use = use_of(e, (clnorm_recurrent_id)i);
            store(e, (clnorm_recurrent_id)i, 0, (size_t)(use.rows * use.cols), w.sums[i]);
        }
    free(a.begin);
    return status;
}

/* ---- the public function ------------------------------------------------------------------- */

clnorm_status clnorm_recurrent_reference_check(const clnorm_recurrent_desc *desc,
                                               clnorm_direction direction, uint64_t steps,
                                               uint64_t batch,
                                               const clnorm_recurrent_host_args *args,
                                               clnorm_error *error)
{
    static const clnorm_recurrent_id results[] = {RECURRENT_y, RECURRENT_h_n, RECURRENT_c_n};
    bool given[RECURRENT_COUNT];
    clnorm_status status = clnorm_recurrent_desc_check(desc, error);
    if (status != CLNORM_OK)
        return status;
    if (direction != CLNORM_FORWARD && direction != CLNORM_BACKWARD)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "direction is %d; allowed are 0 (forward) and 1 (backward)",
                           (int)direction);
    if (!args || args->struct_size != sizeof(*args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "args->struct_size is %zu; allowed is %zu: use "
                           "CLNORM_RECURRENT_HOST_ARGS_INIT",
                           args ? args->struct_size : 0, sizeof(*args));
    status = clnorm_recurrent_shape_check(desc, steps, batch, args->lengths, error);
    if (status != CLNORM_OK)
        return status;
    for (int i = 0; i < RECURRENT_COUNT; i++)
        given[i] = clnorm_recurrent_host_array(args, (clnorm_recurrent_id)i) != NULL;
    /* the reference gives these in both directions, and needs none */
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        if (clnorm_recurrent_use_of(desc, CLNORM_FORWARD, results[i], 1, 1).role != CLNORM_UNUSED)
            given[results[i]] = results[i] == RECURRENT_y;
    return clnorm_recurrent_tensors_check(desc, direction, given, error);
}

clnorm_status clnorm_recurrent_reference(const clnorm_recurrent_desc *desc,
                                         clnorm_direction direction, uint64_t steps, uint64_t batch,
                                         const clnorm_recurrent_host_args *args,
                                         clnorm_error *error)
{
    const clnorm_status status =
        clnorm_recurrent_reference_check(desc, direction, steps, batch, args, error);
    if (status != CLNORM_OK)
        return status;
    const clnorm_recurrent_evaluation e = {
        .desc = *desc, .direction = direction, .steps = steps, .batch = batch, .args = *args};
    return clnorm_recurrent_evaluate(&e, error);
}
