/* SPDX-License-Identifier: MIT */
/* What a device has to prove: operators, dtypes, kernel forms, shapes and inputs. */
#ifndef CLNORM_CHECK_CASES_H
#define CLNORM_CHECK_CASES_H

#include "check/inputs.h"

typedef struct clnorm_check_case {
    clnorm_desc desc;
    uint64_t rows;
    const clnorm_input_kind *input;
    /* Gaps between rows, an odd offset, which optional tensors are given: all follow from it. */
    uint64_t seed;
    int once; /* run in one way only, without comparing bits with further runs */
} clnorm_check_case;

typedef struct clnorm_check_filter {
    int kind; /* a clnorm_kind, or -1: all */
    int dtype; /* a clnorm_dtype for x, y and parameters, or -1: all, and mixtures */
    int form; /* a clnorm_form, or -1: both */
    uint64_t rows, cols; /* this shape only; cols 0: the list */
    uint64_t max_elements; /* larger shapes are left out */
    uint64_t seed;
    int quick; /* for simulators: all shapes with f32 only, smaller inputs */
} clnorm_check_filter;

/* 2^22 elements, every operator, dtype and form, seed 1. */
#define CLNORM_CHECK_FILTER_INIT                                                                   \
    {                                                                                              \
        -1, -1, -1, 0, 0, (uint64_t)1 << 22, 1, 0                                                  \
    }

/* In an order that keeps cases of one program together. Freed with free(); *left_out counts the
 * shapes that were too large. CLNORM_OUT_OF_MEMORY is the only failure. */
clnorm_status clnorm_check_cases(const clnorm_check_filter *filter, clnorm_check_case **cases,
                                 size_t *count, size_t *left_out, clnorm_error *error);

/* "layer_norm", "rms_norm". */
const char *clnorm_kind_name(clnorm_kind kind);
/* "sequential", "cooperative", "auto". */
const char *clnorm_form_name(clnorm_form form);

#endif
