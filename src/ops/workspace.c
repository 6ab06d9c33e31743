/* SPDX-License-Identifier: MIT */
#include "ops/lines.h"
#include "runtime/queue.h"

#include <stdlib.h>

struct clnorm_workspace {
    struct clnorm_workspace *next;
    cl_command_queue queue; /* retained: its handle stays its own */
    cl_mem mem;
    uint64_t bytes;
};

uint64_t clnorm_part_bytes(const clnorm_op *op, uint64_t rows)
{
    const uint64_t element = op->desc.x_dtype == CLNORM_F64 ? 8 : 4, numbers = 4; /* of split.cl */
    return rows * clnorm_parts_of_row(&op->geometry, op->desc.cols) * numbers * element;
}

clnorm_status clnorm_op_workspace(const clnorm_op *op, clnorm_direction direction, uint64_t rows,
                                  size_t *bytes, clnorm_error *error)
{
    if (!op || !bytes)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL", !op ? "op" : "bytes");
    if (direction == CLNORM_FORWARD) {
        *bytes = clnorm_shares_rows(&op->geometry, rows) ? (size_t)clnorm_part_bytes(op, rows) : 0;
        return CLNORM_OK;
    }
    const uint64_t element = op->desc.x_dtype == CLNORM_F64 ? 8 : 4;
    const uint64_t elements = clnorm_lines_of(op, rows).elements;
    if (elements > SIZE_MAX / element)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "%llu rows need more than %zu bytes",
                           (unsigned long long)rows, SIZE_MAX);
    *bytes = (size_t)(elements * element);
    return CLNORM_OK;
}

static clnorm_status check_in_order(const clnorm_op *op, cl_command_queue queue,
                                    clnorm_error *error)
{
    bool in_order;
    const clnorm_status status = clnorm_queue_in_order(op->context, queue, &in_order, error);
    if (status == CLNORM_OK && !in_order)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "workspace.buffer is NULL and queue is out-of-order: calls could share "
                           "a workspace at the same time; give one of clnorm_op_workspace bytes");
    return status;
}

static struct clnorm_workspace *entry_of(clnorm_workspaces *all, cl_command_queue queue)
{
    struct clnorm_workspace *w = all->first;
    while (w && w->queue != queue)
        w = w->next;
    if (w)
        return w;
    w = calloc(1, sizeof(*w));
    if (!w || clRetainCommandQueue(queue)) {
        free(w);
        return NULL;
    }
    w->queue = queue;
    w->next = all->first;
    all->first = w;
    return w;
}

/* A buffer that kernels still use lives on until they are done. */
static clnorm_status grow(const clnorm_op *op, struct clnorm_workspace *w, uint64_t bytes,
                          clnorm_error *error)
{
    cl_int code;
    if (w->mem)
        clReleaseMemObject(w->mem);
    w->bytes = 0;
    w->mem = clCreateBuffer(op->context->cl, CL_MEM_READ_WRITE, (size_t)bytes, NULL, &code);
    if (code)
        w->mem = NULL;
    else
        w->bytes = bytes;
    return clnorm_cl_check(code, "clCreateBuffer", error);
}

clnorm_workspaces *clnorm_workspaces_of(const clnorm_op *op)
{
    return &((clnorm_op *)(uintptr_t)op)->workspaces; /* this part of it is behind its lock */
}

clnorm_status clnorm_workspace_get(const clnorm_op *op, cl_command_queue queue, uint64_t bytes,
                                   cl_mem *mem, clnorm_error *error)
{
    if (bytes == 0)
        return CLNORM_OK;
    clnorm_status status = check_in_order(op, queue, error);
    if (status != CLNORM_OK)
        return status;
    struct clnorm_workspace *w = entry_of(clnorm_workspaces_of(op), queue);
    if (!w)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a workspace");
    if (w->bytes < bytes)
        status = grow(op, w, bytes, error);
    if (status == CLNORM_OK)
        *mem = w->mem;
    return status;
}

clnorm_status clnorm_run_in_workspace(const clnorm_op *op, clnorm_direction direction,
                                      cl_command_queue queue, uint64_t rows,
                                      const clnorm_args *args, clnorm_events events,
                                      clnorm_run_fn run, clnorm_error *error)
{
    clnorm_args with_workspace = *args;
    clnorm_tensor *own = &with_workspace.workspace;
    clnorm_workspaces *workspaces = clnorm_workspaces_of(op);
    size_t bytes = 0;
    clnorm_status status = clnorm_op_workspace(op, direction, rows, &bytes, error);
    if (status != CLNORM_OK)
        return status;
    *own = (clnorm_tensor){NULL, 0, 0}; /* an offset without a buffer means nothing */
    lock_take(&workspaces->lock);
    TRY(clnorm_workspace_get(op, queue, bytes, &own->buffer, error));
    TRY(run(op, queue, rows, &with_workspace, events, error));
fail:
    lock_give(&workspaces->lock);
    return status;
}

void clnorm_workspaces_release(clnorm_op *op)
{
    while (op->workspaces.first) {
        struct clnorm_workspace *w = op->workspaces.first;
        op->workspaces.first = w->next;
        if (w->mem)
            clReleaseMemObject(w->mem);
        clReleaseCommandQueue(w->queue);
        free(w);
    }
}
