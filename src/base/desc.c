/* SPDX-License-Identifier: MIT */
#include "base/desc.h"

#include "base/checked.h"
#include "base/desc_rules.h"
#include "base/dtype.h"
#include "base/kind.h"
#include "base/status.h"
#include "base/tuning.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct {
    const char *name;
    unsigned value, count; /* allowed are 0 .. count - 1 */
    const char *allowed;
} choice;

static clnorm_status check_choices(const choice *choices, size_t count, clnorm_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (choices[i].value >= choices[i].count)
            return clnorm_fail(error, CLNORM_BAD_DESC, "%s is %u; allowed are %s", choices[i].name,
                               choices[i].value, choices[i].allowed);
    return CLNORM_OK;
}

/* ---- dtypes -------------------------------------------------------------------------------- */

/* Every dtype of a descriptor, in the order in which defaults follow from one another. */
static const struct {
    const char *name;
    size_t place, like; /* like: the dtype that stands for the default; 0: there is none */
} dtypes[] = {
    {"x_dtype", offsetof(clnorm_desc, x_dtype), 0},
    {"y_dtype", offsetof(clnorm_desc, y_dtype), 0},
    {"param_dtype", offsetof(clnorm_desc, param_dtype), 0},
    {"residual_dtype", offsetof(clnorm_desc, residual_dtype), offsetof(clnorm_desc, x_dtype)},
    {"dy_dtype", offsetof(clnorm_desc, dy_dtype), offsetof(clnorm_desc, y_dtype)},
    {"dx_dtype", offsetof(clnorm_desc, dx_dtype), offsetof(clnorm_desc, x_dtype)},
    {"dparam_dtype", offsetof(clnorm_desc, dparam_dtype), offsetof(clnorm_desc, param_dtype)},
};
enum { DTYPES = sizeof(dtypes) / sizeof(dtypes[0]) };

static clnorm_dtype *dtype_at(clnorm_desc *desc, size_t place)
{
    return (clnorm_dtype *)(void *)((char *)desc + place);
}

static clnorm_status resolve_dtypes(clnorm_desc *desc, clnorm_error *error)
{
    for (size_t i = 0; i < DTYPES; i++) {
        clnorm_dtype *dtype = dtype_at(desc, dtypes[i].place);
        if (*dtype == CLNORM_DTYPE_DEFAULT && dtypes[i].like) {
            const clnorm_dtype like = *dtype_at(desc, dtypes[i].like);
            *dtype = clnorm_dtype_is_quantised(like) ? desc->x_dtype : like;
        }
        const bool quantised = dtype == &desc->y_dtype && clnorm_dtype_is_quantised(*dtype);
        if ((unsigned)*dtype > CLNORM_F64 && !quantised)
            return clnorm_fail(error, CLNORM_BAD_DESC, "%s is %u (%s); allowed are %s",
                               dtypes[i].name, (unsigned)*dtype, clnorm_dtype_name(*dtype),
                               dtype == &desc->y_dtype
                                   ? "f32, f16, bf16, f64, and i8, e4m3, e5m2 with quant"
                                   : "f32, f16, bf16 and f64, as y alone can be quantised");
    }
    return CLNORM_OK;
}

static clnorm_status check_f64(clnorm_desc *desc, clnorm_error *error)
{
    const bool wide = desc->x_dtype == CLNORM_F64;
    for (size_t i = 0; i < DTYPES; i++) {
        const clnorm_dtype dtype = *dtype_at(desc, dtypes[i].place);
        if ((dtype == CLNORM_F64) != wide)
            return clnorm_fail(
                error, CLNORM_BAD_DESC,
                "x_dtype is %s, %s is %s; allowed is f64 for all tensors or for none",
                clnorm_dtype_name(desc->x_dtype), dtypes[i].name, clnorm_dtype_name(dtype));
    }
    return CLNORM_OK;
}

/* ---- sizes --------------------------------------------------------------------------------- */

static clnorm_status resolve_channels(clnorm_desc *desc, const clnorm_kind_info *kind,
                                      clnorm_error *error)
{
    const char *const name = kind->name;
    if (!kind->channels && desc->channels)
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "channels is %" PRIu64 "; allowed is 0: %s has no channels",
                           desc->channels, name);
    if (!kind->channels)
        return CLNORM_OK;
    if (desc->cols == 0)
        desc->cols = desc->channels;
    if (desc->channels == 0 || desc->cols % desc->channels)
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "channels is %" PRIu64 "; allowed are divisors of cols, %" PRIu64,
                           desc->channels, desc->cols);
    const uint64_t own = desc->kind == CLNORM_INSTANCE_NORM ? desc->channels : 1;
    if (desc->kind != CLNORM_GROUP_NORM && desc->groups && desc->groups != own)
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "groups is %" PRIu64 "; allowed is 0: %s has none", desc->groups, name);
    if (desc->kind != CLNORM_GROUP_NORM)
        desc->groups = own;
    return CLNORM_OK;
}

