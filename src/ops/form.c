/* SPDX-License-Identifier: MIT */
#include "ops/form.h"

#include "base/checked.h"
#include "base/desc.h"
#include "base/sets.h"
#include "ops/op.h"
#include "runtime/quirks.h"

#include <stdio.h>

/* What is known of the device and the rows when a form is chosen. */
typedef struct {
    const clnorm_context *context;
    const clnorm_desc *desc;
    clnorm_sets sets;
    unsigned most_group; /* largest work-group */
} situation;

/* Devices report anything from their L2 to all of L3 here, so it is a first guess only. */
static uint64_t stream_bytes(const clnorm_device *device)
{
    const uint64_t least = (uint64_t)32 << 20;
    return device->cache_bytes > least ? device->cache_bytes : least;
}

/* ---- a geometry for each form -------------------------------------------------------------- */

static clnorm_geometry sequential(const situation *s)
{
    /* Two registers at once hide the latency of an addition. */
    const unsigned width = 2 * s->context->float_width;
    return (clnorm_geometry){.vec = width >= 16  ? 16
                                    : width >= 8 ? 8
                                                 : 4,
                             .group_size = 1,
                             .team_size = 1};
}

/* Vectors of a work-item in a team that holds its row. */
static unsigned hold_of(const clnorm_geometry *g, uint64_t run)
{
    return (unsigned)ceil_div(run, (uint64_t)g->vec * g->team_size);
}

/* Teams of a sub-group's usual size, so that short rows fill the device too. */
static clnorm_geometry sliced(const situation *s)
{
    clnorm_geometry g = {.vec = 4, .group_size = 256, .team_size = 32};
    while (g.team_size > 2 && g.team_size / 2 * g.vec >= s->sets.run)
        g.team_size /= 2;
    while (g.team_size < 256 && hold_of(&g, s->sets.run) > 8)
        g.team_size *= 2;
    return g;
}

/* Four vectors in flight for each work-item hide the latency of memory; up to eight, as work-items
 * of larger groups would have too few registers. */
static clnorm_geometry held(const situation *s)
{
    clnorm_geometry g = {.vec = 4, .group_size = 64};
    while (g.group_size < 512 && 4 * g.vec * g.group_size < s->sets.run)
        g.group_size *= 2;
    return g;
}

static clnorm_geometry cooperative(const situation *s)
{
    return (clnorm_geometry){.vec = 4, .group_size = s->sets.run <= 1024 ? 64 : 256};
}

/* In the order in which they are tried when another one is not to be had. */
static const struct {
    clnorm_form form;
    clnorm_geometry (*make)(const situation *s);
    bool holds;
    uint64_t least_cols, most_cols; /* where it is the choice for GPUs */
} forms[] = {
    {CLNORM_FORM_SLICED, sliced, true, 1, 1024},
    {CLNORM_FORM_HELD, held, true, 1025, 16384},
    {CLNORM_FORM_COOPERATIVE, cooperative, false, 1, UINT64_MAX},
    {CLNORM_FORM_SEQUENTIAL, sequential, false, 1, UINT64_MAX},
};
enum { FORMS = sizeof(forms) / sizeof(forms[0]), MOST_HELD = 16 };

bool clnorm_form_holds(clnorm_form form)
{
    bool holds = false;
    for (int i = 0; i < FORMS; i++)
        holds = holds || (forms[i].form == form && forms[i].holds);
    return holds;
}

/* ---- limits -------------------------------------------------------------------------------- */

static void limit_group(const situation *s, clnorm_geometry *g)
{
    while (g->group_size > 1 && g->group_size > s->most_group)
        g->group_size /= 2;
    if (g->team_size == 0 || g->team_size > g->group_size)
        g->team_size = g->group_size;
}

