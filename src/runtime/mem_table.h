/* SPDX-License-Identifier: MIT */
/* What the driver said of the application's buffers, so that it is asked once for each. A buffer is
 * forgotten when it is destroyed, before its handle can become another's. */
#ifndef CLNORM_RUNTIME_MEM_TABLE_H
#define CLNORM_RUNTIME_MEM_TABLE_H

#include "runtime/opencl.h"

#include <stdbool.h>

typedef struct clnorm_mem_info {
    cl_context context;
    cl_mem_flags flags;
    size_t bytes;
    cl_mem root; /* of a sub-buffer, else the buffer itself */
    size_t origin; /* bytes into root */
} clnorm_mem_info;

typedef struct clnorm_mem_table clnorm_mem_table;

/* NULL: no host memory. The driver is tried out on a small buffer of `context`; one that tells too
 * late of a buffer's end gets a table that stays empty. */
clnorm_mem_table *clnorm_mem_table_create(cl_context context);
/* Buffers may outlive their table: what is left of it goes with the last of them. NULL is allowed.
 */
void clnorm_mem_table_release(clnorm_mem_table *table);

bool clnorm_mem_table_find(clnorm_mem_table *table, cl_mem mem, clnorm_mem_info *info);
/* Of a live buffer. Does nothing where the buffer's end would not be told, or the table is full. */
void clnorm_mem_table_add(clnorm_mem_table *table, cl_mem mem, const clnorm_mem_info *info);

#endif
