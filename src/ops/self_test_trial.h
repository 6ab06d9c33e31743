/* SPDX-License-Identifier: MIT */
/* A small problem on the device, for a kernel under test: its tensors, and whether they came out
 * right. */
#ifndef CLNORM_OPS_SELF_TEST_TRIAL_H
#define CLNORM_OPS_SELF_TEST_TRIAL_H

#include "ops/lines.h"
#include "ops/self_test.h"
#include "ops/self_test_values.h"

/* Where the workspace is, behind all tensors. */
enum { CLNORM_TRIAL_WORKSPACE = TENSOR_COUNT };

typedef struct clnorm_test_trial {
    clnorm_op op; /* of the kernel under test alone */
    clnorm_kernel_id id;
    clnorm_test_values values;
    clnorm_tensor_use uses[TENSOR_COUNT];
    clnorm_lines lines;
    clnorm_args args;
    void *host[TENSOR_COUNT + 1]; /* CLNORM_TRIAL_WORKSPACE is one of them */
    size_t bytes[TENSOR_COUNT + 1];
    cl_command_queue queue;
    clnorm_finding finding;
} clnorm_test_trial;

clnorm_tensor *clnorm_trial_tensor(clnorm_test_trial *trial, int id);
clnorm_dtype clnorm_trial_real(const clnorm_test_trial *trial);

/* Whether the kernel has this tensor. Given statistics are inputs of a backward pass that was saved
 * some. */
bool clnorm_trial_gives(const clnorm_test_trial *trial, int id);

/* Tensors and workspace, on host and device: inputs have their values, all else NaN. */
clnorm_status clnorm_trial_give(clnorm_test_trial *trial, clnorm_error *error);

/* What is on the host becomes a buffer; and comes back. */
clnorm_status clnorm_trial_upload(clnorm_test_trial *trial, int id, clnorm_error *error);
clnorm_status clnorm_trial_download(clnorm_test_trial *trial, int id, clnorm_error *error);

/* Outputs as they were before. */
clnorm_status clnorm_trial_forget(clnorm_test_trial *trial, clnorm_error *error);

/* Reads all outputs; the finding is that they are right, or the first that is wrong. */
clnorm_status clnorm_trial_compare(clnorm_test_trial *trial, clnorm_error *error);

/* Waits for the queue, and frees all that the trial has. */
void clnorm_trial_release(clnorm_test_trial *trial);

#endif
