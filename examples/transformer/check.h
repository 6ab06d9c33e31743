/* SPDX-License-Identifier: MIT */
/* A stack against what PyTorch computed. */
#ifndef EXAMPLES_TRANSFORMER_CHECK_H
#define EXAMPLES_TRANSFORMER_CHECK_H

#include "fixture.h"
#include "stack.h"

/* Prints what was found of Pre-LN or Post-LN; false: an element is outside of its bound. */
bool tf_check(struct tf_kernels *kernels, const struct tf_fixture *fixture, bool pre);

#endif
