/* SPDX-License-Identifier: MIT */
/* Inputs of a call. Some must fit the others, as the statistics and the sum of a forward call do
 * in its backward pass: the reference calculates these. */
#ifndef CLNORM_CHECK_DERIVED_H
#define CLNORM_CHECK_DERIVED_H

#include "check/cases.h"

#include <stdbool.h>

/* desc: the case's, resolved. dense[]: set for each input that is given, and for those that others
 * are made of; without gaps, freed with free(), also after a failure. seed, first_row: of
 * clnorm_args. */
clnorm_status clnorm_derived_fill(const clnorm_check_case *c, const clnorm_desc *desc,
                                  const bool given[TENSOR_COUNT], uint64_t seed, uint64_t first_row,
                                  void *dense[TENSOR_COUNT], clnorm_error *error);

#endif
