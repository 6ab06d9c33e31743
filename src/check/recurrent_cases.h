/* SPDX-License-Identifier: MIT */
/* What a device has to prove of recurrent nets: cells, switches, directions, forms and shapes. */
#ifndef CLNORM_CHECK_RECURRENT_CASES_H
#define CLNORM_CHECK_RECURRENT_CASES_H

#include "check/cases.h"

struct clnorm_recurrent_variant {
    const char *name; /* the cell's, then its switches: "lstm+norm_gates" */
    clnorm_recurrent_desc desc; /* without sizes */
};

/* What is given besides what must be. */
enum {
    CLNORM_NET_STATES = 1, /* h0, c0, h_n, c_n and their gradients */
    CLNORM_NET_PARAMETERS = 2,
    CLNORM_NET_LENGTHS = 4, /* of which one is 0, if there are two rows; NaN beyond them */
    CLNORM_NET_ALL = 7
};

typedef struct clnorm_recurrent_case {
    const clnorm_recurrent_variant *variant;
    clnorm_recurrent_desc desc;
    clnorm_direction direction;
    clnorm_form form; /* sequential or cooperative */
    uint64_t steps, batch;
    unsigned with;
    uint64_t seed;
} clnorm_recurrent_case;

const clnorm_recurrent_variant *clnorm_recurrent_variants(size_t *count);
/* NULL if none is called so. */
const clnorm_recurrent_variant *clnorm_recurrent_variant_find(const char *name);

/* As clnorm_check_cases. A shape that is asked for is a batch of `rows`, and `cols` features and
 * hidden, of 3 steps. Both directions of a form are one program. None for simulators, whose groups
 * are too small for CLBlast. */
clnorm_status clnorm_recurrent_cases(const clnorm_check_filter *filter,
                                     clnorm_recurrent_case **cases, size_t *count, size_t *left_out,
                                     clnorm_error *error);

/* Such as "lstm+norm_gates f32 backward, 8 steps of 18x19 to 33, cooperative". */
void clnorm_recurrent_case_name(const clnorm_recurrent_case *c, char *text, size_t bytes);

#endif
