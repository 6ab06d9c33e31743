/* SPDX-License-Identifier: MIT */
#include "base/sets.h"

#include "base/kind.h"

static clnorm_sets of_rows(const clnorm_desc *desc, const clnorm_kind_info *kind, uint64_t rows)
{
    const uint64_t run = desc->cols / desc->groups;
    const bool per_row = kind->params == CLNORM_PER_ROW;
    return (clnorm_sets){.count = rows * desc->groups,
                         .inner = desc->groups,
                         .step = run,
                         .segments = 1,
                         .run = run,
                         .period = per_row ? UINT64_MAX : desc->groups,
                         .param_step = per_row ? 1 : run,
                         .per_col = !per_row,
                         .plain = desc->groups == 1 && !per_row};
}

/* Of a sample, or for batch kinds of all samples. */
static clnorm_sets of_channels(const clnorm_desc *desc, bool batch, uint64_t rows)
{
    const uint64_t spatial = desc->cols / desc->channels;
    const uint64_t groups = batch ? desc->channels : desc->groups;
    const uint64_t channels = desc->channels / groups; /* of a set */
    clnorm_sets sets = {.count = batch ? groups : rows * groups,
                        .inner = groups,
                        .through_rows = batch,
                        .period = groups,
                        .param_step = channels};
    if (desc->layout == CLNORM_NHWC) {
        sets.step = channels;
        sets.segments = batch ? rows * spatial : spatial;
        sets.run = channels;
        sets.segment = desc->channels;
        sets.per_col = channels > 1;
        sets.needs_dense_rows = batch;
        return sets;
    }
    sets.step = channels * spatial;
    sets.segments = batch ? rows : channels;
    sets.run = spatial;
    sets.segment = batch ? 0 : spatial;
    sets.param_segment = batch ? 0 : 1;
    return sets;
}

clnorm_sets clnorm_sets_of(const clnorm_desc *desc, uint64_t rows)
{
    const clnorm_kind_info kind = clnorm_kind_of(desc);
    return kind.channels ? of_channels(desc, kind.batch, rows) : of_rows(desc, &kind, rows);
}

uint64_t clnorm_set_size(const clnorm_desc *desc, uint64_t rows)
{
    const clnorm_sets sets = clnorm_sets_of(desc, rows);
    return sets.segments * sets.run;
}
