/* SPDX-License-Identifier: MIT */
#include "ops/switches.h"

#include "base/desc.h"
#include "base/kind.h"
#include "ops/set_args.h"
#include "ops/usual.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    int value, usual; /* one that has its usual value is left out: fewer programs differ */
} number_switch;

typedef struct {
    const char *name;
    clnorm_dtype value;
} type_switch;

static int param_axis(const clnorm_sets *sets)
{
    return sets->per_col ? 0 : sets->param_segment ? 1 : 2;
}

static int power_of(const clnorm_desc *desc) { return desc->p == 2 ? 2 : desc->p == 1 ? 1 : 0; }

static bool keeps_running(const clnorm_desc *desc)
{
    return desc->kind == CLNORM_BATCH_NORM && desc->stats == CLNORM_STATS_COMPUTED;
}

/* Sums of a row, while the row before is written: pays where they are quickly found, and not where
 * the tensors of two rows are more than there are registers for. */
static bool can_overlap(const clnorm_desc *d, const clnorm_sets *sets)
{
    const bool quick = d->dropout <= 0 && d->act_gate != CLNORM_ACT_BEFORE && !d->quant &&
                       !clnorm_has(d, CLNORM_WITH_RESIDUAL | CLNORM_WITH_MODULATION);
    return sets->plain && sets->per_col && quick && !clnorm_desc_is_partial(d) && power_of(d) > 0 &&
           d->stats == CLNORM_STATS_COMPUTED;
}

/* A block of rows at once, where a row is x and nothing else. */
static bool can_block(const clnorm_desc *d, const clnorm_sets *sets)
{
    return can_overlap(d, sets) && !clnorm_desc_has_sum(d) && !d->act_gate;
}

/* Backward, where a row is x and dy, and statistics need not be found. */
static bool can_block_back(const clnorm_desc *d, clnorm_purpose purpose)
{
    return purpose.saved && d->backward != CLNORM_FROM_OUTPUT &&
           clnorm_kind_of(d).params == CLNORM_PER_COL && !clnorm_kind_of(d).channels;
}

/* Sums of gradients, dropout and codes know columns by their lanes. */
static bool is_paired(const clnorm_desc *desc, const clnorm_geometry *geometry, bool back)
{
    const clnorm_dtype residual = clnorm_desc_has_sum(desc) ? desc->residual_dtype : CLNORM_BF16;
    return geometry->cpu_hints && geometry->vec >= 4 && !back && desc->dropout <= 0 &&
           desc->x_dtype == CLNORM_BF16 && desc->y_dtype == CLNORM_BF16 &&
           desc->param_dtype == CLNORM_BF16 && residual == CLNORM_BF16;
}

/* Gradients hold dy as well. */
static int hold_in(const clnorm_geometry *geometry, bool back)
{
    const unsigned most = back ? 8 : 16;
    return geometry->hold <= most ? (int)geometry->hold : 0;
}

static size_t add(char *text, size_t used, const char *name, const char *value)
{
    const size_t left = CLNORM_MOST_DEFINES - used;
    const int more = snprintf(text + used, left, "%s-%s=%s", used ? " " : "", name, value);
    return more > 0 && (size_t)more < left ? used + (size_t)more : CLNORM_MOST_DEFINES;
}

/* cl_khr_subgroups is not in OpenCL C 1.2. */
static const char *standard_of(const clnorm_op *op, const clnorm_geometry *geometry)
{
    const char *const version = op->context->device.version;
    if (geometry->subgroup != 1)
        return NULL;
    return strncmp(version, "OpenCL 2", strlen("OpenCL 2")) ? "CL3.0" : "CL2.0";
}

