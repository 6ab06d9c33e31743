/* SPDX-License-Identifier: MIT */
#include "check/cases.h"
#include "base/status.h"
#include "check/mixtures.h"
#include "ops/form.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define USUAL_EPS 0 /* that of the variant */

enum {
    /* On a simulator, which repeats itself to the bit: larger cases are run in one way only. */
    QUICK_ELEMENTS = 2048,
    MOST_BACKWARD = 1 << 18 /* the reference of a backward pass takes its time */
};

typedef struct {
    const clnorm_check_filter *filter;
    clnorm_check_case *cases; /* NULL while they are counted */
    size_t count, left_out;
    clnorm_mixtures mixtures[2]; /* of each direction */
    /* the program whose cases are added */
    const clnorm_variant *variant;
    clnorm_direction direction;
    clnorm_desc desc; /* its dtypes and form */
    size_t first;
    uint64_t programs;
} list;

/* ---- one case ------------------------------------------------------------------------------ */

static bool allows(int filter, int value) { return filter == CLNORM_CHECK_ALL || filter == value; }

static bool is_wanted(const list *l)
{
    const clnorm_check_filter *f = l->filter;
    const bool mixed = f->dtype >= 0 && clnorm_check_dtype_name(&l->desc)[0] == 'm';
    return allows(f->kind, (int)l->variant->set.kind) &&
           (!f->variant || f->variant == l->variant) && !f->recurrent &&
           allows(f->direction, (int)l->direction) && allows(f->form, (int)l->desc.form) &&
           allows(f->dtype, mixed ? CLNORM_CHECK_MIXED : (int)l->desc.x_dtype);
}

