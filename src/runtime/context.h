/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_RUNTIME_CONTEXT_H
#define CLNORM_RUNTIME_CONTEXT_H

#include "base/lock.h"
#include "base/tuning_table.h"
#include "runtime/opencl.h"
#include "runtime/subgroup.h"

#include <stdbool.h>

struct clnorm_program;
struct clnorm_program_cache;
struct clnorm_mem_table;

enum { CLNORM_KNOWN_QUEUES = 8 };

typedef struct clnorm_known_queue {
    cl_command_queue queue; /* retained; NULL: none yet */
    bool in_order;
} clnorm_known_queue;

typedef struct clnorm_known_queues {
    clnorm_lock lock;
    clnorm_known_queue of[CLNORM_KNOWN_QUEUES];
    unsigned next;
} clnorm_known_queues;

struct clnorm_context {
    cl_context cl;
    clnorm_device device;
    unsigned float_width; /* floats that the device's instructions take at once */
    clnorm_subgroups subgroups;
    clnorm_log_fn log;
    void *user;
    long process; /* drivers hang or fail in a forked child */
    clnorm_lock lock; /* of what follows */
    clnorm_self_test_policy self_test;
    struct clnorm_program *programs;
    struct clnorm_program_cache *cache; /* NULL: off */
    clnorm_tuning_table tuning; /* the user's; empty: off */
    bool gemm_ready; /* what it knows of matrix products is in use */
    unsigned gemv_rows[2]; /* up to which they are GEMVs; [1]: with b transposed */
    clnorm_known_queues queues; /* has a lock of its own */
    struct clnorm_mem_table *mems;
};

/* CLNORM_FORKED in a child of the process that made the context. */
clnorm_status clnorm_context_check(const clnorm_context *context, clnorm_error *error);

clnorm_self_test_policy clnorm_context_self_test(clnorm_context *context);

void clnorm_log(const clnorm_context *context, clnorm_log_level level, const char *format, ...)
    CLNORM_PRINTF(3, 4);

#endif
