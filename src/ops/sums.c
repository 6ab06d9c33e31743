/* SPDX-License-Identifier: MIT */
#include "ops/sums.h"

#include "base/checked.h"

#include <string.h>

uint64_t clnorm_lines_offset(const clnorm_pass *pass)
{
    return pass->args->workspace.offset / (pass->op->desc.x_dtype == CLNORM_F64 ? 8 : 4);
}

bool clnorm_is_summed(const clnorm_pass *pass, size_t gradient)
{
    const clnorm_gradient_info *info = &pass->op->gradients[gradient];
    return info->used && clnorm_args_tensor(pass->args, info->id)->buffer;
}

static bool is_among(const clnorm_pass *pass, clnorm_sums sums, size_t gradient)
{
    const bool per_mod = pass->op->gradients[gradient].per_mod;
    return clnorm_is_summed(pass, gradient) &&
           (sums & (per_mod ? CLNORM_SUMS_OF_MODS : CLNORM_SUMS_OF_ALL));
}

bool clnorm_any_sums(const clnorm_pass *pass, clnorm_sums sums)
{
    bool any = false;
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++)
        any = any || is_among(pass, sums, i);
    return any;
}

/* The ulong8 of the kernel's argument; gives the work-items that the gradient takes. */
static uint64_t describe(const clnorm_pass *pass, size_t gradient, unsigned vec, cl_ulong at[8])
{
    const clnorm_lines *lines = &pass->lines;
    const clnorm_gradient_info *info = &pass->op->gradients[gradient];
    const clnorm_tensor *out = clnorm_args_tensor(pass->args, info->id);
    const uint64_t rows = info->per_mod ? ceil_div(pass->part.rows, lines->rows_per_mod) : 1;
    const uint64_t first = info->per_mod ? clnorm_line_at(lines, pass->part.first) : 0;
    const uint64_t items = rows * ceil_div(info->length, vec);
    const cl_ulong values[8] = {
        out->offset,
        out->stride ? out->stride : info->length,
        lines->first[gradient] + first * info->length,
        info->per_mod ? lines->slabs_per_mod : lines->count,
        lines->count - first,
        info->length,
        items,
        0,
    };
    memcpy(at, values, sizeof(values));
    return items;
}

clnorm_status clnorm_add_lines(const clnorm_pass *pass, clnorm_sums sums, clnorm_events events,
                               clnorm_error *error)
{
    const cl_ulong offset = clnorm_lines_offset(pass);
    cl_mem outs[CLNORM_GRADIENTS] = {NULL};
    cl_ulong at[CLNORM_GRADIENTS][8] = {{0}};
    clnorm_kernel_arg args[2 * CLNORM_GRADIENTS + 2];
    uint64_t items = 0;
    size_t used = 0;
    clnorm_built built;
    const clnorm_status status = clnorm_op_kernel(pass->op, CLNORM_KERNEL_SUMS, &built, error);
    if (status != CLNORM_OK)
        return status;
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++) {
        if (!is_among(pass, sums, i))
            continue;
        outs[used] = clnorm_args_tensor(pass->args, pass->op->gradients[i].id)->buffer;
        items += describe(pass, i, built.geometry.vec, at[used++]);
    }
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++) {
        args[2 * i] = CLNORM_ARG(outs[i]);
        args[2 * i + 1] = CLNORM_ARG(at[i]);
    }
    args[2 * CLNORM_GRADIENTS] = CLNORM_ARG(pass->args->workspace.buffer);
    args[2 * CLNORM_GRADIENTS + 1] = CLNORM_ARG(offset);
    return clnorm_launch(built.kernels, pass->queue, args, sizeof(args) / sizeof(args[0]),
                         (size_t)ceil_div(items, built.geometry.group_size),
                         built.geometry.group_size, events, error);
}
