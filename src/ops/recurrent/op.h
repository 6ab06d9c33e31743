/* SPDX-License-Identifier: MIT */
/* A recurrent operator: kernels of a step, norms of all steps, and where everything lies. */
#ifndef CLNORM_OPS_RECURRENT_OP_H
#define CLNORM_OPS_RECURRENT_OP_H

#include "base/recurrent.h"
#include "ops/arg_list.h"
#include "ops/op.h"
#include "ops/gemm/product.h"

/* ---- the op -------------------------------------------------------------------------------- */

typedef enum clnorm_cell_kernel {
    CELL_FORWARD,
    CELL_BACKWARD,
    CELL_LIVE_ROWS, /* keep_live_rows */
    CELL_KERNELS
} clnorm_cell_kernel;

enum { CLNORM_MOST_BUNDLES = 4 };

/* Gates of a projection that share statistics: columns first * hidden on, size * hidden of them. */
typedef struct clnorm_bundle {
    unsigned first, size;
} clnorm_bundle;

typedef struct clnorm_bundles {
    unsigned count; /* 0: without norms */
    clnorm_bundle of[CLNORM_MOST_BUNDLES];
} clnorm_bundles;

struct clnorm_recurrent {
    clnorm_context *context;
    clnorm_recurrent_desc desc;
    unsigned gates;
    bool summed; /* nothing is done to the two projections before they are added up */
    clnorm_bundles bundles;
    /* Gradients of parameters over all steps: of as many gates as the index says; those that no
     * bundle has are NULL. Without norms that of all gates adds up the bias's. */
    clnorm_op *norms[CLNORM_MOST_BUNDLES + 1];
    clnorm_geometry geometry;
    clnorm_lock lock; /* of what follows */
    clnorm_kernel_pool *kernels[CELL_KERNELS]; /* NULL: not built yet */
    cl_program programs[CELL_KERNELS]; /* of them, borrowed */
};

/* clnorm_recurrent_create with a form that is asked for, or CLNORM_FORM_AUTO. */
clnorm_status clnorm_recurrent_make(clnorm_context *context, const clnorm_recurrent_desc *desc,
                                    clnorm_form form, clnorm_recurrent **op, clnorm_error *error);
/* Builds it when it is first needed; all of a direction have the op's geometry. */
clnorm_status clnorm_recurrent_kernel(const clnorm_recurrent *op, clnorm_cell_kernel id,
                                      clnorm_kernel_pool **pool, clnorm_error *error);

/* ---- where things are ---------------------------------------------------------------------- */

typedef enum clnorm_region {
    SAVED_X, /* [steps, batch, G H]: x Wx^T, or the sum with h Wh^T where op->summed */
    SAVED_H, /* [steps, batch, G H]: h Wh^T */
    SAVED_C, /* [steps, batch, H] */
    SAVED_STATISTICS, /* cell.cl */
    FORWARD_LENGTHS, /* [batch] of uint */
    FORWARD_X, /* as SAVED_X, where nothing is saved */
    FORWARD_H, /* of a step */
    FORWARD_C, /* of two steps */
    BACKWARD_LENGTHS,
    BACKWARD_DP, /* [steps, batch, G H] as DU: recurrent_backward.cl. The one that is not the
                    gradient of SAVED_X holds x at last, without what is beyond lengths */
    BACKWARD_DU,
    BACKWARD_DN, /* [steps, batch, H] */
    BACKWARD_DQ,
    BACKWARD_DH, /* [batch, H] */
    BACKWARD_DC,
    BACKWARD_LINES, /* workspace of the norms */
    REGIONS
} clnorm_region;

typedef enum clnorm_home { HOME_SAVED, HOME_FORWARD, HOME_BACKWARD, HOMES } clnorm_home;

/* In bytes, from the beginning of the home, multiples of 64. */
typedef struct clnorm_regions {
    uint64_t at[REGIONS];
    uint64_t bytes[HOMES];
} clnorm_regions;

clnorm_status clnorm_recurrent_find_regions(const clnorm_recurrent *op, uint64_t steps,
                                            uint64_t batch, clnorm_regions *regions,
                                            clnorm_error *error);
/* Of the workspace that the call uses. */
uint64_t clnorm_recurrent_workspace(const clnorm_regions *regions, clnorm_direction direction,
                                    const clnorm_recurrent_args *args);

/* ---- a call -------------------------------------------------------------------------------- */

typedef struct clnorm_recurrent_call {
    const clnorm_recurrent *op;
    clnorm_direction direction;
    cl_command_queue queue;
    bool in_order;
    uint64_t steps, batch, rows; /* rows: of all steps */
    const clnorm_recurrent_args *args;
    const uint32_t *lengths; /* NULL: every row has all steps */
    clnorm_regions regions;
} clnorm_recurrent_call;

const clnorm_tensor *clnorm_recurrent_tensor(const clnorm_recurrent_args *args,
                                             clnorm_recurrent_id id);
/* From row `row`, of the tensor's cols, on; no place if it is not given. */
clnorm_place clnorm_recurrent_rows(const clnorm_recurrent_call *call, clnorm_recurrent_id id,
                                   uint64_t row);
clnorm_place clnorm_recurrent_region(const clnorm_recurrent_call *call, clnorm_region region,
                                     uint64_t element);

clnorm_status clnorm_recurrent_args_check(const clnorm_recurrent_call *call, clnorm_events events,
                                          clnorm_error *error);
/* What comes waits for the wait list. Uploads the lengths. */
clnorm_status clnorm_recurrent_begin(const clnorm_recurrent_call *call, clnorm_events events,
                                     clnorm_error *error);
/* What comes waits for what came. */
clnorm_status clnorm_recurrent_then(const clnorm_recurrent_call *call, clnorm_error *error);
clnorm_status clnorm_recurrent_end(const clnorm_recurrent_call *call, clnorm_events events,
                                   clnorm_error *error);
/* Checks a call, begins it, lets `run` enqueue its commands, and ends it. */
typedef clnorm_status (*clnorm_recurrent_run_fn)(const clnorm_recurrent_call *call,
                                                 clnorm_error *error);
clnorm_status clnorm_recurrent_run(clnorm_recurrent_call *call, clnorm_recurrent_run_fn run,
                                   clnorm_events events, clnorm_error *error);

/* Each is a command with clnorm_recurrent_then behind it. */
clnorm_status clnorm_recurrent_zero(const clnorm_recurrent_call *call, clnorm_place place,
                                    uint64_t elements, clnorm_error *error);
clnorm_status clnorm_recurrent_multiply(const clnorm_recurrent_call *call,
                                        const clnorm_product *product, clnorm_error *error);
clnorm_status clnorm_recurrent_launch(const clnorm_recurrent_call *call, clnorm_cell_kernel kernel,
                                      const clnorm_arg_list *list, uint64_t groups,
                                      clnorm_error *error);

/* Kernel arguments. */
void clnorm_recurrent_push(clnorm_arg_list *list, clnorm_place place);
void clnorm_recurrent_push_lengths(clnorm_arg_list *list, const clnorm_recurrent_call *call);
void clnorm_recurrent_push_parameters(clnorm_arg_list *list, const clnorm_recurrent_call *call);
#endif
