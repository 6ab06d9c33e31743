/* SPDX-License-Identifier: MIT */
#include "base/kind.h"

#include <stddef.h>

static const clnorm_kind_info kinds[] = {
    [CLNORM_LAYER_NORM] =
        {.name = "layer_norm", .center = true, .weight = true, .bias = true, .fused = true},
    [CLNORM_RMS_NORM] = {.name = "rms_norm", .weight = true, .bias = true, .fused = true},
    [CLNORM_GROUP_NORM] = {.name = "group_norm",
                           .center = true,
                           .channels = true,
                           .weight = true,
                           .bias = true,
                           .params = CLNORM_PER_CHANNEL},
    [CLNORM_INSTANCE_NORM] = {.name = "instance_norm",
                              .center = true,
                              .channels = true,
                              .weight = true,
                              .bias = true,
                              .params = CLNORM_PER_CHANNEL},
    [CLNORM_BATCH_NORM] = {.name = "batch_norm",
                           .center = true,
                           .channels = true,
                           .batch = true,
                           .weight = true,
                           .bias = true,
                           .params = CLNORM_PER_CHANNEL},
    [CLNORM_LP_NORM] = {.name = "lp_norm", .norm = true},
    [CLNORM_WEIGHT_NORM] = {.name = "weight_norm",
                            .norm = true,
                            .weight = true,
                            .params = CLNORM_PER_ROW},
    [CLNORM_MVN] = {.name = "mvn", .center = true},
};

const clnorm_kind_info *clnorm_kind_find(clnorm_kind kind)
{
    return (size_t)kind < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[kind] : NULL;
}

clnorm_kind_info clnorm_kind_of(const clnorm_desc *desc)
{
    clnorm_kind_info info = kinds[desc->kind];
    if (desc->kind == CLNORM_MVN && desc->channels > 0)
        info.channels = info.batch = true;
    return info;
}

const char *clnorm_kind_name(clnorm_kind kind)
{
    const clnorm_kind_info *info = clnorm_kind_find(kind);
    return info ? info->name : "?";
}
