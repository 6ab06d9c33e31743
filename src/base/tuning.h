/* SPDX-License-Identifier: MIT */
/* Parameters of a kernel form, as text: "form=held vec=4 group=256 team=256 subgroups=1". */
#ifndef CLNORM_BASE_TUNING_H
#define CLNORM_BASE_TUNING_H

#include "base/status.h"

#include <stdbool.h>

/* Zeros are left to the heuristic. */
typedef struct clnorm_tuning {
    clnorm_form form;
    unsigned vec; /* columns that a work-item handles at once: 2, 4, 8 or 16 */
    unsigned group; /* work-items of a work-group: a power of two */
    unsigned team; /* those that share a row: a power of two that divides group */
    enum { CLNORM_SUBGROUPS_AUTO, CLNORM_SUBGROUPS_OFF, CLNORM_SUBGROUPS_ON } subgroups;
    uint64_t stream; /* bytes of output from which on it goes past the cache */
} clnorm_tuning;

/* "held" and so on. */
const char *clnorm_form_name(clnorm_form form);

#endif
