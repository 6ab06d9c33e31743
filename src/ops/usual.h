/* SPDX-License-Identifier: MIT */
/* Rows with a weight, and with a bias where a mean is subtracted, and all of their gradients; on
 * GPUs with offsets and strides of whole vectors: what nearly all calls give. Programs that are
 * told so have no test of a pointer in their loops. */
#ifndef CLNORM_OPS_USUAL_H
#define CLNORM_OPS_USUAL_H

#include "ops/op.h"

bool clnorm_has_usual(const clnorm_desc *desc);
bool clnorm_is_usual(const clnorm_op *op, clnorm_direction direction, const clnorm_args *args);

/* GIVEN of set.cl. */
int clnorm_usual_bits(const clnorm_desc *desc, clnorm_direction direction);
/* Whether a program of the usual tensors can take vectors to be aligned. */
bool clnorm_may_align(const clnorm_desc *desc, const clnorm_geometry *geometry);

#endif
