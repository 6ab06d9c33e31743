/* SPDX-License-Identifier: MIT */
#include "base/checked.h"
#include "ops/recurrent/op.h"

/* Of the norms' gradients, one after the other. */
static clnorm_status find_lines(const clnorm_recurrent *op, uint64_t rows, uint64_t *bytes,
                                clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    *bytes = 0;
    for (size_t i = 0; i < sizeof(op->norms) / sizeof(op->norms[0]); i++) {
        size_t own = 0;
        if (op->norms[i])
            TRY(clnorm_op_workspace(op->norms[i], CLNORM_BACKWARD, rows, &own, error));
        *bytes = max_u64(*bytes, own);
    }
fail:
    return status;
}

clnorm_status clnorm_recurrent_find_regions(const clnorm_recurrent *op, uint64_t steps,
                                            uint64_t batch, clnorm_regions *regions,
                                            clnorm_error *error)
{
    const bool lstm = op->desc.cell == CLNORM_LSTM, gru = op->desc.cell == CLNORM_GRU;
    const bool norm = op->desc.norm, summed = op->summed;
    const uint64_t hidden = op->desc.hidden, features = op->desc.features, rows = steps * batch;
    const uint64_t gates = op->gates * hidden;
    const uint64_t norms = (summed ? 1 : 2) * op->bundles.count + (norm && lstm);
    uint64_t lines = 0;
    const clnorm_status status = find_lines(op, rows, &lines, error);
    if (status != CLNORM_OK)
        return status;
    /* of 4 bytes */
    const struct {
        clnorm_home home;
        uint64_t elements;
    } all[REGIONS] = {
        [SAVED_X] = {HOME_SAVED, rows * gates},
        [SAVED_H] = {HOME_SAVED, summed ? 0 : rows * gates},
        [SAVED_C] = {HOME_SAVED, lstm ? rows * hidden : 0},
        [SAVED_STATISTICS] = {HOME_SAVED, 2 * norms * rows},
        [FORWARD_LENGTHS] = {HOME_FORWARD, batch},
        [FORWARD_X] = {HOME_FORWARD, rows * gates},
        [FORWARD_H] = {HOME_FORWARD, summed ? 0 : batch * gates},
        [FORWARD_C] = {HOME_FORWARD, lstm ? 2 * batch * hidden : 0},
        [BACKWARD_LENGTHS] = {HOME_BACKWARD, batch},
        [BACKWARD_DP] = {HOME_BACKWARD,
                         rows * (summed ? max_u64(norm ? gates : 0, features) : gates)},
        [BACKWARD_DU] = {HOME_BACKWARD, rows * (summed ? gates : max_u64(gates, features))},
        [BACKWARD_DN] = {HOME_BACKWARD, norm && gru ? rows * hidden : 0},
        [BACKWARD_DQ] = {HOME_BACKWARD, norm && lstm ? rows * hidden : 0},
        [BACKWARD_DH] = {HOME_BACKWARD, batch * hidden},
        [BACKWARD_DC] = {HOME_BACKWARD, lstm ? batch * hidden : 0},
        [BACKWARD_LINES] = {HOME_BACKWARD, ceil_div(lines, 4)},
    };
    *regions = (clnorm_regions){.bytes = {0}};
    for (int i = 0; i < REGIONS; i++) {
        uint64_t *end = &regions->bytes[all[i].home];
        regions->at[i] = *end;
        *end += ceil_div(all[i].elements, 16) * 64;
    }
    return CLNORM_OK;
}

uint64_t clnorm_recurrent_workspace(const clnorm_regions *regions, clnorm_direction direction,
                                    const clnorm_recurrent_args *args)
{
    if (direction == CLNORM_BACKWARD)
        return regions->bytes[HOME_BACKWARD];
    if (!args->saved.buffer)
        return regions->bytes[HOME_FORWARD];
    return args->lengths ? regions->at[FORWARD_X] : 0;
}

clnorm_status clnorm_recurrent_sizes(const clnorm_recurrent *op, uint64_t steps, uint64_t batch,
                                     uint64_t *saved, uint64_t *forward_workspace,
                                     uint64_t *backward_workspace, clnorm_error *error)
{
    clnorm_regions regions;
    clnorm_status status;
    if (!op)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "op is NULL");
    TRY(clnorm_recurrent_shape_check(&op->desc, steps, batch, NULL, error));
    TRY(clnorm_recurrent_find_regions(op, steps, batch, &regions, error));
    if (saved)
        *saved = regions.bytes[HOME_SAVED];
    if (forward_workspace)
        *forward_workspace = regions.bytes[HOME_FORWARD];
    if (backward_workspace)
        *backward_workspace = regions.bytes[HOME_BACKWARD];
fail:
    return status;
}