/* Segments may be shorter than a vector, or than the vectors of a group. */
static void shrink(clnorm_geometry *g, uint64_t run)
{
    while (g->vec > 2 && g->vec > run)
        g->vec /= 2;
    while (g->group_size > 2 && g->group_size / 2 * g->vec >= run)
        g->group_size /= 2;
    g->team_size = g->group_size;
}

static void apply(const clnorm_tuning *tuning, clnorm_geometry *g)
{
    g->vec = tuning->vec ? tuning->vec : g->vec;
    g->team_size = tuning->team ? tuning->team : g->team_size;
    g->group_size = tuning->group ? tuning->group : g->group_size;
}

/* Where the size is not known, teams of a whole group only. */
static unsigned subgroup_of(const situation *s, const clnorm_tuning *tuning,
                            const clnorm_geometry *g)
{
    const clnorm_subgroups has = s->context->subgroups;
    const bool khr = tuning->subgroups == CLNORM_SUBGROUPS_KHR;
    if (tuning->subgroups == CLNORM_SUBGROUPS_OFF || g->team_size == 1 ||
        s->desc->x_dtype == CLNORM_F64)
        return 0;
    if (has.intel && !khr && g->team_size % has.intel == 0)
        return has.intel;
    return has.khr && (khr || !has.intel) && g->team_size == g->group_size;
}

/* Columns of one row, all of which count in its statistics. */
static bool is_simple(const situation *s)
{
    const clnorm_desc *desc = s->desc;
    return s->sets.plain && s->sets.per_col && !desc->quant && !clnorm_desc_is_partial(desc);
}

/* Long rows have parts, that several groups can share them, where statistics can be merged. For
 * shorter ones a second launch costs a CPU what it saves. */
static unsigned part_of(const situation *s, const clnorm_geometry *g)
{
    const clnorm_desc *desc = s->desc;
    const bool mergeable = desc->stats == CLNORM_STATS_COMPUTED && (desc->p == 1 || desc->p == 2);
    const bool lone_team = g->team_size == g->group_size && !g->hold;
    const bool alone = g->team_size == 1; /* a work-item, which merges all parts itself */
    const uint64_t longest_whole = alone ? 65536 : 32768, most = alone ? 64 : CLNORM_MOST_PARTS;
    /* four vectors for each work-item of a group */
    uint64_t part = alone ? 16384 : max_u64(4 * (uint64_t)g->vec * g->group_size, 4096);
    if (s->sets.run <= longest_whole || !is_simple(s) || !mergeable || !lone_team)
        return 0;
    while (ceil_div(s->sets.run, part) > most)
        part *= 2;
    return (unsigned)part;
}

/* BLOCK_ROWS of row_reduce.cl, where a row is so short that its vectors take less time than the
 * chain of operations between their sums and its statistics. */
static unsigned block_of(const situation *s, const clnorm_geometry *g)
{
    const bool has_totals = g->cpu_hints && (g->vec == 8 || g->vec == 16);
    return g->group_size == 1 && has_totals && is_simple(s) && s->sets.run <= 8 * g->vec ? 8 : 0;
}

/* A compute unit of a GPU works on several groups at once. */
static unsigned slots_of(const situation *s, const clnorm_geometry *g)
{
    const unsigned units = s->context->device.compute_units;
    return (units ? units : 1) * (g->team_size > 1 ? 8 : 1);
}

