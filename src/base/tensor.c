/* SPDX-License-Identifier: MIT */
#include "base/tensor.h"

#include "base/checked.h"
#include "base/desc.h"
#include "base/kind.h"
#include "base/sets.h"

#include <string.h>

/* ---- what never changes: a row of the table for each tensor -------------------------------- */

typedef enum {
    FULL,
    PER_SET,
    PARAMS,
    COLS,
    MODS,
    CHANNELS,
    SCALES,
    PER_ROW,
    SHAPE_KINDS
} shape_kind;

typedef struct {
    const char *name;
    shape_kind shape;
    size_t dtype; /* where the descriptor has it; 0: see dtype_of */
} tensor_info;

#define AT(field) offsetof(clnorm_desc, field)

static const tensor_info tensors[TENSOR_COUNT] = {
    [TENSOR_y] = {"y", FULL, AT(y_dtype)},
    [TENSOR_sum] = {"sum", FULL, AT(residual_dtype)},
    [TENSOR_mean] = {"mean", PER_SET, 0},
    [TENSOR_rstd] = {"rstd", PER_SET, 0},
    [TENSOR_running_mean] = {"running_mean", CHANNELS, 0},
    [TENSOR_running_var] = {"running_var", CHANNELS, 0},
    [TENSOR_qscale] = {"qscale", SCALES, 0},
    [TENSOR_qzero] = {"qzero", SCALES, 0},
    [TENSOR_qsum] = {"qsum", PER_ROW, 0},
    [TENSOR_x] = {"x", FULL, AT(x_dtype)},
    [TENSOR_residual] = {"residual", FULL, AT(residual_dtype)},
    [TENSOR_x_bias] = {"x_bias", COLS, AT(param_dtype)},
    [TENSOR_gate] = {"gate", MODS, AT(param_dtype)},
    [TENSOR_weight] = {"weight", PARAMS, AT(param_dtype)},
    [TENSOR_bias] = {"bias", PARAMS, AT(param_dtype)},
    [TENSOR_scale] = {"scale", MODS, AT(param_dtype)},
    [TENSOR_shift] = {"shift", MODS, AT(param_dtype)},
    [TENSOR_z] = {"z", FULL, AT(x_dtype)},
    [TENSOR_dy] = {"dy", FULL, AT(dy_dtype)},
    [TENSOR_dsum] = {"dsum", FULL, AT(dy_dtype)},
    [TENSOR_dx] = {"dx", FULL, AT(dx_dtype)},
    [TENSOR_dresidual] = {"dresidual", FULL, AT(dx_dtype)},
    [TENSOR_dz] = {"dz", FULL, AT(dx_dtype)},
    [TENSOR_dx_bias] = {"dx_bias", COLS, AT(dparam_dtype)},
    [TENSOR_dgate] = {"dgate", MODS, AT(dparam_dtype)},
    [TENSOR_dweight] = {"dweight", PARAMS, AT(dparam_dtype)},
    [TENSOR_dbias] = {"dbias", PARAMS, AT(dparam_dtype)},
    [TENSOR_dscale] = {"dscale", MODS, AT(dparam_dtype)},
    [TENSOR_dshift] = {"dshift", MODS, AT(dparam_dtype)},
    [TENSOR_dmean] = {"dmean", PER_SET, 0},
    [TENSOR_drstd] = {"drstd", PER_SET, 0},
};

const char *clnorm_tensor_name(clnorm_tensor_id id) { return tensors[id].name; }

clnorm_tensor_id clnorm_tensor_find(const char *name)
{
    int id = 0;
    while (id < TENSOR_COUNT && strcmp(tensors[id].name, name) != 0)
        id++;
    return (clnorm_tensor_id)id;
}

static clnorm_dtype dtype_of(const clnorm_desc *desc, clnorm_tensor_id id)
{
    clnorm_dtype dtype;
    switch (id) {
    case TENSOR_qscale:
        return CLNORM_F32;
    case TENSOR_qzero:
        return CLNORM_I8;
    case TENSOR_qsum:
        return CLNORM_I32;
    default:
        break;
    }
    if (tensors[id].dtype == 0)
        return clnorm_stats_dtype(desc);
    memcpy(&dtype, (const char *)desc + tensors[id].dtype, sizeof(dtype));
    return dtype;
}

/* ---- shapes -------------------------------------------------------------------------------- */

static uint64_t params_of(const clnorm_desc *desc, uint64_t rows)
{
    const clnorm_param_axis axis = clnorm_kind_of(desc).params;
    return axis == CLNORM_PER_COL ? desc->cols : axis == CLNORM_PER_CHANNEL ? desc->channels : rows;
}

