/* SPDX-License-Identifier: MIT */
/* Which tensors make sense together. */
#include "base/kind.h"
#include "base/sets.h"
#include "base/status.h"
#include "base/tensor.h"

/* ---- choices ------------------------------------------------------------------------------- */

/* Pairs that come together or not at all. */
static const clnorm_tensor_id pairs[][2] = {
    {TENSOR_running_mean, TENSOR_running_var},
};

static clnorm_status check_alone(const clnorm_desc *desc, clnorm_direction direction, uint64_t rows,
                                 const clnorm_tensor_use *uses, const bool *given,
                                 clnorm_error *error)
{
    const char *const way = direction == CLNORM_FORWARD ? "forward" : "backward";
    for (int id = 0; id < TENSOR_COUNT; id++) {
        if (given[id] && uses[id].role == CLNORM_UNUSED)
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "%s is given, but %s of this descriptor, %s, has no use for it: it "
                               "must be NULL",
                               clnorm_tensor_name((clnorm_tensor_id)id),
                               clnorm_kind_name(desc->kind), way);
        if (!given[id] && uses[id].required && rows > 0)
            return clnorm_fail(
                error, CLNORM_BAD_ARGS, "%s is NULL, and %s of this descriptor, %s, needs it",
                clnorm_tensor_name((clnorm_tensor_id)id), clnorm_kind_name(desc->kind), way);
    }
    return CLNORM_OK;
}

/* A backward pass starts from the sum, or from all that it is made of. */
static clnorm_status check_sum(const clnorm_desc *desc, const clnorm_tensor_use *uses,
                               const bool *given, clnorm_error *error)
{
    static const clnorm_tensor_id parts[] = {TENSOR_x, TENSOR_residual, TENSOR_x_bias};
    if (uses[TENSOR_sum].role == CLNORM_UNUSED || desc->backward == CLNORM_FROM_OUTPUT)
        return CLNORM_OK;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        const bool used =
            clnorm_tensor_use_of(desc, CLNORM_FORWARD, parts[i], 1).role != CLNORM_UNUSED;
        const bool for_gate = given[TENSOR_dgate] && parts[i] != TENSOR_residual;
        if (used && !given[parts[i]] && (!given[TENSOR_sum] || for_gate))
            return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL, and %s",
                               clnorm_tensor_name(parts[i]),
                               for_gate ? "dgate needs it" : "sum is not given instead");
    }
    return CLNORM_OK;
}

/* Where a set goes through all rows, its size is known only with them. */
static clnorm_status check_sets(const clnorm_desc *desc, uint64_t rows, clnorm_error *error)
{
    if (desc->ddof == 0 || clnorm_set_size(desc, rows) > 1)
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_BAD_ARGS,
                       "rows is %llu and a set has 1 element, whose variance with ddof 1 is "
                       "divided by 0",
                       (unsigned long long)rows);
}

static clnorm_status check_pairs(const clnorm_desc *desc, clnorm_direction direction,
                                 const bool *given, clnorm_error *error)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (given[pairs[i][0]] != given[pairs[i][1]])
            return clnorm_fail(error, CLNORM_BAD_ARGS,
                               "of %s and %s one is NULL: give both or none",
                               clnorm_tensor_name(pairs[i][0]), clnorm_tensor_name(pairs[i][1]));
    const bool center = clnorm_kind_of(desc).center && desc->backward == CLNORM_FROM_INPUT;
    if (direction == CLNORM_BACKWARD && center && given[TENSOR_mean] != given[TENSOR_rstd])
        return clnorm_fail(
            error, CLNORM_BAD_ARGS,
            "of mean and rstd one is NULL: give both, or none to compute them again");
    return CLNORM_OK;
}

clnorm_status clnorm_tensors_check(const clnorm_desc *desc, clnorm_direction direction,
                                   uint64_t rows, const bool *given, clnorm_error *error)
{
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_tensor_uses_of(desc, direction, 1, uses);
    clnorm_status status = check_alone(desc, direction, rows, uses, given, error);
    if (status == CLNORM_OK)
        status = check_pairs(desc, direction, given, error);
    if (status == CLNORM_OK && rows > 0 && direction == CLNORM_BACKWARD)
        status = check_sum(desc, uses, given, error);
    if (status == CLNORM_OK && rows > 0)
        status = check_sets(desc, rows, error);
    return status;
}

bool clnorm_may_alias(clnorm_direction direction, clnorm_tensor_id output, clnorm_tensor_id input)
{
    static const struct {
        clnorm_direction direction;
        clnorm_tensor_id output, input;
    } allowed[] = {
        {CLNORM_FORWARD, TENSOR_y, TENSOR_x},
        {CLNORM_FORWARD, TENSOR_sum, TENSOR_x},
        {CLNORM_FORWARD, TENSOR_sum, TENSOR_residual},
        {CLNORM_BACKWARD, TENSOR_dx, TENSOR_dy},
        {CLNORM_BACKWARD, TENSOR_dx, TENSOR_dsum},
        {CLNORM_BACKWARD, TENSOR_dresidual, TENSOR_dsum},
    };
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        if (allowed[i].direction == direction && allowed[i].output == output &&
            allowed[i].input == input)
            return true;
    return false;
}
