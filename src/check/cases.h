/* SPDX-License-Identifier: MIT */
/* What a device has to prove: operators, switches, directions, dtypes, kernel forms, shapes and
 * inputs. */
#ifndef CLNORM_CHECK_CASES_H
#define CLNORM_CHECK_CASES_H

#include "check/inputs.h"
#include "check/variants.h"

typedef struct clnorm_check_case {
    const clnorm_variant *variant;
    clnorm_desc desc;
    clnorm_direction direction;
    uint64_t rows;
    const clnorm_input_kind *input;
    /* Gaps between rows, odd offsets, which optional tensors are given: all follow from it. */
    uint64_t seed;
    int saved; /* a backward pass is given what the forward pass may leave it: other kernels */
    int all; /* all other optional tensors are given, whatever the seed */
    int once; /* run in one way only, without comparing bits with further runs */
} clnorm_check_case;

enum { CLNORM_CHECK_MIXED = CLNORM_DTYPE_DEFAULT, CLNORM_CHECK_ALL = -1, CLNORM_CHECK_NONE = -2 };

typedef struct clnorm_recurrent_variant clnorm_recurrent_variant;

/* A value of the type that is named, or CLNORM_CHECK_ALL. */
typedef struct clnorm_check_filter {
    int kind; /* clnorm_kind, or CLNORM_CHECK_NONE */
    int cell; /* clnorm_cell, or CLNORM_CHECK_NONE: check/recurrent_cases.h */
    const clnorm_variant *variant; /* this one, and no recurrent net */
    const clnorm_recurrent_variant *recurrent; /* this one, and no other operator */
    int direction; /* clnorm_direction */
    int dtype; /* clnorm_dtype for all tensors, or CLNORM_CHECK_MIXED */
    int form; /* clnorm_form */
    uint64_t rows, cols; /* this shape only; cols 0: the list */
    uint64_t max_elements; /* larger shapes are left out */
    uint64_t seed;
    uint64_t part, parts; /* programs number `part`, from 0 on, of every `parts`; parts 1: all */
    int quick; /* for simulators: few dtypes, smaller inputs */
} clnorm_check_filter;

/* 2^22 elements, everything, seed 1. */
#define CLNORM_CHECK_FILTER_INIT                                                                   \
    {                                                                                              \
        CLNORM_CHECK_ALL, CLNORM_CHECK_ALL, NULL, NULL, CLNORM_CHECK_ALL, CLNORM_CHECK_ALL,        \
            CLNORM_CHECK_ALL, 0, 0, (uint64_t)1 << 22, 1, 0, 1, 0                                  \
    }

/* In an order that keeps cases of one program together. Freed with free(); *left_out counts the
 * shapes that were too large. A case is the same whatever the filter has beside it.
 * CLNORM_OUT_OF_MEMORY is the only failure. */
clnorm_status clnorm_check_cases(const clnorm_check_filter *filter, clnorm_check_case **cases,
                                 size_t *count, size_t *left_out, clnorm_error *error);

/* "forward", "backward". */
const char *clnorm_direction_name(clnorm_direction direction);
/* "f32" if it is that of all tensors, else "mixed". */
const char *clnorm_check_dtype_name(const clnorm_desc *desc);
/* Such as "rms_norm+residual f16 y:bf16 residual:f32 backward 7x1000 cooperative". */
void clnorm_check_case_name(const clnorm_check_case *c, char *text, size_t bytes);

#endif
