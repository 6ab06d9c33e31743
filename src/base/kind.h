/* SPDX-License-Identifier: MIT */
/* What the operators of the family are: one row of a table each. */
#ifndef CLNORM_BASE_KIND_H
#define CLNORM_BASE_KIND_H

#include "clnorm/clnorm.h"

#include <stdbool.h>

/* What an element of weight and bias belongs to. */
typedef enum clnorm_param_axis {
    CLNORM_PER_COL,
    CLNORM_PER_CHANNEL,
    CLNORM_PER_ROW
} clnorm_param_axis;

typedef struct clnorm_kind_info {
    const char *name;
    bool center; /* subtracts the mean */
    bool norm; /* divides by a norm, not by a standard deviation: the sum is not divided by N */
    bool channels; /* works on samples of channels */
    bool batch; /* a set takes elements of all rows */
    bool weight, bias; /* has one */
    bool fused; /* takes residual, modulation, gates, dropout, quantised outputs */
    clnorm_param_axis params;
} clnorm_kind_info;

/* NULL if `kind` is none. */
const clnorm_kind_info *clnorm_kind_find(clnorm_kind kind);
/* Of this descriptor: mvn with channels is a batch kind. */
clnorm_kind_info clnorm_kind_of(const clnorm_desc *desc);
/* "layer_norm" and so on, or "?". */
const char *clnorm_kind_name(clnorm_kind kind);

#endif
