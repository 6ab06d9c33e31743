/* SPDX-License-Identifier: MIT */
#include "base/recurrent.h"

#include "base/checked.h"
#include "base/status.h"

#include <float.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* ---- what never changes: a row of the table for each tensor -------------------------------- */

/* Cells that have a tensor: three bits without norms, three with. */
enum {
    PLAIN = 1,
    NORMED = 1 << 3,
    EITHER = PLAIN | NORMED,
    RNN = 1 << CLNORM_RNN,
    LSTM = 1 << CLNORM_LSTM,
    GRU = 1 << CLNORM_GRU,
    ALL = RNN | LSTM | GRU
};

typedef enum { STATE, STEPS_X, STEPS_H, MATRIX_X, MATRIX_H, GATES, HIDDEN } shape_kind;

typedef enum {
    RESULT, /* of forward */
    OPERAND, /* of both directions */
    MUST_OPERAND,
    COTANGENT,
    GRADIENT
} part;

typedef struct {
    const char *name;
    unsigned cells;
    shape_kind shape;
    part part;
} tensor_info;

static const tensor_info tensors[RECURRENT_COUNT] = {
    [RECURRENT_y] = {"y", ALL *EITHER, STEPS_H, RESULT},
    [RECURRENT_h_n] = {"h_n", ALL *EITHER, STATE, RESULT},
    [RECURRENT_c_n] = {"c_n", LSTM *EITHER, STATE, RESULT},
    [RECURRENT_x] = {"x", ALL *EITHER, STEPS_X, MUST_OPERAND},
    [RECURRENT_h0] = {"h0", ALL *EITHER, STATE, OPERAND},
    [RECURRENT_c0] = {"c0", LSTM *EITHER, STATE, OPERAND},
    [RECURRENT_w_x] = {"w_x", ALL *EITHER, MATRIX_X, MUST_OPERAND},
    [RECURRENT_w_h] = {"w_h", ALL *EITHER, MATRIX_H, MUST_OPERAND},
    [RECURRENT_weight_x] = {"weight_x", (LSTM | GRU) * NORMED, GATES, OPERAND},
    [RECURRENT_bias_x] = {"bias_x", (LSTM | GRU) * NORMED, GATES, OPERAND},
    [RECURRENT_weight_h] = {"weight_h", (LSTM | GRU) * NORMED, GATES, OPERAND},
    [RECURRENT_bias_h] = {"bias_h", (LSTM | GRU) * NORMED, GATES, OPERAND},
    [RECURRENT_weight] = {"weight", RNN *NORMED, HIDDEN, OPERAND},
    [RECURRENT_bias] = {"bias", (RNN | LSTM) * NORMED | ALL *PLAIN, GATES, OPERAND},
    [RECURRENT_weight_c] = {"weight_c", LSTM *NORMED, HIDDEN, OPERAND},
    [RECURRENT_bias_c] = {"bias_c", LSTM *NORMED, HIDDEN, OPERAND},
    [RECURRENT_dy] = {"dy", ALL *EITHER, STEPS_H, COTANGENT},
    [RECURRENT_dh_n] = {"dh_n", ALL *EITHER, STATE, COTANGENT},
    [RECURRENT_dc_n] = {"dc_n", LSTM *EITHER, STATE, COTANGENT},
    [RECURRENT_dx] = {"dx", ALL *EITHER, STEPS_X, GRADIENT},
    [RECURRENT_dh0] = {"dh0", ALL *EITHER, STATE, GRADIENT},
    [RECURRENT_dc0] = {"dc0", LSTM *EITHER, STATE, GRADIENT},
    [RECURRENT_dw_x] = {"dw_x", ALL *EITHER, MATRIX_X, GRADIENT},
    [RECURRENT_dw_h] = {"dw_h", ALL *EITHER, MATRIX_H, GRADIENT},
    [RECURRENT_dweight_x] = {"dweight_x", (LSTM | GRU) * NORMED, GATES, GRADIENT},
    [RECURRENT_dbias_x] = {"dbias_x", (LSTM | GRU) * NORMED, GATES, GRADIENT},
    [RECURRENT_dweight_h] = {"dweight_h", (LSTM | GRU) * NORMED, GATES, GRADIENT},
    [RECURRENT_dbias_h] = {"dbias_h", (LSTM | GRU) * NORMED, GATES, GRADIENT},
    [RECURRENT_dweight] = {"dweight", RNN *NORMED, HIDDEN, GRADIENT},
    [RECURRENT_dbias] = {"dbias", (RNN | LSTM) * NORMED | ALL *PLAIN, GATES, GRADIENT},
    [RECURRENT_dweight_c] = {"dweight_c", LSTM *NORMED, HIDDEN, GRADIENT},
    [RECURRENT_dbias_c] = {"dbias_c", LSTM *NORMED, HIDDEN, GRADIENT},
};

