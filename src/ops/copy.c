/* SPDX-License-Identifier: MIT */
#include "ops/copy.h"
#include "runtime/program.h"

clnorm_status clnorm_copy_init(clnorm_copy *copy, const clnorm_op *op, clnorm_error *error)
{
    clnorm_status status;
    cl_program program;
    char defines[128];
    *copy = (clnorm_copy){.context = op->context, .geometry = op->geometry};
    clnorm_geometry_defines(&copy->geometry, defines, sizeof(defines));
    TRY(clnorm_program_get(copy->context, CLNORM_SOURCE_COPY, defines, &program, error));
    TRY(clnorm_kernel_pool_create(program, "copy_forward", &copy->kernels, error));
fail:
    return status;
}

void clnorm_copy_release(clnorm_copy *copy)
{
    clnorm_kernel_pool_destroy(copy->kernels);
    copy->kernels = NULL;
}

clnorm_status clnorm_copy_forward(const clnorm_copy *copy, cl_command_queue queue, cl_mem dst,
                                  cl_mem src, uint64_t bytes, clnorm_events events,
                                  clnorm_error *error)
{
    const clnorm_geometry *g = &copy->geometry;
    const uint64_t vector_bytes = g->vec * sizeof(float);
    const cl_ulong vectors = (bytes + vector_bytes - 1) / vector_bytes;
    const cl_uint vectors_per_group =
        g->group_size == 1 ? (cl_uint)(65536 / vector_bytes) : 16 * g->group_size;
    const cl_uint stream = (cl_uint)(bytes > g->stream_bytes);
    const clnorm_kernel_arg args[] = {
        CLNORM_ARG(dst),    CLNORM_ARG(src), CLNORM_ARG(vectors), CLNORM_ARG(vectors_per_group),
        CLNORM_ARG(stream),
    };
    const uint64_t groups = (vectors + vectors_per_group - 1) / vectors_per_group;
    return clnorm_launch(copy->kernels, queue, args, sizeof(args) / sizeof(args[0]), (size_t)groups,
                         g->group_size, events, error);
}
