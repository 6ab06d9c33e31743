/* SPDX-License-Identifier: MIT */
/* Devices that end the loops of a work-item after so many iterations. */
#include "base/checked.h"
#include "ops/form.h"
#include "ops/op.h"
#include "runtime/quirks.h"

uint64_t clnorm_most_iterations(const clnorm_device *device)
{
    return clnorm_quirk_reason(device, CLNORM_QUIRK_SHORT_LOOPS) ? 65535 : UINT64_MAX;
}

/* At most three passes by its group forward and four backward, two to rescue the set alone; every
 * pass has its blocks, and a few more are for the loop over sets and the sums. A part of a row ends
 * all its passes by itself, and is merged twice. */
uint64_t clnorm_iterations_of(const clnorm_geometry *geometry, const clnorm_sets *sets)
{
    const uint64_t alone = sets->run / geometry->vec + 1;
    const uint64_t shared = alone / geometry->team_size + 1;
    const uint64_t vectors = sets->segments * (4 * (shared + 1) + 2 * (alone + 1));
    return vectors + vectors / 64 + 16 * clnorm_parts_of_row(geometry, sets->run) + 64;
}

clnorm_status clnorm_iterations_allow(const clnorm_context *context,
                                      const clnorm_geometry *geometry, const clnorm_sets *sets,
                                      uint64_t iterations, clnorm_error *error)
{
    if (iterations <= geometry->most_iterations)
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_UNSUPPORTED,
                       "%llu times %llu columns take a work-item %llu iterations in this form, and "
                       "%s ends its loops after %llu",
                       (unsigned long long)sets->segments, (unsigned long long)sets->run,
                       (unsigned long long)iterations, context->device.name,
                       (unsigned long long)geometry->most_iterations);
}

/* A kernel may be in another form than the op: one that passed its self-test. */
uint64_t clnorm_most_rows(const clnorm_op *op)
{
    const clnorm_sets sets = clnorm_sets_of(&op->desc, 1);
    uint64_t set = clnorm_iterations_of(&op->geometry, &sets);
    for (size_t i = op->first; i < op->n_candidates; i++) {
        const uint64_t other = clnorm_iterations_of(&op->candidates[i], &sets);
        set = other > set ? other : set;
    }
    const uint64_t rows = op->geometry.most_iterations / (set * sets.count);
    return rows > 0 ? rows : 1;
}