static const struct {
    clnorm_role role[2]; /* by direction */
    bool required[2];
} parts[] = {
    [RESULT] = {{CLNORM_OUTPUT, CLNORM_UNUSED}, {false, false}},
    [OPERAND] = {{CLNORM_INPUT, CLNORM_INPUT}, {false, false}},
    [MUST_OPERAND] = {{CLNORM_INPUT, CLNORM_INPUT}, {true, true}},
    [COTANGENT] = {{CLNORM_UNUSED, CLNORM_INPUT}, {false, false}},
    [GRADIENT] = {{CLNORM_UNUSED, CLNORM_OUTPUT}, {false, false}},
};

static const struct {
    const char *name;
    unsigned gates;
} cells[] = {
    [CLNORM_RNN] = {"rnn", 1},
    [CLNORM_LSTM] = {"lstm", 4},
    [CLNORM_GRU] = {"gru", 3},
};

const char *clnorm_recurrent_tensor_name(clnorm_recurrent_id id) { return tensors[id].name; }
const char *clnorm_recurrent_cell_name(clnorm_cell cell) { return cells[cell].name; }
unsigned clnorm_recurrent_gates(clnorm_cell cell) { return cells[cell].gates; }

/* ---- descriptor ---------------------------------------------------------------------------- */

static clnorm_status check_whole_numbers(const clnorm_recurrent_desc *desc, clnorm_error *error)
{
    const bool rnn = desc->cell == CLNORM_RNN, normed = desc->norm == 1;
    const struct {
        const char *name;
        uint64_t value, least, most;
        const char *allowed;
    } numbers[] = {
        {"cell", (unsigned)desc->cell, 0, CLNORM_GRU, "are 0 (rnn), 1 (lstm) and 2 (gru)"},
        {"nonlinearity", (unsigned)desc->nonlinearity, 0, rnn ? CLNORM_RELU : 0,
         rnn ? "are 0 (tanh) and 1 (relu)" : "is 0, as only an rnn has a choice"},
        {"features", desc->features, 1, CLNORM_RECURRENT_MAX_WIDTH, "are 1 to 1048576"},
        {"hidden", desc->hidden, 1, CLNORM_RECURRENT_MAX_WIDTH, "are 1 to 1048576"},
        {"norm", (unsigned)desc->norm, 0, 1, "are 0 and 1"},
        {"norm_gates", (unsigned)desc->norm_gates, 0, normed && !rnn,
         !normed ? "is 0, as norm is 0"
         : rnn   ? "is 0, as an rnn has one gate"
                 : "are 0 and 1"},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (numbers[i].value < numbers[i].least || numbers[i].value > numbers[i].most)
            return clnorm_fail(error, CLNORM_BAD_DESC, "%s is %" PRIu64 "; allowed %s",
                               numbers[i].name, numbers[i].value, numbers[i].allowed);
    return CLNORM_OK;
}

clnorm_status clnorm_recurrent_desc_check(const clnorm_recurrent_desc *desc, clnorm_error *error)
{
    if (!desc)
        return clnorm_fail(error, CLNORM_BAD_DESC, "desc is NULL; allowed is a descriptor");
    if (desc->struct_size != sizeof(*desc))
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "desc->struct_size is %zu; allowed is %zu: use "
                           "CLNORM_RECURRENT_DESC_INIT",
                           desc->struct_size, sizeof(*desc));
    const clnorm_status status = check_whole_numbers(desc, error);
    if (status != CLNORM_OK)
        return status;
    /* subnormal numbers are 0 on some devices */
    if (desc->eps == 0 || (desc->eps >= FLT_MIN && desc->eps <= FLT_MAX))
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_BAD_DESC, "eps is %g; allowed are 0 and %.3g to %.3g",
                       desc->eps, FLT_MIN, FLT_MAX);
}

/* ---- tensors ------------------------------------------------------------------------------- */

static void find_shape(const clnorm_recurrent_desc *desc, shape_kind shape, uint64_t steps,
                       uint64_t batch, clnorm_recurrent_use *use)
{
    const uint64_t gates = clnorm_recurrent_gates(desc->cell) * desc->hidden;
    const uint64_t rows[] = {
        [STATE] = batch,    [STEPS_X] = steps * batch, [STEPS_H] = steps * batch,
        [MATRIX_X] = gates, [MATRIX_H] = gates,        [GATES] = 1,
        [HIDDEN] = 1,
    };
    const uint64_t cols[] = {
        [STATE] = desc->hidden,      [STEPS_X] = desc->features, [STEPS_H] = desc->hidden,
        [MATRIX_X] = desc->features, [MATRIX_H] = desc->hidden,  [GATES] = gates,
        [HIDDEN] = desc->hidden,
    };
    use->rows = rows[shape];
    use->cols = cols[shape];
}

