/* SPDX-License-Identifier: MIT */
/* Parameters of a kernel form, as text: "form=held vec=4 group=256 team=256 stream=33554432". */
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
    /* whose sums come first: none, cl_intel_subgroups of a size that is asked for, cl_khr_subgroups
     */
    enum {
        CLNORM_SUBGROUPS_AUTO,
        CLNORM_SUBGROUPS_OFF,
        CLNORM_SUBGROUPS_INTEL,
        CLNORM_SUBGROUPS_KHR
    } subgroups;
    uint64_t stream; /* bytes of output from which on it goes past the cache; UINT64_MAX: never */
} clnorm_tuning;

/* What a text names: how rows are walked, which goes together, the store, and matrix products. */
enum { CLNORM_TUNES_KERNEL = 1, CLNORM_TUNES_STREAM = 2, CLNORM_TUNES_GEMM = 4 };

enum { CLNORM_TUNING_TEXT = CLNORM_TUNING_BYTES };

/* "held" and so on. */
const char *clnorm_form_name(clnorm_form form);

/* CLNORM_BAD_ARGS names the field, its value and what is allowed. The text must name something. */
clnorm_status clnorm_tuning_parse(const char *text, clnorm_tuning *tuning, clnorm_error *error);
/* What clnorm_tuning_parse takes: zeros are left out, but for "form=auto" if nothing else is. */
void clnorm_tuning_text(const clnorm_tuning *tuning, char text[CLNORM_TUNING_TEXT]);
unsigned clnorm_tuning_names(const clnorm_tuning *tuning);

/* ---- for tables ---------------------------------------------------------------------------- */

/* name=value or name="value", where \" and \\ stand for " and \. */
typedef struct clnorm_field {
    char name[16], value[256];
} clnorm_field;

/* Takes the next field off *text. False at its end, or with an error: then *error is filled. */
bool clnorm_field_next(const char **text, clnorm_field *field, clnorm_error *error);
/* Digits only, from 1 on. */
bool clnorm_field_count(const char *text, uint64_t *value);
/* Sets what the field names. False if it is no field of a tuning; then status is untouched. */
bool clnorm_tuning_field(const clnorm_field *field, clnorm_tuning *tuning, clnorm_status *status,
                         clnorm_error *error);
/* "form, vec, group, team, subgroups, stream" */
const char *clnorm_tuning_fields(void);
/* Whether the parameters go together. */
clnorm_status clnorm_tuning_check(const clnorm_tuning *tuning, clnorm_error *error);

#endif