static clnorm_status resolve_groups(clnorm_desc *desc, const clnorm_kind_info *kind,
                                    clnorm_error *error)
{
    const uint64_t whole = kind->channels ? desc->channels : desc->cols;
    if (desc->groups == 0)
        desc->groups = 1;
    if (desc->groups > 1 && !kind->fused && !kind->channels)
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "groups is %" PRIu64 "; allowed is 1: %s works on whole rows",
                           desc->groups, kind->name);
    if (whole % desc->groups)
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "groups is %" PRIu64 "; allowed are divisors of %s, %" PRIu64,
                           desc->groups, kind->channels ? "channels" : "cols", whole);
    return CLNORM_OK;
}

static clnorm_status resolve_sizes(clnorm_desc *desc, clnorm_error *error)
{
    const clnorm_kind_info kind = clnorm_kind_of(desc);
    clnorm_status status = resolve_channels(desc, &kind, error);
    if (status != CLNORM_OK)
        return status;
    if (desc->cols < 1 || desc->cols > CLNORM_MAX_COLS)
        return clnorm_fail(error, CLNORM_BAD_DESC, "cols is %" PRIu64 "; allowed are 1 to %" PRIu64,
                           desc->cols, CLNORM_MAX_COLS);
    status = resolve_groups(desc, &kind, error);
    if (status != CLNORM_OK)
        return status;
    if (desc->stats_cols > desc->cols)
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "stats_cols is %" PRIu64 "; allowed are 0 to cols, %" PRIu64,
                           desc->stats_cols, desc->cols);
    if (desc->quant == CLNORM_QUANT_GROUP &&
        (desc->quant_group == 0 || desc->cols % desc->quant_group))
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "quant_group is %" PRIu64 "; allowed are divisors of cols, %" PRIu64,
                           desc->quant_group, desc->cols);
    return CLNORM_OK;
}

/* ---- numbers ------------------------------------------------------------------------------- */

static clnorm_status check_numbers(const clnorm_desc *desc, clnorm_error *error)
{
    const double most = desc->x_dtype == CLNORM_F64 ? DBL_MAX : FLT_MAX;
    const struct {
        const char *name;
        double value, least, most;
    } numbers[] = {
        {"p", desc->p, 1, 64},
        {"weight_offset", desc->weight_offset, -most, most},
        {"alpha", desc->alpha, -most, most},
        {"scale_offset", desc->scale_offset, -most, most},
        {"dropout", desc->dropout, 0, 1},
        {"momentum", desc->momentum, 0, 1},
        {"qscale_min", desc->qscale_min, 0, FLT_MAX},
        {"qscale_max", desc->qscale_max, 0, FLT_MAX},
        {"ddof", desc->ddof, 0, 1},
        {"center_only", desc->center_only, 0, 1},
        {"running_biased", desc->running_biased, 0, 1},
        {"quant_asymmetric", desc->quant_asymmetric, 0, 1},
        {"inputs", desc->inputs, 0, 15},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (!(numbers[i].value >= numbers[i].least && numbers[i].value <= numbers[i].most))
            return clnorm_fail(error, CLNORM_BAD_DESC, "%s is %g; allowed are %g to %g",
                               numbers[i].name, numbers[i].value, numbers[i].least,
                               numbers[i].most);
    return CLNORM_OK;
}

/* eps is a number of the device's arithmetic; subnormal ones are 0 on some devices. */
static clnorm_status check_eps(const clnorm_desc *desc, clnorm_error *error)
{
    const bool wide = desc->x_dtype == CLNORM_F64;
    const double least = wide ? DBL_MIN : FLT_MIN, most = wide ? DBL_MAX : FLT_MAX;
    if (desc->eps == 0 || (desc->eps >= least && desc->eps <= most))
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_BAD_DESC, "eps is %g; allowed are 0 and %.3g to %.3g",
                       desc->eps, least, most);
}

static clnorm_status check_tuning(const clnorm_desc *desc, clnorm_error *error)
{
    clnorm_tuning tuning;
    clnorm_error reason;
    if (!desc->tuning)
        return CLNORM_OK;
    if (clnorm_tuning_parse(desc->tuning, &tuning, &reason) != CLNORM_OK)
        return clnorm_fail(error, CLNORM_BAD_DESC, "tuning: %s", reason.text);
    if (tuning.form && desc->form && tuning.form != desc->form)
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "form is %u (%s) and tuning has form=%s; allowed is one of them",
                           (unsigned)desc->form, clnorm_form_name(desc->form),
                           clnorm_form_name(tuning.form));
    return CLNORM_OK;
}