clnorm_recurrent_use clnorm_recurrent_use_of(const clnorm_recurrent_desc *desc,
                                             clnorm_direction direction, clnorm_recurrent_id id,
                                             uint64_t steps, uint64_t batch)
{
    const tensor_info *info = &tensors[id];
    const unsigned bit = (1U << desc->cell) * (desc->norm ? NORMED : PLAIN);
    clnorm_recurrent_use use = {.role = CLNORM_UNUSED};
    if (!(info->cells & bit))
        return use;
    use.role = parts[info->part].role[direction];
    use.required = parts[info->part].required[direction];
    if (id == RECURRENT_y) {
        use.role = direction == CLNORM_FORWARD ? CLNORM_OUTPUT : CLNORM_INPUT;
        use.required = true;
    }
    find_shape(desc, info->shape, steps, batch, &use);
    return use;
}

clnorm_status clnorm_recurrent_tensors_check(const clnorm_recurrent_desc *desc,
                                             clnorm_direction direction,
                                             const bool given[RECURRENT_COUNT], clnorm_error *error)
{
    const char *const way = direction == CLNORM_FORWARD ? "forward" : "backward";
    const char *const norm = desc->norm ? "with" : "without", *cell = cells[desc->cell].name;
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_use use =
            clnorm_recurrent_use_of(desc, direction, (clnorm_recurrent_id)i, 1, 1);
        if (given[i] && use.role == CLNORM_UNUSED)
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "%s is given, but %s %s norm, %s, has no use for it: it must be "
                               "NULL",
                               tensors[i].name, cell, norm, way);
        if (!given[i] && use.required)
            return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL, and %s %s norm, %s, needs it",
                               tensors[i].name, cell, norm, way);
    }
    return CLNORM_OK;
}

/* ---- sizes --------------------------------------------------------------------------------- */

#define MOST_ELEMENTS ((uint64_t)1 << 40)

static clnorm_status check_elements(const clnorm_recurrent_desc *desc, uint64_t steps,
                                    uint64_t batch, clnorm_error *error)
{
    for (int i = 0; i < RECURRENT_COUNT; i++) {
        const clnorm_recurrent_use use =
            clnorm_recurrent_use_of(desc, CLNORM_FORWARD, (clnorm_recurrent_id)i, steps, batch);
        if (use.role != CLNORM_UNUSED && use.rows * use.cols > MOST_ELEMENTS)
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "%s has %" PRIu64 " x %" PRIu64 " elements with steps %" PRIu64
                               " and batch %" PRIu64 "; allowed are %" PRIu64 " in all",
                               tensors[i].name, use.rows, use.cols, steps, batch, MOST_ELEMENTS);
    }
    return CLNORM_OK;
}

clnorm_status clnorm_recurrent_shape_check(const clnorm_recurrent_desc *desc, uint64_t steps,
                                           uint64_t batch, const uint32_t *lengths,
                                           clnorm_error *error)
{
    uint64_t rows;
    if (steps == 0 || batch == 0)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is 0; allowed are numbers from 1",
                           steps == 0 ? "steps" : "batch");
    if (!checked_mul(steps, batch, &rows) || rows > MOST_ELEMENTS)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "steps is %" PRIu64 " and batch %" PRIu64 "; allowed are %" PRIu64
                           " rows in all",
                           steps, batch, MOST_ELEMENTS);
    const clnorm_status status = check_elements(desc, steps, batch, error);
    if (status != CLNORM_OK)
        return status;
    for (uint64_t i = 0; lengths && i < batch; i++)
        if (lengths[i] > steps)
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "lengths[%" PRIu64 "] is %" PRIu32 "; allowed are 0 to steps, "
                               "%" PRIu64,
                               i, lengths[i], steps);
    return CLNORM_OK;
}

/* ---- host arrays --------------------------------------------------------------------------- */

#define PLACE(name) offsetof(clnorm_recurrent_host_args, name),
static const size_t places[] = {CLNORM_RECURRENT_TENSORS(PLACE, PLACE)};
#undef PLACE
_Static_assert(sizeof(double *) == sizeof(const float *), "one of them is read as the other");

void *clnorm_recurrent_host_array(const clnorm_recurrent_host_args *args, clnorm_recurrent_id id)
{
    void *array;
    memcpy(&array, (const char *)args + places[id], sizeof(array));
    return array;
}

void clnorm_recurrent_host_array_set(clnorm_recurrent_host_args *args, clnorm_recurrent_id id,
                                     const void *array)
{
    memcpy((char *)args + places[id], &array, sizeof(array));
}
