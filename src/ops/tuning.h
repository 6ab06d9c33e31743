/* SPDX-License-Identifier: MIT */
/* Where the parameters of an op come from: its descriptor, the user's table, the library's own. */
#ifndef CLNORM_OPS_TUNING_H
#define CLNORM_OPS_TUNING_H

#include "base/tuning_table.h"
#include "ops/op.h"

/* Lines of a table, NULL at its end. */
extern const char *const clnorm_tuning_builtin[];

/* The key of records for all kinds, dtypes and columns. */
clnorm_tuning_key clnorm_tuning_device_key(const clnorm_device *device);
/* All of the key, for records that fit. */
clnorm_tuning_key clnorm_tuning_key_of(const clnorm_device *device, const clnorm_desc *desc);
/* What the tables have for the key: the user's goes before the other one, for the kernel and for
 * the store each. */
clnorm_tuning clnorm_tuning_choose(const clnorm_tuning_table *user, const char *const *builtin,
                                   const clnorm_tuning_key *key);
/* Logs, once for a table, that the record was measured with another driver. Under the context's
 * lock. */
void clnorm_tuning_tell_driver(clnorm_context *context, const clnorm_tuning_record *record,
                               const clnorm_tuning_key *key);
/* For the op that is being made. Its copy of the descriptor loses the text, which is the caller's.
 */
clnorm_tuning clnorm_op_take_tuning(clnorm_op *op);

#endif
