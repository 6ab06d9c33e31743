/* SPDX-License-Identifier: MIT */
#include "base/desc.h"

#include "base/checked.h"
#include "base/status.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

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

static clnorm_status check_f64(const clnorm_desc *desc, clnorm_error *error)
{
    const unsigned doubles = (desc->x_dtype == CLNORM_F64) + (desc->y_dtype == CLNORM_F64) +
                             (desc->param_dtype == CLNORM_F64);
    if (doubles == 0 || doubles == 3)
        return CLNORM_OK;
    return clnorm_fail(
        error, CLNORM_BAD_DESC,
        "x_dtype is %s, y_dtype is %s, param_dtype is %s; allowed is f64 for all three or for none",
        clnorm_dtype_name(desc->x_dtype), clnorm_dtype_name(desc->y_dtype),
        clnorm_dtype_name(desc->param_dtype));
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

clnorm_status clnorm_desc_check(const clnorm_desc *desc, clnorm_error *error)
{
    static const char kinds[] = "0 (layer norm) and 1 (RMS norm)";
    static const char dtypes[] = "0 (f32), 1 (f16), 2 (bf16) and 3 (f64)";
    static const char forms[] = "0 (auto), 1 (sequential) and 2 (cooperative)";
    if (!desc)
        return clnorm_fail(error, CLNORM_BAD_DESC, "desc is NULL; allowed is a descriptor");
    if (desc->struct_size != sizeof(*desc))
        return clnorm_fail(error, CLNORM_BAD_DESC,
                           "desc->struct_size is %zu; allowed is %zu: use CLNORM_DESC_INIT",
                           desc->struct_size, sizeof(*desc));
    const choice choices[] = {
        {"kind", (unsigned)desc->kind, CLNORM_RMS_NORM + 1, kinds},
        {"x_dtype", (unsigned)desc->x_dtype, CLNORM_F64 + 1, dtypes},
        {"y_dtype", (unsigned)desc->y_dtype, CLNORM_F64 + 1, dtypes},
        {"param_dtype", (unsigned)desc->param_dtype, CLNORM_F64 + 1, dtypes},
        {"form", (unsigned)desc->form, CLNORM_FORM_COOPERATIVE + 1, forms},
    };
    const clnorm_status status =
        check_choices(choices, sizeof(choices) / sizeof(choices[0]), error);
    if (status != CLNORM_OK)
        return status;
    if (desc->cols < 1 || desc->cols > CLNORM_MAX_COLS)
        return clnorm_fail(error, CLNORM_BAD_DESC, "cols is %" PRIu64 "; allowed are 1 to %" PRIu64,
                           desc->cols, CLNORM_MAX_COLS);
    const clnorm_status types = check_f64(desc, error);
    return types == CLNORM_OK ? check_eps(desc, error) : types;
}

clnorm_dtype clnorm_stats_dtype(const clnorm_desc *desc)
{
    return desc->x_dtype == CLNORM_F64 ? CLNORM_F64 : CLNORM_F32;
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
