/* SPDX-License-Identifier: MIT */
#include "ops/set_args.h"

#include "base/desc.h"
#include "base/kind.h"

bool clnorm_has(const clnorm_desc *desc, unsigned inputs) { return (desc->inputs & inputs) != 0; }

bool clnorm_has_row_mods(const clnorm_desc *desc) { return desc->rows_per_mod == 1; }

clnorm_shape clnorm_shape_of(const clnorm_desc *desc, clnorm_part part)
{
    const clnorm_kind_info kind = clnorm_kind_of(desc);
    clnorm_shape shape = {.sets = clnorm_sets_of(desc, part.rows)};
    shape.stats_cols = desc->stats_cols ? desc->stats_cols : shape.sets.run;
    shape.count = (double)shape.sets.segments * (double)shape.stats_cols;
    shape.divisor = kind.norm ? 1 : shape.count - desc->ddof;
    return shape;
}

void clnorm_push_numbers(clnorm_arg_list *list, const clnorm_op *op, const clnorm_shape *shape)
{
    clnorm_push_real(list, shape->count);
    clnorm_push_real(list, shape->divisor);
    clnorm_push_real(list, op->desc.eps);
    clnorm_push_real(list, op->desc.p);
    clnorm_push_real(list, op->desc.weight_offset);
}

static void push_segments(clnorm_arg_list *list, const clnorm_sets *sets)
{
    clnorm_push_u64(list, sets->segments);
    clnorm_push_u64(list, sets->inner);
    clnorm_push_u64(list, sets->step);
    clnorm_push_u64(list, sets->segment);
    clnorm_push_u64(list, sets->period);
    clnorm_push_u64(list, sets->param_step);
    clnorm_push_u64(list, sets->param_segment);
    clnorm_push_u32(list, sets->through_rows);
}

static void push_prenorm(clnorm_arg_list *list, const clnorm_desc *d, const clnorm_args *args,
                         clnorm_part part)
{
    clnorm_push_2d(list, args, TENSOR_sum, d->cols);
    clnorm_push_2d(list, args, TENSOR_residual, d->cols);
    clnorm_push_1d(list, args, TENSOR_x_bias);
    clnorm_push_2d(list, args, TENSOR_gate, d->cols);
    clnorm_push_real(list, d->alpha);
    clnorm_push_real(list, d->dropout < 1 ? 1 / (1 - d->dropout) : 0);
    clnorm_push_u64(list, (uint64_t)(d->dropout * 0x1p32));
    clnorm_push_u64(list, args->seed);
    clnorm_push_u64(list, args->first_row + part.first);
}

void clnorm_push_set_args(clnorm_arg_list *list, const clnorm_op *op, const clnorm_args *args,
                          const clnorm_shape *shape, clnorm_part part)
{
    const clnorm_desc *d = &op->desc;
    const bool modulated = clnorm_has(d, CLNORM_WITH_MODULATION);
    if (!shape->sets.plain)
        push_segments(list, &shape->sets);
    if (clnorm_desc_has_sum(d))
        push_prenorm(list, d, args, part);
    if (modulated) {
        clnorm_push_2d(list, args, TENSOR_scale, d->cols);
        clnorm_push_2d(list, args, TENSOR_shift, d->cols);
        clnorm_push_real(list, d->scale_offset);
    }
    if (modulated || clnorm_has(d, CLNORM_WITH_GATE))
        clnorm_push_u64(list, d->rows_per_mod ? d->rows_per_mod : UINT64_MAX);
    if (d->act_gate)
        clnorm_push_2d(list, args, TENSOR_z, d->cols);
}