static uint64_t mods_of(const clnorm_desc *desc, uint64_t rows)
{
    if (desc->rows_per_mod == 0)
        return 1;
    return ceil_div(rows, desc->rows_per_mod);
}

typedef struct {
    uint64_t rows, cols;
    bool has_stride;
    clnorm_extent extent;
} shape;

static void find_shapes(const clnorm_desc *desc, uint64_t rows, shape shapes[SHAPE_KINDS])
{
    const clnorm_kind_info kind = clnorm_kind_of(desc);
    const uint64_t scales = desc->quant == CLNORM_QUANT_GROUP ? desc->cols / desc->quant_group : 1;
    const bool one_scale = desc->quant == CLNORM_QUANT_STATIC;
    const shape all[SHAPE_KINDS] = {
        [FULL] = {rows, desc->cols, true, CLNORM_ROWS},
        [PER_SET] = {1, clnorm_sets_of(desc, rows).count, false,
                     kind.batch ? CLNORM_WHOLE : CLNORM_ROWS},
        [PARAMS] = {1, params_of(desc, rows), false,
                    kind.params == CLNORM_PER_ROW ? CLNORM_ROWS : CLNORM_WHOLE},
        [COLS] = {1, desc->cols, false, CLNORM_WHOLE},
        [MODS] = {mods_of(desc, rows), desc->cols, true,
                  desc->rows_per_mod ? CLNORM_MODS : CLNORM_WHOLE},
        [CHANNELS] = {1, desc->channels, false, CLNORM_WHOLE},
        [SCALES] = {one_scale ? 1 : rows, scales, !one_scale,
                    one_scale ? CLNORM_WHOLE : CLNORM_ROWS},
        [PER_ROW] = {1, rows, false, CLNORM_ROWS},
    };
    memcpy(shapes, all, sizeof(all));
}

/* ---- parts --------------------------------------------------------------------------------- */

typedef struct {
    clnorm_role role;
    bool required;
} part;

static const part unused, in = {CLNORM_INPUT, false}, must_in = {CLNORM_INPUT, true},
                          out = {CLNORM_OUTPUT, false}, must_out = {CLNORM_OUTPUT, true},
                          in_out = {CLNORM_IN_OUT, false};

static part if_(bool condition, part then) { return condition ? then : unused; }

static bool has(const clnorm_desc *desc, unsigned input) { return (desc->inputs & input) != 0; }

static void find_forward_parts(const clnorm_desc *desc, part parts[TENSOR_COUNT])
{
    const clnorm_kind_info kind = clnorm_kind_of(desc);
    const bool given = desc->stats == CLNORM_STATS_GIVEN;
    const bool running = desc->stats == CLNORM_STATS_RUNNING;
    const part statistic = running ? unused : given ? must_in : out;
    const part scales = desc->quant == CLNORM_QUANT_STATIC ? must_in : must_out;
    const bool keeps = desc->kind == CLNORM_BATCH_NORM;
    const part all[TENSOR_COUNT] = {
        [TENSOR_y] = must_out,
        [TENSOR_sum] = if_(clnorm_desc_has_sum(desc), out),
        [TENSOR_mean] = given && !kind.center ? unused : statistic,
        [TENSOR_rstd] = statistic,
        [TENSOR_running_mean] = if_(keeps, running ? must_in
                                           : given ? unused
                                                   : in_out),
        [TENSOR_running_var] = if_(keeps, running ? must_in
                                          : given ? unused
                                                  : in_out),
        [TENSOR_qscale] = if_(desc->quant != CLNORM_QUANT_NONE, scales),
        [TENSOR_qzero] = if_(desc->quant_asymmetric, scales),
        [TENSOR_qsum] = if_(desc->y_dtype == CLNORM_I8, out),
        [TENSOR_x] = must_in,
        [TENSOR_residual] = if_(has(desc, CLNORM_WITH_RESIDUAL), must_in),
        [TENSOR_x_bias] = if_(has(desc, CLNORM_WITH_X_BIAS), must_in),
        [TENSOR_gate] = if_(has(desc, CLNORM_WITH_GATE), must_in),
        [TENSOR_weight] = if_(kind.weight, in),
        [TENSOR_bias] = if_(kind.bias, in),
        [TENSOR_scale] = if_(has(desc, CLNORM_WITH_MODULATION), must_in),
        [TENSOR_shift] = if_(has(desc, CLNORM_WITH_MODULATION), in),
        [TENSOR_z] = if_(desc->act_gate != CLNORM_ACT_NONE, must_in),
    };
    memcpy(parts, all, sizeof(all));
}

