/* SPDX-License-Identifier: MIT */
#include "check/cases.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const uint64_t all_cols[] = {1,    2,    3,    7,    31,   32,   33,   63,
                                    64,   65,   127,  255,  256,  257,  768,  1000,
                                    1023, 1024, 1025, 4096, 5125, 8192, 65537};
static const uint64_t all_rows[] = {1, 2, 7, 83, 4096};

/* The first four are whole types; with the others every pair of choices is there. */
static const struct {
    clnorm_dtype x, y, param;
} dtypes[] = {
    {CLNORM_F32, CLNORM_F32, CLNORM_F32},    {CLNORM_F16, CLNORM_F16, CLNORM_F16},
    {CLNORM_BF16, CLNORM_BF16, CLNORM_BF16}, {CLNORM_F64, CLNORM_F64, CLNORM_F64},
    {CLNORM_F32, CLNORM_F16, CLNORM_BF16},   {CLNORM_F16, CLNORM_F32, CLNORM_BF16},
    {CLNORM_F32, CLNORM_BF16, CLNORM_F16},   {CLNORM_BF16, CLNORM_F32, CLNORM_F16},
    {CLNORM_F16, CLNORM_BF16, CLNORM_F32},   {CLNORM_BF16, CLNORM_F16, CLNORM_F32},
};
enum { WHOLE_TYPES = 4 };

/* A width that is a whole number of vectors, one that is not, and one with many rows. */
static const uint64_t mixture_shapes[][2] = {{7, 1000}, {2, 65}, {83, 257}};
enum { QUICK_MIXTURES = 2 };

#define USUAL_EPS 1e-5

/* On a simulator, which repeats itself to the bit: larger cases are run in one way only. */
enum { QUICK_ELEMENTS = 2048 };

static const clnorm_kind kinds[] = {CLNORM_LAYER_NORM, CLNORM_RMS_NORM};
static const clnorm_form forms[] = {CLNORM_FORM_SEQUENTIAL, CLNORM_FORM_COOPERATIVE};

const char *clnorm_kind_name(clnorm_kind kind)
{
    return kind == CLNORM_LAYER_NORM ? "layer_norm" : "rms_norm";
}

const char *clnorm_form_name(clnorm_form form)
{
    static const char *const names[] = {"auto", "sequential", "cooperative"};
    return names[form];
}

typedef struct {
    const clnorm_check_filter *filter;
    clnorm_check_case *cases; /* NULL while they are counted */
    size_t count, left_out;
    clnorm_desc desc;
} list;

static void add(list *l, uint64_t rows, uint64_t cols, const char *input, double eps)
{
    if (rows > 0 && cols > l->filter->max_elements / rows) {
        l->left_out++;
        return;
    }
    if (l->cases) {
        clnorm_check_case *c = &l->cases[l->count];
        *c = (clnorm_check_case){.desc = l->desc,
                                 .rows = rows,
                                 .input = clnorm_input_find(input),
                                 .seed = l->filter->seed * 1000003 + l->count,
                                 .once = l->filter->quick && rows * cols > QUICK_ELEMENTS};
        c->desc.cols = cols;
        c->desc.eps = eps;
    }
    l->count++;
}

/* The wanted number of rows, or the most that the limit allows. */
static uint64_t rows_for(uint64_t cols, size_t turn, uint64_t max_elements)
{
    size_t choice = turn % COUNT(all_rows);
    while (choice > 0 && cols > max_elements / all_rows[choice])
        choice--;
    return all_rows[choice];
}

static void add_shapes(list *l)
{
    static const double eps[] = {USUAL_EPS, 0, 1e-30, 1};
    for (size_t i = 0; i < COUNT(all_cols); i++)
        add(l, rows_for(all_cols[i], i, l->filter->max_elements), all_cols[i], "mixed",
            eps[i % COUNT(eps)]);
    add(l, 4096, 7, "mixed", USUAL_EPS);
    add(l, 0, 768, "mixed", USUAL_EPS);
}

static void add_inputs(list *l, uint64_t rows, uint64_t cols)
{
    size_t count = 0;
    const clnorm_input_kind *inputs = clnorm_input_kinds(&count);
    for (size_t i = 0; i < count; i++)
        if (clnorm_input_fits(&inputs[i], l->desc.x_dtype))
            add(l, rows, cols, inputs[i].name, USUAL_EPS);
    add(l, rows, cols, "tiny", 0); /* else eps hides what is lost of tiny squares */
    add(l, rows, cols, "constant", 0);
}

static void add_program(list *l, bool whole_type)
{
    const bool all_shapes = whole_type && (!l->filter->quick || l->desc.x_dtype == CLNORM_F32);
    if (l->filter->cols) {
        add_inputs(l, l->filter->rows, l->filter->cols);
        return;
    }
    if (all_shapes) {
        add_shapes(l);
        if (l->filter->quick)
            add_inputs(l, 3, 257);
        else
            add_inputs(l, 7, 1000);
        return;
    }
    const size_t count = l->filter->quick ? QUICK_MIXTURES : COUNT(mixture_shapes);
    for (size_t i = 0; i < count; i++)
        add(l, mixture_shapes[i][0], mixture_shapes[i][1], "mixed", USUAL_EPS);
}

static bool wanted(int filter, int value) { return filter < 0 || filter == value; }

static void add_all(list *l)
{
    const clnorm_check_filter *f = l->filter;
    for (size_t k = 0; k < COUNT(kinds); k++)
        for (size_t t = 0; t < COUNT(dtypes); t++)
            for (size_t m = 0; m < COUNT(forms); m++) {
                const bool whole = t < WHOLE_TYPES;
                if (!wanted(f->kind, kinds[k]) || !wanted(f->form, forms[m]) ||
                    !(f->dtype < 0 || (whole && f->dtype == (int)dtypes[t].x)))
                    continue;
                l->desc = (clnorm_desc)CLNORM_DESC_INIT;
                l->desc.kind = kinds[k];
                l->desc.x_dtype = dtypes[t].x;
                l->desc.y_dtype = dtypes[t].y;
                l->desc.param_dtype = dtypes[t].param;
                l->desc.form = forms[m];
                add_program(l, whole);
            }
}

clnorm_status clnorm_check_cases(const clnorm_check_filter *filter, clnorm_check_case **cases,
                                 size_t *count, size_t *left_out, clnorm_error *error)
{
    list l = {.filter = filter};
    add_all(&l);
    l.cases = malloc((l.count + 1) * sizeof(*l.cases));
    if (!l.cases)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu cases", l.count);
    l.count = l.left_out = 0;
    add_all(&l);
    *cases = l.cases;
    *count = l.count;
    *left_out = l.left_out;
    return CLNORM_OK;
}
