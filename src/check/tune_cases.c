/* SPDX-License-Identifier: MIT */
#include "check/tune.h"
#include "ops/tuning.h"

/* What is measured stands for widths up to about the geometric mean with the next one. */
static const struct {
    uint64_t cols, least, most;
} bands[] = {
    {768, 512, 895}, {1024, 896, 2047},    {4096, 2048, 8191},
    {256, 128, 511}, {16384, 8192, 32767}, {65536, 32768, CLNORM_MAX_COLS},
    {64, 1, 127},
};
static const clnorm_dtype dtypes[] = {CLNORM_F32, CLNORM_F16, CLNORM_BF16};
static const clnorm_kind kinds[] = {CLNORM_LAYER_NORM, CLNORM_RMS_NORM};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A resolved one, as far as the choice of a form looks at it. */
static clnorm_desc desc_of(uint64_t cols)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.cols = cols;
    desc.groups = 1;
    return desc;
}

/* Without another store there is nothing to choose. */
static bool has_streaming_store(const clnorm_context *context)
{
    const clnorm_desc desc = desc_of(bands[0].cols);
    clnorm_geometry list[CLNORM_MOST_CANDIDATES];
    const clnorm_tuning none = {.form = CLNORM_FORM_AUTO};
    return clnorm_geometry_list(context, &desc, &none, list) > 0 && list[0].cpu_hints;
}

size_t clnorm_tune_cases(clnorm_context *context, const clnorm_tune_filter *filter,
                         clnorm_tune_case cases[CLNORM_MOST_TUNE_CASES])
{
    size_t n = 0;
    if (has_streaming_store(context))
        cases[n++] = (clnorm_tune_case){.stream = true, .cols = 1024};
    for (size_t b = 0; b < COUNT(bands); b++)
        for (size_t d = 0; d < COUNT(dtypes); d++)
            for (size_t k = 0; k < COUNT(kinds); k++)
                if ((filter->kind < 0 || filter->kind == (int)kinds[k]) &&
                    (filter->dtype < 0 || filter->dtype == (int)dtypes[d]) &&
                    (!filter->cols ||
                     (bands[b].least <= filter->cols && filter->cols <= bands[b].most)))
                    cases[n++] = (clnorm_tune_case){.kind = kinds[k],
                                                    .dtype = dtypes[d],
                                                    .cols = bands[b].cols,
                                                    .least_cols = bands[b].least,
                                                    .most_cols = bands[b].most};
    return n;
}

clnorm_tuning_record clnorm_tune_device_record(const clnorm_device *device)
{
    clnorm_tuning_record record = {.key = clnorm_tuning_device_key(device)};
    record.key.vendor[0] = '\0'; /* the device says it all */
    record.key.type = CLNORM_ANY_DEVICE;
    return record;
}

clnorm_tuning_record clnorm_tune_record(const clnorm_device *device, const clnorm_tune_case *c)
{
    clnorm_tuning_record record = clnorm_tune_device_record(device);
    record.names = c->stream ? CLNORM_TUNES_STREAM : CLNORM_TUNES_KERNEL;
    record.key.kind = c->stream ? -1 : (int)c->kind;
    record.key.dtype = c->stream ? -1 : (int)c->dtype;
    record.key.least_cols = c->least_cols;
    record.key.most_cols = c->stream ? UINT64_MAX : c->most_cols;
    return record;
}