static void find_backward_parts(const clnorm_desc *desc, part parts[TENSOR_COUNT])
{
    const clnorm_kind_info kind = clnorm_kind_of(desc);
    const bool given = desc->stats == CLNORM_STATS_GIVEN;
    const bool running = desc->stats == CLNORM_STATS_RUNNING;
    const bool output = desc->backward == CLNORM_FROM_OUTPUT, input = !output;
    const bool sum = clnorm_desc_has_sum(desc), residual = has(desc, CLNORM_WITH_RESIDUAL);
    const bool gate = has(desc, CLNORM_WITH_GATE), mod = has(desc, CLNORM_WITH_MODULATION);
    const bool act = desc->act_gate != CLNORM_ACT_NONE;
    const part all[TENSOR_COUNT] = {
        [TENSOR_y] = if_(output, must_in),
        [TENSOR_sum] = if_(sum, in),
        [TENSOR_mean] = if_(!running && input && kind.center, given ? must_in : in),
        [TENSOR_rstd] = if_(!running, given || output ? must_in : in),
        [TENSOR_running_mean] = if_(running, must_in),
        [TENSOR_running_var] = if_(running, must_in),
        [TENSOR_x] = if_(input, sum ? in : must_in),
        [TENSOR_residual] = if_(residual, in),
        [TENSOR_x_bias] = if_(has(desc, CLNORM_WITH_X_BIAS), in),
        [TENSOR_gate] = if_(gate, must_in),
        [TENSOR_weight] = if_(kind.weight, in),
        [TENSOR_bias] = if_(kind.bias, in),
        [TENSOR_scale] = if_(mod, must_in),
        [TENSOR_shift] = if_(mod, in),
        [TENSOR_z] = if_(act, must_in),
        [TENSOR_dy] = must_in,
        [TENSOR_dsum] = if_(kind.fused, in),
        [TENSOR_dx] = out,
        [TENSOR_dresidual] = if_(residual, out),
        [TENSOR_dz] = if_(act, out),
        [TENSOR_dx_bias] = if_(has(desc, CLNORM_WITH_X_BIAS), out),
        [TENSOR_dgate] = if_(gate, out),
        [TENSOR_dweight] = if_(kind.weight, out),
        [TENSOR_dbias] = if_(kind.bias, out),
        [TENSOR_dscale] = if_(mod, out),
        [TENSOR_dshift] = if_(mod, out),
        [TENSOR_dmean] = if_(given && kind.center, out),
        [TENSOR_drstd] = if_(given, out),
    };
    memcpy(parts, all, sizeof(all));
}

void clnorm_tensor_uses_of(const clnorm_desc *desc, clnorm_direction direction, uint64_t rows,
                           clnorm_tensor_use uses[TENSOR_COUNT])
{
    part parts[TENSOR_COUNT];
    shape shapes[SHAPE_KINDS];
    (direction == CLNORM_FORWARD ? find_forward_parts : find_backward_parts)(desc, parts);
    find_shapes(desc, rows, shapes);
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const shape *s = &shapes[tensors[id].shape];
        uses[id] = (clnorm_tensor_use){parts[id].role, parts[id].required,
                                       s->has_stride,  dtype_of(desc, (clnorm_tensor_id)id),
                                       s->extent,      s->rows,
                                       s->cols};
    }
}

clnorm_tensor_use clnorm_tensor_use_of(const clnorm_desc *desc, clnorm_direction direction,
                                       clnorm_tensor_id id, uint64_t rows)
{
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_tensor_uses_of(desc, direction, rows, uses);
    return uses[id];
}

/* ---- arrays -------------------------------------------------------------------------------- */

#define ARRAY_PLACE(name) offsetof(clnorm_host_args, name)
static const size_t places[] = {CLNORM_TENSORS(ARRAY_PLACE)};
#undef ARRAY_PLACE
_Static_assert(sizeof(places) / sizeof(places[0]) == CLNORM_TENSOR_COUNT, "a tensor is missing");
_Static_assert(sizeof(clnorm_input) == sizeof(clnorm_output), "one of them is read as the other");

clnorm_output clnorm_host_array(const clnorm_host_args *args, clnorm_tensor_id id)
{
    clnorm_output array;
    memcpy(&array, (const char *)args + places[id], sizeof(array));
    return array;
}

void clnorm_host_array_set(clnorm_host_args *args, clnorm_tensor_id id, void *data, uint64_t stride)
{
    const clnorm_output array = {data, stride};
    memcpy((char *)args + places[id], &array, sizeof(array));
}
