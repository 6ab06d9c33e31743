/* SPDX-License-Identifier: MIT */
#include "base/dtype.h"
#include "cli/cache_setting.h"
#include "cli/explain/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_none(const char *selector)
{
    const char *asked = selector && *selector ? selector : getenv("CLNORM_DEVICE");
    return asked && strcmp(asked, "none") == 0;
}

bool explain_device_open(const char *selector, clnorm_context **context, clnorm_error *error)
{
    const char *environment = getenv("CLNORM_DEVICE");
    const bool asked = (selector && *selector) || (environment && *environment);
    *context = NULL;
    if (is_none(selector))
        return true;
    const clnorm_status status =
        clnorm_context_create(selector, log_warnings, NULL, context, error);
    if (status == CLNORM_NO_DEVICE && !asked) {
        complain("no usable OpenCL device: the numbers are those of the host reference alone");
        return true;
    }
    return status == CLNORM_OK && cache_setting_use(*context, error);
}

/* The verdict is of all three tensors. */
static bool run(clnorm_context *context, const clnorm_desc *desc, uint64_t rows,
                const clnorm_host_args *args, clnorm_verdict *verdict, clnorm_error *error)
{
    clnorm_op *op = NULL;
    const bool ok = clnorm_op_create_lazy(context, desc, &op, error) == CLNORM_OK &&
                    clnorm_forward_host(op, rows, args, NULL, NULL, error) == CLNORM_OK &&
                    clnorm_verify(desc, CLNORM_FORWARD, clnorm_op_depth(op), rows, 0, args, NULL,
                                  verdict, error) == CLNORM_OK;
    clnorm_op_destroy(op);
    return ok;
}

bool explain_device_run(clnorm_context *context, const struct explain_kind *kind,
                        const struct explain_problem *problem, struct explain_result *result,
                        clnorm_error *error)
{
    const clnorm_desc desc = explain_desc(kind, problem);
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    *result = (struct explain_result){.verdict = CLNORM_VERDICT_INIT};
    args.x.data = problem->x;
    args.weight.data = problem->weight;
    args.bias.data = problem->bias;
    args.y.data = result->y;
    args.mean.data = kind->centres ? result->mean : NULL;
    args.rstd.data = result->rstd;
    return run(context, &desc, problem->rows, &args, &result->verdict, error);
}

double explain_ulps(double got, double expected, double size)
{
    const double difference = fabs(got - expected);
    const double at = fabs(expected) > size ? fabs(expected) : size;
    return difference == 0 ? 0 : difference / clnorm_dtype_ulp(CLNORM_F32, at);
}
