/* SPDX-License-Identifier: MIT */
/* Blocks of host memory on the device: copied there and back, or used in place. */
#ifndef CLNORM_RUNTIME_STAGING_H
#define CLNORM_RUNTIME_STAGING_H

#include "runtime/context.h"

typedef struct clnorm_queues {
    cl_command_queue upload, compute, download; /* in-order, each by itself */
} clnorm_queues;

clnorm_status clnorm_queues_create(const clnorm_context *context, clnorm_queues *queues,
                                   clnorm_error *error);
/* Waits for all that was enqueued. Missing queues are allowed. */
void clnorm_queues_release(clnorm_queues *queues);

typedef struct clnorm_host_block {
    char *data;
    size_t rows, width, pitch; /* bytes of a row, and from row to row */
} clnorm_host_block;

typedef struct clnorm_staged {
    clnorm_host_block host;
    cl_mem mem; /* NULL: nothing staged */
    int zero_copy; /* mem is the host's memory, with its pitch; else rows without gaps */
    void *mapped;
} clnorm_staged;

/* A buffer for the block. Staged blocks of zeros may be passed to all functions below. */
clnorm_status clnorm_stage(const clnorm_context *context, clnorm_host_block host,
                           cl_mem_flags access, int zero_copy, clnorm_staged *staged,
                           clnorm_error *error);
/* A second user of the same buffer. */
clnorm_status clnorm_stage_same(const clnorm_staged *from, clnorm_staged *staged,
                                clnorm_error *error);
void clnorm_unstage(clnorm_staged *staged);

/* *event is set only if there was something to copy. */
clnorm_status clnorm_upload(cl_command_queue queue, const clnorm_staged *staged, cl_event *event,
                            clnorm_error *error);
/* Copies back, or maps, after `computed`; event may be NULL. */
clnorm_status clnorm_download(cl_command_queue queue, clnorm_staged *staged, cl_event computed,
                              cl_event *event, clnorm_error *error);
/* Ends what clnorm_download mapped. */
clnorm_status clnorm_unmap(cl_command_queue queue, clnorm_staged *staged, clnorm_error *error);

/* Waits, and looks at the event itself: some drivers report success for a command that failed. */
clnorm_status clnorm_await(cl_event event, clnorm_error *error);

#endif
