/* SPDX-License-Identifier: MIT */
#include "ops/gradients.h"

#include "base/kind.h"
#include "ops/set_args.h"

void clnorm_gradients_of(const clnorm_desc *desc, clnorm_gradient_info all[CLNORM_GRADIENTS])
{
    static const clnorm_tensor_id ids[CLNORM_GRADIENTS] = {
        [CLNORM_LINES_DWEIGHT] = TENSOR_dweight, [CLNORM_LINES_DBIAS] = TENSOR_dbias,
        [CLNORM_LINES_DX_BIAS] = TENSOR_dx_bias, [CLNORM_LINES_DGATE] = TENSOR_dgate,
        [CLNORM_LINES_DSCALE] = TENSOR_dscale,   [CLNORM_LINES_DSHIFT] = TENSOR_dshift};
    const bool param_rows = clnorm_kind_of(desc).params == CLNORM_PER_ROW;
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_tensor_uses_of(desc, CLNORM_BACKWARD, 1, uses);
    for (size_t i = 0; i < CLNORM_GRADIENTS; i++) {
        const bool mods = i >= CLNORM_LINES_DGATE;
        const bool direct = mods ? clnorm_has_row_mods(desc) : param_rows;
        all[i] = (clnorm_gradient_info){
            .id = ids[i],
            .used = uses[ids[i]].role == CLNORM_OUTPUT && !direct,
            .per_mod = mods && desc->rows_per_mod > 0,
            .length = uses[ids[i]].cols,
        };
    }
}
