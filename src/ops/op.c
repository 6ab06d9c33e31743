/* SPDX-License-Identifier: MIT */
#include "ops/op.h"
#include "runtime/program.h"

#include <stdio.h>
#include <stdlib.h>

static clnorm_status check_device(const clnorm_context *context, const clnorm_desc *desc,
                                  clnorm_error *error)
{
    const clnorm_device *device = &context->device;
    if (desc->x_dtype == CLNORM_F64 && !device->has_fp64)
        return clnorm_fail(error, CLNORM_UNSUPPORTED,
                           "f64 on %s (%s), which has no cl_khr_fp64: use f32, f16 or bf16",
                           device->name, device->platform_name);
    return CLNORM_OK;
}

static clnorm_status build_kernels(clnorm_op *op, clnorm_error *error)
{
    const clnorm_desc *desc = &op->desc;
    clnorm_status status;
    cl_program program;
    char geometry[128], defines[384];
    clnorm_geometry_defines(&op->geometry, geometry, sizeof(geometry));
    snprintf(defines, sizeof(defines),
             "-DARITHMETIC=%d -DCENTER=%d -DPARAM_TYPE=%s -DX_TYPE=%s -DY_TYPE=%s %s",
             desc->x_dtype == CLNORM_F64 ? 64 : 32, desc->kind == CLNORM_LAYER_NORM,
             clnorm_dtype_name(desc->param_dtype), clnorm_dtype_name(desc->x_dtype),
             clnorm_dtype_name(desc->y_dtype), geometry);
    TRY(clnorm_program_get(op->context, CLNORM_SOURCE_ROW_NORM, defines, &program, error));
    TRY(clnorm_kernel_pool_create(program, "row_norm_forward", &op->kernels, error));
fail:
    return status;
}

/* What a device allows is known only once the kernel is there. */
static clnorm_status build_within_limit(clnorm_op *op, clnorm_error *error)
{
    clnorm_status status;
    size_t limit = 0;
    TRY(build_kernels(op, error));
    TRY(clnorm_kernel_limit(op->kernels, op->context->device.device_id, &limit, error));
    while (limit < op->geometry.group_size && op->geometry.group_size > 1) {
        op->geometry.group_size /= 2;
        clnorm_log(op->context, CLNORM_LOG_INFO, "the device allows groups of %zu: trying %u",
                   limit, op->geometry.group_size);
        clnorm_kernel_pool_destroy(op->kernels);
        op->kernels = NULL;
        TRY(build_kernels(op, error));
        TRY(clnorm_kernel_limit(op->kernels, op->context->device.device_id, &limit, error));
    }
fail:
    return status;
}

clnorm_status clnorm_op_create(clnorm_context *context, const clnorm_desc *desc, clnorm_op **out,
                               clnorm_error *error)
{
    clnorm_status status;
    clnorm_op *op = NULL;
    if (!context || !out)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !context ? "context" : "op");
    TRY(clnorm_desc_check(desc, error));
    TRY(clnorm_context_check(context, error));
    TRY(check_device(context, desc, error));
    op = calloc(1, sizeof(*op));
    if (!op)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for an op");
    op->context = context;
    op->desc = *desc;
    TRY(clnorm_geometry_choose(context, desc, &op->geometry, error));
    TRY(build_within_limit(op, error));
    op->desc.form = op->geometry.form;
    *out = op;
    return CLNORM_OK;
fail:
    clnorm_op_destroy(op);
    return status;
}

void clnorm_op_destroy(clnorm_op *op)
{
    if (!op)
        return;
    clnorm_kernel_pool_destroy(op->kernels);
    free(op);
}

const clnorm_desc *clnorm_op_desc(const clnorm_op *op) { return &op->desc; }

unsigned clnorm_op_depth(const clnorm_op *op)
{
    return clnorm_geometry_depth(&op->geometry, op->desc.cols);
}

clnorm_status clnorm_op_workspace(const clnorm_op *op, uint64_t rows, size_t *bytes,
                                  clnorm_error *error)
{
    (void)rows;
    if (!op || !bytes)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !op ? "op" : "bytes");
    *bytes = 0;
    return CLNORM_OK;
}

uint64_t clnorm_stride(const clnorm_op *op, uint64_t stride)
{
    return stride ? stride : op->desc.cols;
}