clnorm_status clnorm_switches(const clnorm_op *op, clnorm_purpose purpose,
                              const clnorm_geometry *geometry, char text[CLNORM_MOST_DEFINES],
                              clnorm_error *error)
{
    const clnorm_desc *d = &op->desc;
    const clnorm_kind_info kind = clnorm_kind_of(d);
    const clnorm_sets sets = clnorm_sets_of(d, 1);
    const bool back = purpose.direction == CLNORM_BACKWARD, mods = clnorm_has_row_mods(d);
    const bool narrow =
        geometry->block && can_block(d, &sets) && (!back || can_block_back(d, purpose));
    const number_switch numbers[] = {
        {"DARITHMETIC", d->x_dtype == CLNORM_F64 ? 64 : 32, 32},
        {"DCENTER", kind.center, -1},
        {"DSEGMENTED", !sets.plain, 0},
        {"DPARAM_AXIS", param_axis(&sets), 0},
        {"DPOWER", power_of(d), 2},
        {"DEPS_MODE", (int)d->eps_mode, 0},
        {"DNO_SCALE", d->center_only, 0},
        {"DZERO_NORM", d->kind == CLNORM_LP_NORM, 0},
        {"DSTATS", (int)d->stats, 0},
        {"DRESIDUAL", clnorm_has(d, CLNORM_WITH_RESIDUAL), 0},
        {"DX_BIAS", clnorm_has(d, CLNORM_WITH_X_BIAS), 0},
        {"DGATE", clnorm_has(d, CLNORM_WITH_GATE), 0},
        {"DDROPOUT", d->dropout > 0, 0},
        {"DROUND_SUM", clnorm_desc_has_sum(d) && d->contract == CLNORM_SUM_ROUNDED, 0},
        {"DMODULATION", clnorm_has(d, CLNORM_WITH_MODULATION), 0},
        {"DACT_GATE", (int)d->act_gate, 0},
        {"DWEIGHT_SHIFT", d->weight_offset != 0, 0},
        {"DCAST_FIRST", d->cast == CLNORM_CAST_FIRST && !back, 0},
        {"DQUANT", back ? 0 : (int)d->quant, 0},
        {"DASYMMETRIC", d->quant_asymmetric && !back, 0},
        {"DRUNNING", keeps_running(d) && !back, 0},
        {"DPARTIAL", back && clnorm_desc_is_partial(d), 0},
        {"DOVERLAP", !narrow && !back && geometry->group_size == 1 && can_overlap(d, &sets), 0},
        {"DNARROW", narrow, 0},
        {"DSPLIT", geometry->part > 0 && !back, 0},
        {"DGIVEN", purpose.usual ? clnorm_usual_bits(d, purpose.direction) : -1, -1},
        {"DALIGNED", purpose.usual && clnorm_may_align(d, geometry), 0},
        {"DSAVED", purpose.saved, 0},
        {"DFROM_OUTPUT", back && d->backward == CLNORM_FROM_OUTPUT, 0},
        {"DPARAM_ROWS", back && kind.params == CLNORM_PER_ROW, 0},
        {"DMOD_ROWS", back && mods, 0},
        {"DSLABS", back ? !kind.channels : 1, 1},
        {"DCPU_HINTS", geometry->cpu_hints, -1},
        {"DPAIRED", is_paired(d, geometry, back), 0},
        {"DGROUP_SIZE", (int)geometry->group_size, -1},
        {"DTEAM_SIZE", (int)geometry->team_size, (int)geometry->group_size},
        {"DHOLD", hold_in(geometry, back), 0},
        {"DSUBGROUPS", (int)geometry->subgroup, 0},
        {"DVEC", (int)geometry->vec, -1},
    };
    const bool wide = d->x_dtype == CLNORM_F64;
    const bool direct = back && (mods || kind.params == CLNORM_PER_ROW);
    const clnorm_dtype usual = wide ? CLNORM_F64 : CLNORM_F32;
    const bool y_matters = !back || d->backward == CLNORM_FROM_OUTPUT;
    const type_switch types[] = {
        {"DX_TYPE", d->x_dtype},
        {"DY_TYPE", y_matters ? d->y_dtype : usual},
        {"DPARAM_TYPE", d->param_dtype},
        {"DR_TYPE", clnorm_desc_has_sum(d) ? d->residual_dtype : usual},
        {"DDY_TYPE", back ? d->dy_dtype : usual},
        {"DDX_TYPE", back ? d->dx_dtype : usual},
        {"DDPARAM_TYPE", direct ? d->dparam_dtype : usual},
    };
    const char *const standard = standard_of(op, geometry);
    size_t used = standard ? add(text, 0, "cl-std", standard) : 0;
    char value[16];
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        snprintf(value, sizeof(value), "%d", numbers[i].value);
        if (numbers[i].value != numbers[i].usual && used < CLNORM_MOST_DEFINES)
            used = add(text, used, numbers[i].name, value);
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].value != CLNORM_F32 && used < CLNORM_MOST_DEFINES)
            used = add(text, used, types[i].name, clnorm_dtype_name(types[i].value));
    if (used >= CLNORM_MOST_DEFINES)
        return clnorm_fail(error, CLNORM_BUILD_FAILED, "more than %d bytes of build options",
                           CLNORM_MOST_DEFINES);
    return CLNORM_OK;
}
