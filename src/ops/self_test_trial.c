/* SPDX-License-Identifier: MIT */
#include "ops/self_test_trial.h"

#include "base/dtype.h"

#include <stdlib.h>
#include <string.h>

static const int unwritten = 0xff; /* NaN in all types but i8 */

clnorm_tensor *clnorm_trial_tensor(clnorm_test_trial *t, int id)
{
    return id == CLNORM_TRIAL_WORKSPACE
               ? &t->args.workspace
               : (clnorm_tensor *)(uintptr_t)clnorm_args_tensor(&t->args, (clnorm_tensor_id)id);
}

clnorm_dtype clnorm_trial_real(const clnorm_test_trial *t)
{
    return clnorm_stats_dtype(&t->op.desc);
}

static clnorm_status allocate(clnorm_test_trial *t, int id, uint64_t bytes, clnorm_error *error)
{
    t->bytes[id] = bytes > 64 ? (size_t)bytes : 64; /* Oclgrind reports remains of smaller ones */
    t->host[id] = malloc(t->bytes[id]);
    if (!t->host[id])
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for a self-test");
    memset(t->host[id], unwritten, t->bytes[id]);
    return CLNORM_OK;
}

clnorm_status clnorm_trial_upload(clnorm_test_trial *t, int id, clnorm_error *error)
{
    cl_int code;
    clnorm_trial_tensor(t, id)->buffer =
        clCreateBuffer(t->op.context->cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, t->bytes[id],
                       t->host[id], &code);
    return clnorm_cl_check(code, "clCreateBuffer", error);
}

clnorm_status clnorm_trial_download(clnorm_test_trial *t, int id, clnorm_error *error)
{
    return clnorm_cl_check(clEnqueueReadBuffer(t->queue, clnorm_trial_tensor(t, id)->buffer,
                                               CL_TRUE, 0, t->bytes[id], t->host[id], 0, NULL,
                                               NULL),
                           "clEnqueueReadBuffer", error);
}

bool clnorm_trial_gives(const clnorm_test_trial *t, int id)
{
    const bool statistic = id == TENSOR_mean || id == TENSOR_rstd;
    if (!t->values.of[id] || t->uses[id].role == CLNORM_UNUSED)
        return false;
    if (t->id == CLNORM_KERNEL_SUMS)
        return id == TENSOR_dweight || id == TENSOR_dbias;
    return t->values.purpose.direction == CLNORM_FORWARD || !statistic || t->values.purpose.saved ||
           t->op.desc.stats == CLNORM_STATS_GIVEN;
}

clnorm_status clnorm_trial_give(clnorm_test_trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use *use = &t->uses[id];
        if (!clnorm_trial_gives(t, id))
            continue;
        TRY(allocate(t, id, t->values.count[id] * clnorm_dtype_bytes(use->dtype), error));
        for (uint64_t i = 0; use->role == CLNORM_INPUT && i < t->values.count[id]; i++)
            clnorm_store(use->dtype, t->host[id], i, t->values.of[id][i]);
        TRY(clnorm_trial_upload(t, id, error));
    }
    const uint64_t of_parts = t->values.purpose.direction == CLNORM_FORWARD
                                  ? clnorm_part_bytes(&t->op, t->values.rows)
                                  : 0;
    const uint64_t workspace =
        t->lines.elements * clnorm_dtype_bytes(clnorm_trial_real(t)) + of_parts;
    if (workspace > 0) {
        TRY(allocate(t, CLNORM_TRIAL_WORKSPACE, workspace, error));
        TRY(clnorm_trial_upload(t, CLNORM_TRIAL_WORKSPACE, error));
    }
fail:
    return status;
}

clnorm_status clnorm_trial_forget(clnorm_test_trial *t, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        if (!t->host[id] || t->uses[id].role != CLNORM_OUTPUT)
            continue;
        memset(t->host[id], unwritten, t->bytes[id]);
        TRY_CL(clEnqueueWriteBuffer(t->queue, clnorm_trial_tensor(t, id)->buffer, CL_TRUE, 0,
                                    t->bytes[id], t->host[id], 0, NULL, NULL));
    }
fail:
    return status;
}

void clnorm_trial_release(clnorm_test_trial *t)
{
    if (t->queue) {
        clFinish(t->queue);
        clReleaseCommandQueue(t->queue);
    }
    for (int id = 0; id <= TENSOR_COUNT; id++) {
        if (clnorm_trial_tensor(t, id)->buffer)
            clReleaseMemObject(clnorm_trial_tensor(t, id)->buffer);
        free(t->host[id]);
    }
    clnorm_test_values_free(&t->values);
}
