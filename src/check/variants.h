/* SPDX-License-Identifier: MIT */
/* Every operator with every switch, by name. */
#ifndef CLNORM_CHECK_VARIANTS_H
#define CLNORM_CHECK_VARIANTS_H

#include "clnorm/clnorm.h"

#include <stdbool.h>

typedef enum clnorm_parts {
    CLNORM_NO_PARTS,
    CLNORM_PART_GROUPS, /* groups of a row */
    CLNORM_PART_COLS, /* statistics from some of the columns */
    CLNORM_PART_SCALES, /* scales of a row */
    CLNORM_PART_CHANNELS /* channels, and groups of them */
} clnorm_parts;

typedef struct clnorm_variant {
    const char *name; /* the operator's, then what is switched on: "rms_norm+outside" */
    clnorm_desc set; /* fields that are not 0 replace those of CLNORM_DESC_INIT */
    clnorm_parts parts;
    bool only_forward, only_backward;
    bool every_dtype; /* the operator itself: has cases of each dtype, not of some */
} clnorm_variant;

/* A matrix, and how a variant that cuts it up does so. */
typedef struct clnorm_check_shape {
    uint64_t rows, cols, channels, groups; /* both divide cols */
} clnorm_check_shape;

/* The first two are layer_norm and rms_norm without switches. */
const clnorm_variant *clnorm_variants(size_t *count);
/* NULL if none is called so. */
const clnorm_variant *clnorm_variant_find(const char *name);

/* The variant for f32 tensors of a shape. */
clnorm_desc clnorm_variant_desc(const clnorm_variant *variant, const clnorm_check_shape *shape);
/* A way to cut up `cols` columns. */
clnorm_check_shape clnorm_check_shape_of(uint64_t rows, uint64_t cols);

#endif
