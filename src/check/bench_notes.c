/* SPDX-License-Identifier: MIT */
#include "check/bench_notes.h"
#include "check/bench_parts.h"
#include "runtime/quirks.h"

bool clnorm_bench_is_host(const clnorm_device *device)
{
    return (device->type & CL_DEVICE_TYPE_CPU) != 0 ||
           clnorm_quirk_reason(device, CLNORM_QUIRK_HOST) != NULL;
}

const char *clnorm_bench_fallback(const clnorm_bench *bench)
{
    const clnorm_op_health health = clnorm_op_health_of(bench->op);
    if (health.disabled)
        return "a kernel failed the self-test on this device, so that other programs use another "
               "form: see clnorm check --self-test";
    if (health.passed_over > 0)
        return "a better form does not build on this device: clnorm check --self-test says which; "
               "update the driver";
    return NULL;
}
