/* SPDX-License-Identifier: MIT */
/* The tensors of a case: in buffers that are larger than they are, at odd places, with what they
 * held before. */
#ifndef CLNORM_CHECK_SUBJECT_H
#define CLNORM_CHECK_SUBJECT_H

#include "check/cases.h"
#include "runtime/context.h"

#include <stdbool.h>

enum {
    CLNORM_GUARD = 64, /* elements on both sides of every output */
    CLNORM_POISON = 0x5a /* a number in every type, so that it is not taken for a wanted NaN */
};

typedef struct clnorm_subject {
    clnorm_tensor_use use; /* role CLNORM_UNUSED: not given, and there is nothing else */
    clnorm_tensor tensor;
    size_t bytes; /* of the buffer, and of each array below */
    unsigned char *before; /* inputs, and poison around them; outputs: all of it is poison */
    unsigned char *first, *again; /* outputs: after the first run, after a later one */
} clnorm_subject;

typedef struct clnorm_subjects {
    clnorm_subject of[TENSOR_COUNT];
    void *dense[TENSOR_COUNT]; /* inputs without gaps, also those that only others are made of */
    uint64_t seed, first_row; /* as in clnorm_args */
} clnorm_subjects;

/* desc: the case's, resolved. The queue is used for uploads, and free again afterwards. */
clnorm_status clnorm_subjects_make(const clnorm_context *context, cl_command_queue queue,
                                   const clnorm_check_case *c, const clnorm_desc *desc,
                                   clnorm_subjects *subjects, clnorm_error *error);
/* Zeros are allowed. */
void clnorm_subjects_release(clnorm_subjects *subjects);

bool clnorm_subject_is_output(const clnorm_subject *subject);
/* Element 0 in one of the subject's arrays. */
void *clnorm_subject_begin(const clnorm_subject *subject, unsigned char *array);
/* Copies the rows of `from` into `array`, which has the gaps of `to`. */
void clnorm_subject_spread(const clnorm_subject *to, unsigned char *array, const void *from);
/* NULL, or "before", "between rows of", "after": where `first` has more than results. */
const char *clnorm_subject_stray(const clnorm_subject *subject);

#endif
