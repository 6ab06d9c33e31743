/* SPDX-License-Identifier: MIT */
#include "ops/usual.h"

#include "base/desc.h"
#include "base/kind.h"
#include "ops/set_args.h"

/* -1: of no matter */
typedef int (*usual_fn)(const clnorm_desc *desc, clnorm_direction direction);

static int always(const clnorm_desc *desc, clnorm_direction direction)
{
    (void)desc, (void)direction;
    return 1;
}

static int never(const clnorm_desc *desc, clnorm_direction direction)
{
    (void)desc;
    return direction == CLNORM_BACKWARD ? 0 : -1;
}

static int backward(const clnorm_desc *desc, clnorm_direction direction)
{
    (void)desc;
    return direction == CLNORM_BACKWARD ? 1 : -1;
}

static int backward_of_centered(const clnorm_desc *desc, clnorm_direction direction)
{
    return direction == CLNORM_BACKWARD ? clnorm_kind_of(desc).center : -1;
}

/* Gradients seldom need the bias. */
static int where_bias_matters(const clnorm_desc *desc, clnorm_direction direction)
{
    const bool y_matters = clnorm_has(desc, CLNORM_WITH_MODULATION) || desc->act_gate ||
                           desc->backward == CLNORM_FROM_OUTPUT;
    return direction == CLNORM_FORWARD || y_matters ? clnorm_kind_of(desc).center : -1;
}

static const struct {
    clnorm_tensor_id id;
    int bit; /* GIVEN_... of set.cl */
    usual_fn is_given;
} usual_tensors[] = {
    {TENSOR_weight, 1, always},     {TENSOR_bias, 2, where_bias_matters},
    {TENSOR_dsum, 4, never},        {TENSOR_dx, 8, backward},
    {TENSOR_dweight, 16, backward}, {TENSOR_dbias, 32, backward_of_centered},
};
enum { USUAL_TENSORS = sizeof(usual_tensors) / sizeof(usual_tensors[0]) };

bool clnorm_has_usual(const clnorm_desc *desc)
{
    const clnorm_kind_info kind = clnorm_kind_of(desc);
    const clnorm_sets sets = clnorm_sets_of(desc, 1);
    return sets.plain && sets.per_col && kind.weight && kind.params == CLNORM_PER_COL;
}

/* Buffers begin where any vector may; their elements are multiples of one another. */
bool clnorm_may_align(const clnorm_desc *desc, const clnorm_geometry *geometry)
{
    return geometry->team_size > 1 && !geometry->cpu_hints && !desc->quant &&
           desc->cols % geometry->vec == 0;
}

static bool is_aligned(const clnorm_args *args, unsigned vec)
{
    static const bool by_element[TENSOR_COUNT] = {
        [TENSOR_mean] = true,        [TENSOR_rstd] = true,  [TENSOR_running_mean] = true,
        [TENSOR_running_var] = true, [TENSOR_dmean] = true, [TENSOR_drstd] = true,
    };
    bool aligned = args->workspace.offset % (vec * sizeof(double)) == 0;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor *tensor = clnorm_args_tensor(args, (clnorm_tensor_id)i);
        aligned = aligned && (by_element[i] || !tensor->buffer ||
                              (tensor->offset % vec == 0 && tensor->stride % vec == 0));
    }
    return aligned;
}

/* A kernel may be in another form than the op: one that passed its self-test. */
static unsigned widest_aligned(const clnorm_op *op)
{
    unsigned vec = 0;
    for (size_t i = op->first; i < op->n_candidates; i++)
        if (clnorm_may_align(&op->desc, &op->candidates[i]) && op->candidates[i].vec > vec)
            vec = op->candidates[i].vec;
    return vec;
}

bool clnorm_is_usual(const clnorm_op *op, clnorm_direction direction, const clnorm_args *args)
{
    const clnorm_desc *desc = &op->desc;
    const unsigned vec = widest_aligned(op);
    bool usual = clnorm_has_usual(desc) && (vec == 0 || is_aligned(args, vec));
    for (int i = 0; i < USUAL_TENSORS; i++) {
        const int expected = usual_tensors[i].is_given(desc, direction);
        const bool given = clnorm_args_tensor(args, usual_tensors[i].id)->buffer != NULL;
        usual = usual && (expected < 0 || given == expected);
    }
    return usual;
}

int clnorm_usual_bits(const clnorm_desc *desc, clnorm_direction direction)
{
    int bits = 0;
    for (int i = 0; i < USUAL_TENSORS; i++)
        if (usual_tensors[i].is_given(desc, direction) > 0)
            bits += usual_tensors[i].bit;
    return bits;
}
