/* SPDX-License-Identifier: MIT */
#include "ops/lines.h"

#include "base/checked.h"
#include "base/kind.h"
#include "base/sets.h"
#include "ops/set_args.h"

/* Few enough rows that a chain of additions stays short, and that there are slabs for many compute
 * units: those of a CPU are known to be few, and each does a slab at a time. Enough that lines are
 * a small part of the traffic. */
static uint64_t slab_rows(const clnorm_op *op, uint64_t all)
{
    const uint64_t units = op->geometry.slots;
    const uint64_t wanted = all / (op->geometry.team_size == 1 ? 4 * units + 1 : 256);
    return min_u64(wanted < 8 ? 8 : min_u64(wanted, 64), clnorm_most_rows(op));
}

static void cut_rows(clnorm_lines *lines, const clnorm_op *op, uint64_t all)
{
    const uint64_t mods = op->desc.rows_per_mod;
    lines->rows_per_mod = mods > 1 && mods < all ? mods : all;
    lines->slab = slab_rows(op, all);
    if (all == 0)
        return;
    lines->slab = min_u64(lines->slab, lines->rows_per_mod);
    lines->slabs_per_mod = ceil_div(lines->rows_per_mod, lines->slab);
    const uint64_t whole = all / lines->rows_per_mod, rest = all % lines->rows_per_mod;
    lines->count = whole * lines->slabs_per_mod + ceil_div(rest, lines->slab);
}

/* Samples have lines of their own, which lets more groups work, until there are a thousand. Then as
 * many share a line as leaves no more than 64 additions to a chain. */
static void cut_channels(clnorm_lines *lines, const clnorm_op *op, uint64_t all)
{
    const clnorm_sets sets = clnorm_sets_of(&op->desc, 1);
    const uint64_t chain = sets.per_col ? sets.segments : 1;
    const uint64_t longest = min_u64(chain < 64 ? 64 / chain : 1, clnorm_most_rows(op));
    if (sets.through_rows) {
        lines->count = all > 0;
        return;
    }
    lines->slab = all > 1024 ? min_u64(ceil_div(all, 1024), longest) : 1;
    lines->per_slab = ceil_div(chain, 64);
    lines->count = ceil_div(all, lines->slab) * lines->per_slab;
}

/* UINT64_MAX: more than can be counted. */
static void add_elements(clnorm_lines *lines, uint64_t length)
{
    uint64_t elements;
    if (!checked_mul(lines->count, length, &elements) ||
        !checked_add(lines->elements, elements, &lines->elements))
        lines->elements = UINT64_MAX;
}

clnorm_lines clnorm_lines_of(const clnorm_op *op, uint64_t all)
{
    clnorm_lines lines = {.slab = 1};
    if (clnorm_kind_of(&op->desc).channels)
        cut_channels(&lines, op, all);
    else
        cut_rows(&lines, op, all);
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++) {
        lines.first[i] = lines.elements;
        if (op->gradients[i].used)
            add_elements(&lines, op->gradients[i].length);
    }
    return lines;
}

uint64_t clnorm_line_at(const clnorm_lines *lines, uint64_t row)
{
    if (lines->slabs_per_mod == 0)
        return row / lines->slab * lines->per_slab;
    return row / lines->rows_per_mod * lines->slabs_per_mod +
           row % lines->rows_per_mod / lines->slab;
}

bool clnorm_leaves_lines(const clnorm_op *op, const bool *given)
{
    bool any = false;
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++)
        any = any || (op->gradients[i].used && given[op->gradients[i].id]);
    return any;
}

clnorm_status clnorm_check_iterations(const clnorm_op *op, clnorm_direction direction,
                                      uint64_t rows, clnorm_error *error)
{
    const clnorm_sets sets = clnorm_sets_of(&op->desc, rows);
    uint64_t iterations = clnorm_iterations_of(&op->geometry, &sets);
    if (direction == CLNORM_BACKWARD) {
        const clnorm_lines lines = clnorm_lines_of(op, rows);
        const uint64_t sums = lines.count + lines.count / 64 + 64;
        iterations *= lines.slabs_per_mod > 0 ? sets.inner : 1; /* a group has whole rows */
        iterations = iterations > sums ? iterations : sums;
    }
    return clnorm_iterations_allow(op->context, &op->geometry, &sets, iterations, error);
}
