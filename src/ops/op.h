/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_OPS_OP_H
#define CLNORM_OPS_OP_H

#include "base/lock.h"
#include "ops/form.h"
#include "ops/gradients.h"
#include "runtime/launch.h"

#include <stdbool.h>

/* A kernel of the op, built when it is first needed: drivers may allow it smaller groups. */
typedef struct clnorm_built {
    clnorm_kernel_pool *kernels; /* NULL: not yet */
    clnorm_kernel_pool *parts; /* of find_parts; NULL: rows have none */
    cl_program program; /* of them, borrowed */
    size_t candidate; /* of the op's */
    clnorm_geometry geometry;
} clnorm_built;

/* Those of the usual tensors know which ones are given, and are quicker. */
typedef enum clnorm_kernel_id {
    CLNORM_KERNEL_FORWARD,
    CLNORM_KERNEL_FORWARD_USUAL,
    CLNORM_KERNEL_BACKWARD,
    CLNORM_KERNEL_BACKWARD_USUAL,
    CLNORM_KERNEL_BACKWARD_SAVED, /* mean and rstd are given */
    CLNORM_KERNEL_BACKWARD_SAVED_USUAL,
    CLNORM_KERNEL_SUMS,
    CLNORM_KERNELS
} clnorm_kernel_id;

/* What a kernel is made for. */
typedef struct clnorm_purpose {
    clnorm_direction direction;
    bool saved, usual;
} clnorm_purpose;

/* Buffers for sums, one for each queue. The lock is held from finding one until all that uses it is
 * enqueued. */
typedef struct clnorm_workspaces {
    clnorm_lock lock;
    struct clnorm_workspace *first;
} clnorm_workspaces;

struct clnorm_op {
    clnorm_context *context;
    clnorm_desc desc; /* resolved */
    clnorm_geometry geometry; /* of the forward kernel, and the first choice for the others */
    clnorm_geometry candidates[CLNORM_MOST_CANDIDATES]; /* the best first */
    size_t n_candidates, first; /* those before `first` failed */
    clnorm_gradient_info gradients[CLNORM_GRADIENTS];
    clnorm_workspaces workspaces; /* has a lock of its own */
    /* what changes after creation, under the lock */
    clnorm_lock lock;
    clnorm_built built[CLNORM_KERNELS];
};

/* clnorm_op_create; without `build` the forward kernel too waits until it is needed. */
clnorm_status clnorm_op_make(clnorm_context *context, const clnorm_desc *desc, bool build,
                             clnorm_op **op, clnorm_error *error);

clnorm_status clnorm_op_kernel(const clnorm_op *op, clnorm_kernel_id id, clnorm_built *built,
                               clnorm_error *error);
/* "forward" and so on: what it is for. */
const char *clnorm_kernel_name(clnorm_kernel_id id);
clnorm_purpose clnorm_kernel_purpose(clnorm_kernel_id id);
/* For one of the candidates, without a test. What `built` has of pools, or NULL, goes. */
clnorm_status clnorm_op_build(const clnorm_op *op, clnorm_kernel_id id,
                              const clnorm_geometry *geometry, clnorm_built *built,
                              clnorm_error *error);
void clnorm_built_release(clnorm_built *built);

/* Of the kernels that are built: how many better forms one was taken after, as they did not build
 * or failed the self-test; and whether one failed it itself, which CLNORM_SELF_TEST_OFF lets pass.
 */
typedef struct clnorm_op_health {
    size_t passed_over;
    bool disabled;
} clnorm_op_health;

clnorm_op_health clnorm_op_health_of(const clnorm_op *op);
/* The one for these tensors. */
clnorm_kernel_id clnorm_kernel_for(const clnorm_op *op, clnorm_direction direction,
                                   const clnorm_args *args);

/* A buffer of at least that many bytes (0: NULL) that calls on this queue, an in-order one, share.
 * With the lock of clnorm_workspaces_of held. */
clnorm_status clnorm_workspace_get(const clnorm_op *op, cl_command_queue queue, uint64_t bytes,
                                   cl_mem *mem, clnorm_error *error);
clnorm_workspaces *clnorm_workspaces_of(const clnorm_op *op);
void clnorm_workspaces_release(clnorm_op *op);
/* The workspace of a forward pass whose rows groups share. */
uint64_t clnorm_part_bytes(const clnorm_op *op, uint64_t rows);
/* Runs a call with args->workspace from there. Between its kernels no other thread may enqueue its
 * own. */
typedef clnorm_status (*clnorm_run_fn)(const clnorm_op *op, cl_command_queue queue, uint64_t rows,
                                       const clnorm_args *args, clnorm_events events,
                                       clnorm_error *error);
clnorm_status clnorm_run_in_workspace(const clnorm_op *op, clnorm_direction direction,
                                      cl_command_queue queue, uint64_t rows,
                                      const clnorm_args *args, clnorm_events events,
                                      clnorm_run_fn run, clnorm_error *error);

/* Everything that can be wrong with a call, found before anything is enqueued. */
clnorm_status clnorm_args_check(const clnorm_op *op, clnorm_direction direction,
                                cl_command_queue queue, uint64_t rows, const clnorm_args *args,
                                clnorm_events events, clnorm_error *error);

/* Rows of a call that are worked on by themselves: rows from `first` on, of `all`. The tensors of
 * args begin at row `first`, except those that do not depend on rows. */
typedef struct clnorm_part {
    uint64_t first, rows, all;
} clnorm_part;

/* A part must begin at a multiple of this, and end at one or at `all`. */
uint64_t clnorm_part_step(const clnorm_op *op, clnorm_direction direction, uint64_t all);

/* Without the checks. part.rows must not be 0; args->first_row is that of the whole call.
 * A forward pass whose rows groups are to share needs args->workspace for it: clnorm_op_workspace
 * of part.rows; without one each row has a group. A backward pass leaves its part of the gradients
 * of parameters in args->workspace (of clnorm_op_workspace(all) bytes, NULL if none of them is
 * wanted); when all parts are done, clnorm_run_sums adds them up, and writes dweight and so on as
 * args have them. */
clnorm_status clnorm_run_forward(const clnorm_op *op, cl_command_queue queue,
                                 const clnorm_args *args, clnorm_part part, clnorm_events events,
                                 clnorm_error *error);
clnorm_status clnorm_run_backward(const clnorm_op *op, cl_command_queue queue,
                                  const clnorm_args *args, clnorm_part part, clnorm_events events,
                                  clnorm_error *error);
/* One kernel. At least one gradient that is a sum over all rows must be wanted: see
 * clnorm_has_sums. */
clnorm_status clnorm_run_sums(const clnorm_op *op, cl_command_queue queue, const clnorm_args *args,
                              uint64_t all, clnorm_events events, clnorm_error *error);
bool clnorm_has_sums(const clnorm_op *op, const clnorm_args *args);

#endif
