/* SPDX-License-Identifier: MIT */
#include "check/mixtures.h"

#include "base/desc.h"
#include "base/tensor.h"

#include <stdbool.h>

enum { FIELDS = CLNORM_MIXED_FIELDS, LEVELS = CLNORM_BF16 + 1, COMBINATIONS = 2187 }; /* 3^7 */

static clnorm_dtype *field(clnorm_desc *desc, int which)
{
    clnorm_dtype *const fields[FIELDS] = {
        &desc->x_dtype,  &desc->y_dtype,  &desc->residual_dtype, &desc->param_dtype,
        &desc->dy_dtype, &desc->dx_dtype, &desc->dparam_dtype};
    return fields[which];
}

/* A field is in use if its main tensor is: pairs that others make are not looked for, as each pair
 * costs a program. */
static bool is_in_use(const clnorm_desc *desc, clnorm_direction direction, int which)
{
    static const clnorm_tensor_id tensors[FIELDS] = {
        TENSOR_x, TENSOR_y, TENSOR_residual, TENSOR_weight, TENSOR_dy, TENSOR_dx, TENSOR_dweight};
    return clnorm_tensor_use_of(desc, direction, tensors[which], 1).role != CLNORM_UNUSED;
}

typedef struct {
    int count, which[FIELDS];
} fields_in_use;

static fields_in_use find_fields(const clnorm_desc *desc, clnorm_direction direction)
{
    fields_in_use used = {.count = 0};
    for (int i = 0; i < FIELDS; i++)
        if (is_in_use(desc, direction, i))
            used.which[used.count++] = i;
    return used;
}

static unsigned count_new(clnorm_mixtures *m, const fields_in_use *used, clnorm_desc *desc,
                          bool mark)
{
    unsigned count = 0;
    for (int i = 0; i < used->count; i++)
        for (int j = i + 1; j < used->count; j++) {
            const int a = used->which[i], b = used->which[j];
            unsigned char *seen = &m->seen[a][*field(desc, a)][b][*field(desc, b)];
            count += !*seen;
            *seen |= mark;
        }
    return count;
}

unsigned clnorm_mixtures_add(clnorm_mixtures *mixtures, const clnorm_desc *desc,
                             clnorm_direction direction)
{
    clnorm_desc resolved;
    if (clnorm_desc_resolve(desc, &resolved, NULL) != CLNORM_OK)
        return 0;
    const fields_in_use used = find_fields(&resolved, direction);
    return count_new(mixtures, &used, &resolved, true);
}

/* The digits of `combination` in base 3; fields that are not in use stay. */
static void set_fields(clnorm_desc *desc, const fields_in_use *used, int combination)
{
    for (int i = 0; i < used->count; i++, combination /= LEVELS) {
        clnorm_dtype *dtype = field(desc, used->which[i]);
        if (*dtype <= CLNORM_F64)
            *dtype = (clnorm_dtype)(combination % LEVELS);
    }
}

/* Fields that are not in use are x's, or follow from others. */
static void take_fields(clnorm_desc *desc, const fields_in_use *used, clnorm_desc *from)
{
    if (desc->y_dtype <= CLNORM_F64)
        desc->y_dtype = from->x_dtype;
    desc->param_dtype = from->x_dtype;
    for (int i = 0; i < used->count; i++)
        *field(desc, used->which[i]) = *field(from, used->which[i]);
}

unsigned clnorm_mixtures_next(clnorm_mixtures *mixtures, clnorm_desc *desc,
                              clnorm_direction direction)
{
    clnorm_desc resolved, best;
    unsigned most = 0;
    if (clnorm_desc_resolve(desc, &resolved, NULL) != CLNORM_OK)
        return 0;
    const fields_in_use used = find_fields(&resolved, direction);
    const int first = (int)(mixtures->turn++ * 311 % COMBINATIONS);
    for (int i = 0; i < COMBINATIONS; i++) {
        clnorm_desc tried = resolved;
        set_fields(&tried, &used, (first + i) % COMBINATIONS);
        const unsigned count = count_new(mixtures, &used, &tried, false);
        if (count > most || i == 0) {
            most = count;
            best = tried;
        }
    }
    count_new(mixtures, &used, &best, true);
    take_fields(desc, &used, &best);
    return most;
}