/* ---- all together -------------------------------------------------------------------------- */

static clnorm_status check_enums(const clnorm_desc *desc, clnorm_error *error)
{
    const choice choices[] = {
        {"kind", (unsigned)desc->kind, CLNORM_MVN + 1, "0 (layer norm) to 7 (MVN)"},
        {"form", (unsigned)desc->form, CLNORM_FORM_COOPERATIVE + 1,
         "0 (auto), 1 (sequential), 2 (sliced), 3 (held) and 4 (cooperative)"},
        {"layout", (unsigned)desc->layout, CLNORM_NHWC + 1, "0 (NCHW) and 1 (NHWC)"},
        {"eps_mode", (unsigned)desc->eps_mode, CLNORM_EPS_CLAMP + 1,
         "0 (inside), 1 (outside) and 2 (clamp)"},
        {"cast", (unsigned)desc->cast, CLNORM_CAST_FIRST + 1, "0 (wide) and 1 (first)"},
        {"contract", (unsigned)desc->contract, CLNORM_SUM_EXACT + 1,
         "0 (rounded sum) and 1 (exact sum)"},
        {"stats", (unsigned)desc->stats, CLNORM_STATS_RUNNING + 1,
         "0 (computed), 1 (given) and 2 (running)"},
        {"act_gate", (unsigned)desc->act_gate, CLNORM_ACT_BEFORE + 1,
         "0 (none), 1 (after) and 2 (before)"},
        {"quant", (unsigned)desc->quant, CLNORM_QUANT_GROUP + 1,
         "0 (none), 1 (static), 2 (row) and 3 (group)"},
        {"backward", (unsigned)desc->backward, CLNORM_FROM_OUTPUT + 1,
         "0 (from input) and 1 (from output)"},
    };
    return check_choices(choices, sizeof(choices) / sizeof(choices[0]), error);
}

clnorm_status clnorm_desc_resolve(const clnorm_desc *desc, clnorm_desc *resolved,
                                  clnorm_error *error)
{
    clnorm_desc d;
    if (!desc)
        return clnorm_fail(error, CLNORM_BAD_DESC, "desc is NULL; allowed is a descriptor");
    if (desc->struct_size != sizeof(*desc))
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "desc->struct_size is %zu; allowed is %zu: use CLNORM_DESC_INIT",
                           desc->struct_size, sizeof(*desc));
    d = *desc;
    clnorm_status status = check_enums(&d, error);
    if (status == CLNORM_OK)
        status = resolve_dtypes(&d, error);
    if (status == CLNORM_OK)
        status = check_f64(&d, error);
    if (status == CLNORM_OK)
        status = resolve_sizes(&d, error);
    if (status == CLNORM_OK)
        status = check_numbers(&d, error);
    if (status == CLNORM_OK)
        status = check_eps(&d, error);
    if (status == CLNORM_OK)
        status = clnorm_desc_rules(&d, error);
    if (status == CLNORM_OK)
        status = check_tuning(&d, error);
    if (status == CLNORM_OK)
        *resolved = d;
    return status;
}

clnorm_status clnorm_desc_check(const clnorm_desc *desc, clnorm_error *error)
{
    clnorm_desc resolved;
    return clnorm_desc_resolve(desc, &resolved, error);
}

clnorm_dtype clnorm_stats_dtype(const clnorm_desc *desc)
{
    return desc->x_dtype == CLNORM_F64 ? CLNORM_F64 : CLNORM_F32;
}

bool clnorm_desc_has_sum(const clnorm_desc *desc)
{
    return (desc->inputs & ~(unsigned)CLNORM_WITH_MODULATION) != 0 || desc->dropout > 0;
}

clnorm_status clnorm_host_tensor_check(const char *name, clnorm_dtype dtype, const void *array,
                                       uint64_t rows, uint64_t cols, uint64_t *stride,
                                       clnorm_error *error)
{
    uint64_t elements, bytes;
    if (!array && rows > 0)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s is NULL and rows is %" PRIu64 "; allowed is NULL for 0 rows only",
                           name, rows);
    if (*stride == 0)
        *stride = cols;
    if (*stride < cols)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s_stride is %" PRIu64
                           "; allowed are 0 and numbers from cols, %" PRIu64,
                           name, *stride, cols);
    if (!checked_mul(rows, *stride, &elements) ||
        !checked_mul(elements, clnorm_dtype_bytes(dtype), &bytes) || bytes > SIZE_MAX)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s has %" PRIu64 " rows %" PRIu64
                           " elements of %s apart; allowed are %zu bytes in all",
                           name, rows, *stride, clnorm_dtype_name(dtype), SIZE_MAX);
    return CLNORM_OK;
}