/* Of all that the case is, so that another filter leaves it as it is. */
static uint64_t seed_of(const list *l, const clnorm_check_case *c)
{
    char name[256];
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    clnorm_check_case_name(c, name, sizeof(name));
    for (const char *text = name; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    for (const char *text = c->input->name; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return (hash >> 32) + l->filter->seed * 1000003;
}

static void take_dtypes(clnorm_desc *desc, const clnorm_desc *from)
{
    desc->x_dtype = from->x_dtype;
    desc->y_dtype = from->y_dtype;
    desc->param_dtype = from->param_dtype;
    desc->residual_dtype = from->residual_dtype;
    desc->dy_dtype = from->dy_dtype;
    desc->dx_dtype = from->dx_dtype;
    desc->dparam_dtype = from->dparam_dtype;
    desc->form = from->form;
}

/* The same for all cases of a program, and for half of the programs. */
static int saves(const list *l)
{
    size_t count = 0;
    return (l->variant - clnorm_variants(&count) + (int)l->desc.form) % 2 == 0;
}

static void add(list *l, const clnorm_check_shape *shape, const char *input, double eps)
{
    const clnorm_check_filter *f = l->filter;
    const bool backward = l->direction == CLNORM_BACKWARD && f->cols == 0;
    const uint64_t most =
        backward && f->max_elements > MOST_BACKWARD ? MOST_BACKWARD : f->max_elements;
    clnorm_desc desc = clnorm_variant_desc(l->variant, shape);
    take_dtypes(&desc, &l->desc);
    if (eps != USUAL_EPS)
        desc.eps = eps < 0 ? 0 : eps;
    /* a shape that was asked for may be none for this operator */
    const bool fits = f->cols == 0 || clnorm_desc_check(&desc, NULL) == CLNORM_OK;
    if (!fits || (shape->rows > 0 && shape->cols > most / shape->rows)) {
        l->left_out++;
        return;
    }
    if (l->cases) {
        clnorm_check_case *c = &l->cases[l->count];
        *c = (clnorm_check_case){.variant = l->variant,
                                 .desc = desc,
                                 .direction = l->direction,
                                 .rows = shape->rows,
                                 .input = clnorm_input_find(input),
                                 .saved = saves(l),
                                 .all = l->count == l->first,
                                 .once = f->quick && shape->rows * shape->cols > QUICK_ELEMENTS};
        c->seed = seed_of(l, c);
    }
    l->count++;
}

static void add_rows(list *l, uint64_t rows, uint64_t cols, const char *input, double eps)
{
    const clnorm_check_shape shape = clnorm_check_shape_of(rows, cols);
    add(l, &shape, input, eps);
}

/* ---- cases of one program ------------------------------------------------------------------ */

static const uint64_t all_cols[] = {1,    2,    3,    7,    31,    32,    33,    63,   64,
                                    65,   127,  255,  256,  257,   768,   1000,  1023, 1024,
                                    1025, 4096, 5125, 8192, 40000, 65537, 300001};
static const uint64_t all_rows[] = {1, 2, 7, 83, 4096};
#define NO_EPS (-1.0)

/* The wanted number of rows, or the most that the limit allows. */
static uint64_t rows_for(const list *l, uint64_t cols, size_t turn)
{
    const uint64_t most = l->direction == CLNORM_BACKWARD && l->filter->max_elements > MOST_BACKWARD
                              ? MOST_BACKWARD
                              : l->filter->max_elements;
    size_t choice = turn % COUNT(all_rows);
    while (choice > 0 && cols > most / all_rows[choice])
        choice--;
    return all_rows[choice];
}

/* Rows in registers need a program for each number of columns, and it takes seconds to build. */
static const uint64_t held_cols[] = {3, 65, 1000, 4096, 8192};

static void add_widths(list *l)
{
    static const double eps[] = {USUAL_EPS, NO_EPS, 1e-30, 1};
    const bool backward = l->direction == CLNORM_BACKWARD, held = clnorm_form_holds(l->desc.form);
    const uint64_t *cols = held ? held_cols : all_cols;
    for (size_t i = 0; i < (held ? COUNT(held_cols) : COUNT(all_cols)); i++)
        add_rows(l, rows_for(l, cols[i], i), cols[i], backward ? "means" : "mixed",
                 backward ? USUAL_EPS : eps[i % COUNT(eps)]);
    if (held)
        return;
    add_rows(l, backward ? 1001 : 4096, 7, backward ? "means" : "mixed", USUAL_EPS);
    add_rows(l, 0, 768, "normal", USUAL_EPS);
}

static void add_inputs(list *l, uint64_t rows, uint64_t cols)
{
    size_t count = 0;
    const clnorm_input_kind *inputs = clnorm_input_kinds(&count);
    for (size_t i = 0; i < count; i++)
        if (clnorm_input_fits(&inputs[i], l->desc.x_dtype))
            add_rows(l, rows, cols, inputs[i].name, USUAL_EPS);
    if (l->direction == CLNORM_BACKWARD)
        return;
    add_rows(l, rows, cols, "tiny", NO_EPS); /* else eps hides what is lost of tiny squares */
    add_rows(l, rows, cols, "constant", NO_EPS);
}

/* Rows that are a whole number of vectors, and that are not; parts longer and shorter than one. */
static const clnorm_check_shape row_shapes[] = {
    {7, 1000, 0, 8}, {2, 65, 0, 13}, {83, 260, 0, 2}, {5, 3, 0, 1}};
static const clnorm_check_shape channel_shapes[] = {
    {3, 210, 6, 3}, {2, 2048, 32, 4}, {5, 4, 4, 2}, {2, 771, 3, 3}, {2050, 12, 4, 2}};

static void add_shapes(list *l, size_t most)
{
    static const char *const inputs[][4] = {
        [CLNORM_FORWARD] = {"mixed", "means", "mean_1e3", "nan"},
        [CLNORM_BACKWARD] = {"means", "mean_1e3", "nan", "inf"}};
    const bool channels = l->variant->parts == CLNORM_PART_CHANNELS;
    const clnorm_check_shape *shapes = channels ? channel_shapes : row_shapes;
    const size_t count = channels ? COUNT(channel_shapes) : COUNT(row_shapes);
    for (size_t i = 0; i < count && i < most; i++)
        add(l, &shapes[i], inputs[l->direction][i % 4], USUAL_EPS);
    if (l->direction == CLNORM_FORWARD &&
        clnorm_input_fits(clnorm_input_find("tiny"), l->desc.x_dtype))
        add(l, &shapes[0], "tiny", NO_EPS);
}

/* plain: every width and every input. */
static void add_program(list *l, clnorm_form form, bool plain, size_t shapes)
{
    l->desc.form = form;
    l->first = l->count;
    if (!is_wanted(l) || l->programs++ % l->filter->parts != l->filter->part)
        return;
    if (l->filter->cols) {
        add_inputs(l, l->filter->rows, l->filter->cols);
        return;
    }
    if (!plain) {
        add_shapes(l, l->filter->quick && shapes > 2 ? 2 : shapes);
        return;
    }
    add_widths(l);
    if (l->filter->quick)
        add_inputs(l, 3, 257);
    else
        add_inputs(l, 7, 1000);
}

/* ---- programs ------------------------------------------------------------------------------ */

enum { EVERY_SHAPE = 16, FEW_SHAPES = 2, ONE_SHAPE = 1 };

static void begin_variant(list *l)
{
    const bool channels = l->variant->parts == CLNORM_PART_CHANNELS;
    l->desc = clnorm_variant_desc(l->variant, channels ? channel_shapes : row_shapes);
}

static void set_type(list *l, clnorm_dtype dtype)
{
    begin_variant(l);
    l->desc.x_dtype = l->desc.param_dtype = dtype;
    if (!l->desc.quant)
        l->desc.y_dtype = dtype;
    clnorm_mixtures_add(&l->mixtures[l->direction], &l->desc, l->direction);
}

/* The number of pairs that are new. */
static unsigned set_mixture(list *l)
{
    begin_variant(l);
    return clnorm_mixtures_next(&l->mixtures[l->direction], &l->desc, l->direction);
}

static clnorm_form form_of(const list *l, size_t turn)
{
    const int wanted = l->filter->form, forms = CLNORM_FORM_COOPERATIVE;
    return (clnorm_form)(wanted > 0 ? wanted : CLNORM_FORM_SEQUENTIAL + (int)(turn % forms));
}

static void add_plain(list *l)
{
    const bool quick = l->filter->quick;
    for (int dtype = CLNORM_F32; dtype <= CLNORM_F64; dtype++)
        for (int form = CLNORM_FORM_SEQUENTIAL; form <= CLNORM_FORM_COOPERATIVE; form++) {
            const bool plain =
                dtype == CLNORM_F32 || (!quick && !clnorm_form_holds((clnorm_form)form));
            set_type(l, (clnorm_dtype)dtype);
            add_program(l, (clnorm_form)form, plain, 2);
        }
}

/* All tensors of one dtype, for an operator without switches. */
static void add_each_dtype(list *l, size_t index)
{
    for (int dtype = CLNORM_F32; dtype <= CLNORM_F64; dtype++) {
        set_type(l, (clnorm_dtype)dtype);
        if (!l->filter->quick || dtype == CLNORM_F32)
            add_program(l, form_of(l, index + (size_t)dtype), false, FEW_SHAPES);
    }
}

/* Builds take most of the time, so a direction of a switch has f64 or a mixture; a type that is
 * asked for comes in both forms. */
static void add_variant(list *l, size_t index)
{
    const bool quantised = l->variant->set.quant != CLNORM_QUANT_NONE;
    const bool every = l->variant->every_dtype;
    const int asked = l->filter->dtype;
    const bool any = asked < 0 && !quantised && !every && !l->filter->quick;
    const bool wide = any && (index + (size_t)l->direction) % 2;
    const bool is_type = asked >= 0 && asked != CLNORM_CHECK_MIXED;
    if (is_type && (asked != CLNORM_F64 || !quantised)) {
        set_type(l, (clnorm_dtype)asked);
        for (size_t turn = 0; turn < (l->filter->form < 0 ? CLNORM_FORM_COOPERATIVE : 1); turn++)
            add_program(l, form_of(l, turn), false, EVERY_SHAPE);
        return;
    }
    if (every)
        add_each_dtype(l, index);
    if (wide)
        set_type(l, CLNORM_F64);
    else
        set_mixture(l);
    add_program(l, form_of(l, index / 2 + (size_t)l->direction), false, EVERY_SHAPE);
}

/* The pairs of dtypes that no case above has. */
static void add_missing_pairs(list *l, size_t index)
{
    while (set_mixture(l) > 0)
        add_program(l, form_of(l, index++), false, ONE_SHAPE);
}

static void add_all(list *l)
{
    size_t count = 0;
    const clnorm_variant *variants = clnorm_variants(&count);
    for (int missing = 0; missing < 2; missing++)
        for (size_t v = 0; v < count; v++)
            for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++) {
                l->variant = &variants[v];
                l->direction = (clnorm_direction)direction;
                if (direction == CLNORM_FORWARD ? l->variant->only_backward
                                                : l->variant->only_forward)
                    continue;
                if (missing)
                    add_missing_pairs(l, v);
                else if (v < 2)
                    add_plain(l);
                else
                    add_variant(l, v);
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
    l.programs = 0;
    memset(l.mixtures, 0, sizeof(l.mixtures));
    add_all(&l);
    *cases = l.cases;
    *count = l.count;
    *left_out = l.left_out;
    return CLNORM_OK;
}
