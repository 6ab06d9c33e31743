/* SPDX-License-Identifier: MIT */
#include "check/recurrent_cases.h"

#include "base/recurrent.h"
#include "base/status.h"
#include "base/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- variants ------------------------------------------------------------------------------ */

#define V(text, ...)                                                                               \
    {                                                                                              \
        .name = text, .desc = {.struct_size = sizeof(clnorm_recurrent_desc), __VA_ARGS__ }         \
    }
#define NORM .norm = 1, .eps = 1e-5

static const clnorm_recurrent_variant variants[] = {
    V("rnn", .cell = CLNORM_RNN, NORM),
    V("rnn+relu", .cell = CLNORM_RNN, NORM, .nonlinearity = CLNORM_RELU),
    V("rnn+plain", .cell = CLNORM_RNN),
    V("rnn+plain+relu", .cell = CLNORM_RNN, .nonlinearity = CLNORM_RELU),
    V("lstm", .cell = CLNORM_LSTM, NORM),
    V("lstm+norm_gates", .cell = CLNORM_LSTM, NORM, .norm_gates = 1),
    V("lstm+plain", .cell = CLNORM_LSTM),
    V("gru", .cell = CLNORM_GRU, NORM),
    V("gru+norm_gates", .cell = CLNORM_GRU, NORM, .norm_gates = 1),
    V("gru+plain", .cell = CLNORM_GRU),
};

const clnorm_recurrent_variant *clnorm_recurrent_variants(size_t *count)
{
    *count = COUNT(variants);
    return variants;
}

const clnorm_recurrent_variant *clnorm_recurrent_variant_find(const char *name)
{
    for (size_t i = 0; i < COUNT(variants); i++)
        if (strcmp(variants[i].name, name) == 0)
            return &variants[i];
    return NULL;
}

/* ---- shapes -------------------------------------------------------------------------------- */

#define USUAL_EPS (-1.0) /* that of the variant */

typedef struct {
    uint64_t features, hidden, steps, batch;
    unsigned with;
    double eps;
} net_shape;

/* eps 0 where no row can be constant. */
static const net_shape shapes[] = {
    {1, 1, 1, 1, 0, USUAL_EPS},
    {3, 5, 4, 1, CLNORM_NET_ALL, USUAL_EPS},
    {19, 33, 8, 18, CLNORM_NET_ALL, USUAL_EPS},
    {40, 7, 3, 4, CLNORM_NET_PARAMETERS | CLNORM_NET_LENGTHS, 0.01},
    {16, 64, 2, 3, CLNORM_NET_STATES, 0},
    {65, 127, 3, 2, CLNORM_NET_ALL, 0},
};

enum {
    ASKED_STEPS = 3,
    MOST_TERMS = 1 << 25 /* of the products of w_x and w_h: the reference takes some seconds */
};

/* ---- cases --------------------------------------------------------------------------------- */

typedef struct {
    const clnorm_check_filter *filter;
    clnorm_recurrent_case *cases; /* NULL while they are counted */
    size_t count, left_out;
    uint64_t programs;
} list;

static bool allows(int filter, int value) { return filter == CLNORM_CHECK_ALL || filter == value; }

static bool is_too_large(const list *l, const net_shape *s, unsigned gates)
{
    const uint64_t rows = s->steps * s->batch;
    const uint64_t most = l->filter->max_elements / gates / s->hidden;
    const uint64_t terms = MOST_TERMS / gates / s->hidden / (s->features + s->hidden);
    return rows > most || rows > terms;
}

static void add(list *l, size_t variant, clnorm_form form, clnorm_direction direction,
                const net_shape *shape, size_t number)
{
    const clnorm_recurrent_variant *v = &variants[variant];
    if (is_too_large(l, shape, clnorm_recurrent_gates(v->desc.cell))) {
        l->left_out++;
        return;
    }
    if (l->cases) {
        clnorm_recurrent_case *c = &l->cases[l->count];
        *c = (clnorm_recurrent_case){.variant = v,
                                     .desc = v->desc,
                                     .direction = direction,
                                     .form = form,
                                     .steps = shape->steps,
                                     .batch = shape->batch,
                                     .with = shape->with};
        c->desc.features = shape->features;
        c->desc.hidden = shape->hidden;
        if (shape->eps != USUAL_EPS && v->desc.norm)
            c->desc.eps = shape->eps;
        c->seed = l->filter->seed * 1000003 + variant * 64 + number;
    }
    l->count++;
}

static void add_program(list *l, size_t variant, clnorm_form form)
{
    const clnorm_check_filter *f = l->filter;
    const net_shape asked = {f->cols, f->cols, ASKED_STEPS, f->rows, CLNORM_NET_ALL, USUAL_EPS};
    if (l->programs++ % f->parts != f->part)
        return;
    for (int i = CLNORM_FORWARD; i <= CLNORM_BACKWARD; i++) {
        const clnorm_direction direction = (clnorm_direction)i;
        if (!allows(f->direction, i))
            continue;
        if (f->cols && f->rows)
            add(l, variant, form, direction, &asked, 0);
        for (size_t k = 0; k < COUNT(shapes) && !f->cols; k++)
            add(l, variant, form, direction, &shapes[k], k);
    }
}

static void add_all(list *l)
{
    static const clnorm_form forms[] = {CLNORM_FORM_SEQUENTIAL, CLNORM_FORM_COOPERATIVE};
    const clnorm_check_filter *f = l->filter;
    const bool any = !f->quick && !f->variant && allows(f->dtype, CLNORM_F32);
    for (size_t v = 0; v < COUNT(variants) && any; v++)
        for (size_t i = 0; i < COUNT(forms); i++)
            if (allows(f->cell, (int)variants[v].desc.cell) && allows(f->form, (int)forms[i]) &&
                (!f->recurrent || f->recurrent == &variants[v]))
                add_program(l, v, forms[i]);
}

clnorm_status clnorm_recurrent_cases(const clnorm_check_filter *filter,
                                     clnorm_recurrent_case **cases, size_t *count, size_t *left_out,
                                     clnorm_error *error)
{
    list l = {.filter = filter};
    add_all(&l);
    l.cases = malloc((l.count + 1) * sizeof(*l.cases));
    if (!l.cases)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu cases", l.count);
    l.count = l.left_out = 0;
    l.programs = 0;
    add_all(&l);
    *cases = l.cases;
    *count = l.count;
    *left_out = l.left_out;
    return CLNORM_OK;
}

void clnorm_recurrent_case_name(const clnorm_recurrent_case *c, char *text, size_t bytes)
{
    snprintf(text, bytes, "%s f32 %s, %llu steps of %llux%llu to %llu, %s", c->variant->name,
             clnorm_direction_name(c->direction), (unsigned long long)c->steps,
             (unsigned long long)c->batch, (unsigned long long)c->desc.features,
             (unsigned long long)c->desc.hidden, clnorm_form_name(c->form));
}