/* False where this form cannot take such rows. */
static bool make(const situation *s, int index, const clnorm_tuning *tuning, clnorm_geometry *g)
{
    const clnorm_device *device = &s->context->device;
    const bool shared = forms[index].form != CLNORM_FORM_SEQUENTIAL;
    *g = forms[index].make(s);
    if (tuning->form == CLNORM_FORM_AUTO || tuning->form == forms[index].form)
        apply(tuning, g);
    g->form = forms[index].form;
    limit_group(s, g);
    if (s->desc->x_dtype == CLNORM_F64 && g->vec > 8)
        g->vec = 8;
    if (!s->sets.plain)
        shrink(g, s->sets.run);
    if (forms[index].holds)
        g->hold = hold_of(g, s->sets.run);
    g->part = part_of(s, g);
    g->slots = slots_of(s, g);
    g->subgroup = subgroup_of(s, tuning, g);
    g->cpu_hints = clnorm_quirk_reason(device, CLNORM_QUIRK_CLANG) != NULL;
    g->block = block_of(s, g);
    g->stream_bytes = tuning->stream ? tuning->stream : stream_bytes(device);
    g->most_iterations = clnorm_most_iterations(device);
    return (!forms[index].holds || is_simple(s)) && g->hold <= MOST_HELD &&
           (!shared || g->group_size > 1);
}

/* ---- the choice ---------------------------------------------------------------------------- */

/* Work-items that share a row pay where local memory is memory of its own. */
static bool suits(const situation *s, int index)
{
    const clnorm_device *device = &s->context->device;
    const bool gpu = (device->type & CL_DEVICE_TYPE_GPU) != 0 && !device->local_is_global;
    const bool shared = forms[index].form != CLNORM_FORM_SEQUENTIAL;
    return shared == gpu && forms[index].least_cols <= s->sets.run &&
           s->sets.run <= forms[index].most_cols;
}

static bool is_allowed(const situation *s, const clnorm_geometry *g)
{
    return clnorm_iterations_of(g, &s->sets) <= g->most_iterations;
}

/* What is left if all else fails: nothing of a compiler that is not in every one. */
static size_t add_baseline(const situation *s, const clnorm_geometry *list, size_t count,
                           clnorm_geometry *baseline)
{
    const clnorm_tuning plain = {.form = CLNORM_FORM_SEQUENTIAL, .vec = 4};
    if (!make(s, FORMS - 1, &plain, baseline))
        return 0;
    baseline->cpu_hints = 0;
    baseline->part = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i].form == baseline->form && list[i].vec == baseline->vec &&
            list[i].cpu_hints == baseline->cpu_hints && list[i].part == baseline->part)
            return 0;
    return is_allowed(s, baseline);
}

/* With sub-groups, if it has them, and without; then whole rows, one by one, if they have parts or
 * are in blocks. */
static size_t add_form(const situation *s, int index, const clnorm_tuning *tuning,
                       clnorm_geometry *list)
{
    clnorm_tuning plain = *tuning;
    size_t count = 0;
    plain.subgroups = CLNORM_SUBGROUPS_OFF;
    if (make(s, index, tuning, &list[count]) && is_allowed(s, &list[count]))
        count += list[count].subgroup > 0;
    if (!make(s, index, &plain, &list[count]) || !is_allowed(s, &list[count]))
        return count;
    if (list[count].part == 0 && list[count].block == 0)
        return count + 1;
    count++;
    list[count] = list[count - 1];
    list[count].part = list[count].block = 0;
    return count + 1;
}

/* Those that suit first, then what any device can do. */
static size_t list_forms(const situation *s, const clnorm_tuning *tuning,
                         clnorm_geometry list[CLNORM_MOST_CANDIDATES])
{
    size_t count = 0;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < FORMS; i++) {
            const bool first = tuning->form ? tuning->form == forms[i].form : suits(s, i);
            const bool fallback =
                forms[i].form == CLNORM_FORM_COOPERATIVE || forms[i].form == CLNORM_FORM_SEQUENTIAL;
            if (round == 0 ? first : !first && fallback)
                count += add_form(s, i, tuning, &list[count]);
        }
    return count + add_baseline(s, list, count, &list[count]);
}

size_t clnorm_geometry_list(const clnorm_context *context, const clnorm_desc *desc,
                            const clnorm_tuning *tuning,
                            clnorm_geometry list[CLNORM_MOST_CANDIDATES])
{
    const bool lone = clnorm_quirk_reason(&context->device, CLNORM_QUIRK_LONE_ITEMS);
    const size_t most = lone ? 1 : context->device.max_work_group;
    const situation s = {context, desc, clnorm_sets_of(desc, 1),
                         most > 1024 ? 1024
                         : most      ? (unsigned)most
                                     : 1};
    return list_forms(&s, tuning, list);
}

