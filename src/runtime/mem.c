/* SPDX-License-Identifier: MIT */
#include "runtime/mem.h"

static clnorm_status ask_driver(cl_mem mem, clnorm_mem_info *info, clnorm_error *error)
{
    clnorm_status status;
    cl_mem parent = NULL;
    cl_mem_object_type type = 0;
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_TYPE, sizeof(type), &type, NULL));
    if (type != CL_MEM_OBJECT_BUFFER)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "an image (type 0x%x) instead of a buffer",
                           (unsigned)type);
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_CONTEXT, sizeof(info->context), &info->context, NULL));
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_FLAGS, sizeof(info->flags), &info->flags, NULL));
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof(info->bytes), &info->bytes, NULL));
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof(parent), &parent, NULL));
    TRY_CL(clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof(info->origin), &info->origin, NULL));
    info->root = parent ? parent : mem;
    if (!parent)
        info->origin = 0;
fail:
    return status;
}

clnorm_status clnorm_mem_query(const clnorm_context *context, cl_mem mem, clnorm_mem_info *info,
                               clnorm_error *error)
{
    if (clnorm_mem_table_find(context->mems, mem, info))
        return CLNORM_OK;
    const clnorm_status status = ask_driver(mem, info, error);
    if (status == CLNORM_OK && info->context == context->cl)
        clnorm_mem_table_add(context->mems, mem, info);
    return status;
}
