/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_RUNTIME_MEM_H
#define CLNORM_RUNTIME_MEM_H

#include "runtime/context.h"
#include "runtime/mem_table.h"

/* What drivers accept without a word and then get wrong is found with this: memory of another
 * context, writes to read-only memory, ranges past the end. CLNORM_BAD_ARGS: not a buffer. */
clnorm_status clnorm_mem_query(const clnorm_context *context, cl_mem mem, clnorm_mem_info *info,
                               clnorm_error *error);

#endif