bool clnorm_geometry_halve(clnorm_geometry *geometry, const clnorm_sets *sets)
{
    if (geometry->group_size < 2)
        return false;
    geometry->group_size /= 2;
    if (geometry->team_size > geometry->group_size)
        geometry->team_size = geometry->group_size;
    if (geometry->subgroup > geometry->team_size)
        geometry->subgroup = 0;
    if (geometry->hold)
        geometry->hold = hold_of(geometry, sets->run);
    if (geometry->hold > MOST_HELD)
        geometry->hold = 0; /* reads its row again */
    return true;
}

static unsigned log2_of(unsigned power)
{
    unsigned result = 0;
    while (power >>= 1)
        result++;
    return result;
}

unsigned clnorm_geometry_depth(const clnorm_geometry *geometry, uint64_t cols)
{
    const unsigned run = hold_of(geometry, cols);
    /* BLOCK_LENGTH of row_reduce.cl, which a work-item has that finds a part again by itself */
    const unsigned block = run < 64 && !geometry->part ? run : 64;
    const unsigned fold = 2, team = log2_of(geometry->team_size);
    const unsigned parts = geometry->part ? fold + team : 0;
    return block + fold + log2_of(geometry->vec) + team + parts;
}

uint64_t clnorm_parts_of_row(const clnorm_geometry *geometry, uint64_t cols)
{
    return geometry->part ? ceil_div(cols, (uint64_t)geometry->part) : 0;
}

uint64_t clnorm_most_shared_rows(const clnorm_geometry *geometry)
{
    return geometry->part ? 2 * (uint64_t)geometry->slots : 0;
}

/* Where too many groups would have no row, or some would have one more than the others: to read x
 * twice costs half as much again. */
bool clnorm_shares_rows(const clnorm_geometry *geometry, uint64_t rows)
{
    const uint64_t slots = geometry->slots;
    return rows > 0 && rows <= clnorm_most_shared_rows(geometry) &&
           ceil_div(rows, slots) * slots * 2 > rows * 3;
}

uint64_t clnorm_sets_per_group(const clnorm_op *op, const clnorm_geometry *geometry, uint64_t sets,
                               uint64_t set_bytes, uint64_t all)
{
    const clnorm_sets shape = clnorm_sets_of(&op->desc, all);
    const uint64_t units = max_u64(geometry->slots, 1); /* of work-items by themselves */
    const uint64_t most_groups = (uint64_t)1 << 22; /* some drivers count work-items in 32 bits */
    const uint64_t allowed = geometry->most_iterations / clnorm_iterations_of(geometry, &shape);
    if (geometry->team_size > 1)
        return (sets / most_groups + 1) * (geometry->group_size / geometry->team_size);
    /* the first set of a group has nothing to overlap with */
    const uint64_t worth_a_launch = 65536 / set_bytes + 1, few_firsts = sets / (16 * units);
    const uint64_t balanced = sets / (4 * units) + 1;
    const uint64_t wanted = worth_a_launch > few_firsts ? worth_a_launch : few_firsts;
    const uint64_t most = min_u64(min_u64(wanted, balanced), allowed > 0 ? allowed : 1);
    return geometry->block && most > geometry->block ? most / geometry->block * geometry->block
                                                     : most;
}

int clnorm_geometry_defines(const clnorm_geometry *geometry, char *text, size_t bytes)
{
    const int used = snprintf(text, bytes, "-DCPU_HINTS=%d -DGROUP_SIZE=%u -DVEC=%u",
                              geometry->cpu_hints, geometry->group_size, geometry->vec);
    return used > 0 && (size_t)used < bytes;
}
