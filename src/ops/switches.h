/* SPDX-License-Identifier: MIT */
/* A descriptor as -D options of the kernels. */
#ifndef CLNORM_OPS_SWITCHES_H
#define CLNORM_OPS_SWITCHES_H

#include "ops/op.h"

enum { CLNORM_MOST_DEFINES = 900 };

clnorm_status clnorm_switches(const clnorm_op *op, clnorm_purpose purpose,
                              const clnorm_geometry *geometry, char text[CLNORM_MOST_DEFINES],
                              clnorm_error *error);

#endif
