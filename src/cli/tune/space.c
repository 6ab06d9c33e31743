/* SPDX-License-Identifier: MIT */
/* The rules are those that CLBlast's kernels state or rely on: xgemm_part1.opencl,
 * xgemm_direct_part1.opencl and xgemv_fast.opencl of version 1.5. Local memory may be too small for
 * a point: then the candidate fails. */
#include "cli/tune/space.h"

#include <stdio.h>
#include <string.h>

enum { MOST_TILE = 256 };

struct dimension {
    const char *name;
    unsigned values[10], n;
};

/* ---- Xgemm --------------------------------------------------------------------------------- */

enum { KWG, KWI, MDIMA, MDIMC, MWG, NDIMB, NDIMC, NWG, SA, SB, STRM, STRN, VWM, VWN, GEMMK, KREG };

static const struct dimension indirect_dimensions[] = {
    [KWG] = {"KWG", {4, 8, 16, 32}, 4},
    [KWI] = {"KWI", {2, 4, 8}, 3},
    [MDIMA] = {"MDIMA", {1, 2, 4, 8, 16, 32}, 6},
    [MDIMC] = {"MDIMC", {1, 2, 4, 8, 16, 32}, 6},
    [MWG] = {"MWG", {8, 16, 32, 64, 128}, 5},
    [NDIMB] = {"NDIMB", {1, 2, 4, 8, 16, 32}, 6},
    [NDIMC] = {"NDIMC", {1, 2, 4, 8, 16, 32}, 6},
    [NWG] = {"NWG", {4, 8, 16, 32, 64, 128}, 6},
    [SA] = {"SA", {0, 1}, 2},
    [SB] = {"SB", {0, 1}, 2},
    [STRM] = {"STRM", {0, 1}, 2},
    [STRN] = {"STRN", {0, 1}, 2},
    [VWM] = {"VWM", {1, 2, 4, 8}, 4},
    [VWN] = {"VWN", {1, 2, 4, 8}, 4},
    [GEMMK] = {"GEMMK", {0}, 1},
    [KREG] = {"KREG", {1}, 1},
};

/* The last one: a work-item holds a tile of sums, and more than MOST_TILE spill everywhere. */
static bool is_indirect(const unsigned *v)
{
    const unsigned items = v[MDIMC] * v[NDIMC];
    return v[MWG] % (v[MDIMC] * v[VWM]) == 0 && v[NWG] % (v[NDIMC] * v[VWN]) == 0 &&
           v[MWG] % (v[MDIMA] * v[VWM]) == 0 && v[NWG] % (v[NDIMB] * v[VWN]) == 0 &&
           items % v[MDIMA] == 0 && items % v[NDIMB] == 0 &&
           (!v[SA] || v[KWG] % (items / v[MDIMA]) == 0) &&
           (!v[SB] || v[KWG] % (items / v[NDIMB]) == 0) && v[KWG] % v[KWI] == 0 && items <= 256 &&
           (v[SA] || v[MDIMA] == v[MDIMC]) && (v[SB] || v[NDIMB] == v[NDIMC]) &&
           v[MWG] * v[NWG] / items <= MOST_TILE;
}

static const struct space_point indirect_seeds[] = {
    {{4, 2, 1, 1, 8, 1, 1, 8, 0, 0, 0, 0, 8, 8, 0, 1}},
    {{4, 4, 8, 8, 8, 1, 1, 8, 0, 0, 1, 0, 1, 4, 0, 1}},
    {{32, 8, 8, 8, 16, 1, 1, 8, 0, 0, 1, 0, 1, 4, 0, 1}},
    {{4, 2, 1, 1, 16, 1, 1, 4, 0, 0, 0, 0, 8, 4, 0, 1}},
    {{16, 2, 4, 4, 32, 1, 1, 32, 0, 0, 0, 0, 8, 8, 0, 1}},
    {{32, 2, 16, 16, 64, 16, 16, 64, 0, 0, 0, 0, 4, 4, 0, 1}},
    {{16, 2, 1, 1, 16, 1, 1, 8, 0, 0, 0, 0, 8, 1, 0, 1}},
    {{16, 2, 1, 1, 32, 1, 1, 8, 0, 0, 0, 0, 8, 8, 0, 1}},
    {{32, 8, 8, 8, 16, 1, 1, 8, 0, 0, 1, 0, 1, 1, 0, 1}},
    {{32, 2, 8, 8, 64, 8, 8, 64, 1, 1, 0, 0, 4, 4, 0, 1}},
    {{16, 2, 16, 16, 128, 8, 8, 64, 1, 1, 1, 1, 2, 2, 0, 1}},
};

/* ---- XgemmDirect --------------------------------------------------------------------------- */

enum { KWID, MDIMAD, MDIMCD, NDIMBD, NDIMCD, PADA, PADB, VWMD, VWND, WGD };

static const struct dimension direct_dimensions[] = {
    [KWID] = {"KWID", {2, 8}, 2},
    [MDIMAD] = {"MDIMAD", {1, 2, 4, 8, 16, 32}, 6},
    [MDIMCD] = {"MDIMCD", {1, 2, 4, 8, 16, 32}, 6},
    [NDIMBD] = {"NDIMBD", {1, 2, 4, 8, 16, 32}, 6},
    [NDIMCD] = {"NDIMCD", {1, 2, 4, 8, 16, 32}, 6},
    [PADA] = {"PADA", {0, 1}, 2},
    [PADB] = {"PADB", {0, 1}, 2},
    [VWMD] = {"VWMD", {1, 2, 4, 8}, 4},
    [VWND] = {"VWND", {1, 2, 4, 8}, 4},
    [WGD] = {"WGD", {8, 16, 32, 64}, 4},
};

static bool is_direct(const unsigned *v)
{
    const unsigned items = v[MDIMCD] * v[NDIMCD];
    return v[WGD] % v[KWID] == 0 && v[WGD] % (v[MDIMCD] * v[VWMD]) == 0 &&
           v[WGD] % (v[NDIMCD] * v[VWND]) == 0 && v[WGD] % (v[MDIMAD] * v[VWMD]) == 0 &&
           v[WGD] % (v[NDIMBD] * v[VWND]) == 0 && items % v[MDIMAD] == 0 &&
           items % v[NDIMBD] == 0 && v[WGD] % (items / v[MDIMAD]) == 0 &&
           v[WGD] % (items / v[NDIMBD]) == 0 && items <= 256 &&
           v[WGD] * v[WGD] / items <= MOST_TILE;
}

static const struct space_point direct_seeds[] = {
    {{2, 8, 8, 1, 1, 0, 0, 1, 1, 8}},  {{2, 8, 8, 8, 8, 1, 1, 1, 1, 8}},
    {{2, 8, 8, 4, 4, 0, 0, 4, 4, 32}}, {{8, 16, 16, 16, 16, 1, 1, 2, 2, 32}},
    {{2, 1, 1, 1, 1, 0, 0, 8, 1, 8}},  {{2, 2, 2, 1, 1, 0, 0, 8, 1, 16}},
};

/* ---- XgemvFast, XgemvFastRot --------------------------------------------------------------- */

/* Both are for multiples only: columns are to be one of GROUP, and rows of GROUP times ROWS. */
enum { VECTOR, GROUP, ROWS };

#define GEMV_DIMENSIONS(number)                                                                    \
    {                                                                                              \
        [VECTOR] = {"VW" number, {1, 2, 4, 8}, 4},                                                 \
        [GROUP] = {"WGS" number, {1, 2, 4, 5, 8, 10, 16, 25, 32, 64}, 10},                         \
        [ROWS] = {"WPT" number, {1, 2, 4, 8, 16, 32}, 6},                                          \
    }

static const struct dimension columns_dimensions[] = GEMV_DIMENSIONS("2");
static const struct dimension rows_dimensions[] = GEMV_DIMENSIONS("3");

static bool is_columns(const unsigned *v) { return v[ROWS] % v[VECTOR] == 0; }

/* Steps of ROWS go over columns, which are known to be a multiple of GROUP only; and a work-item
 * loads one number of a step. */
static bool is_rows(const unsigned *v)
{
    return v[ROWS] % v[VECTOR] == 0 && v[GROUP] % v[ROWS] == 0;
}

static const struct space_point columns_seeds[] = {{{4, 2, 4}}, {{1, 8, 1}}, {{8, 1, 8}}};
static const struct space_point rows_seeds[] = {{{1, 5, 1}}, {{1, 4, 1}}, {{4, 8, 8}}};

/* ---- all of them --------------------------------------------------------------------------- */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const struct dimension *dimensions;
    size_t n_dimensions;
    const struct space_point *seeds;
    size_t n_seeds;
    bool (*is_allowed)(const unsigned *values);
} spaces[] = {
    [CLNORM_GEMM_INDIRECT] = {indirect_dimensions, COUNT(indirect_dimensions), indirect_seeds,
                              COUNT(indirect_seeds), is_indirect},
    [CLNORM_GEMM_DIRECT] = {direct_dimensions, COUNT(direct_dimensions), direct_seeds,
                            COUNT(direct_seeds), is_direct},
    [CLNORM_GEMV_COLUMNS] = {columns_dimensions, COUNT(columns_dimensions), columns_seeds,
                             COUNT(columns_seeds), is_columns},
    [CLNORM_GEMV_ROWS] = {rows_dimensions, COUNT(rows_dimensions), rows_seeds, COUNT(rows_seeds),
                          is_rows},
};

bool space_allows(clnorm_gemm_kernel kernel, const struct space_point *point)
{
    return spaces[kernel].is_allowed(point->values);
}

size_t space_seeds(clnorm_gemm_kernel kernel) { return spaces[kernel].n_seeds; }

struct space_point space_seed(clnorm_gemm_kernel kernel, size_t i)
{
    return spaces[kernel].seeds[i];
}

static unsigned any_value(const struct dimension *d, clnorm_random *random)
{
    return d->values[clnorm_random_below(random, d->n)];
}

struct space_point space_random(clnorm_gemm_kernel kernel, clnorm_random *random)
{
    struct space_point point = {{0}};
    do
        for (size_t i = 0; i < spaces[kernel].n_dimensions; i++)
            point.values[i] = any_value(&spaces[kernel].dimensions[i], random);
    while (!space_allows(kernel, &point));
    return point;
}

struct space_point space_neighbour(clnorm_gemm_kernel kernel, const struct space_point *point,
                                   clnorm_random *random)
{
    struct space_point other;
    do {
        other = *point;
        for (uint64_t left = 1 + clnorm_random_below(random, 3); left > 0; left--) {
            const uint64_t i = clnorm_random_below(random, spaces[kernel].n_dimensions);
            other.values[i] = any_value(&spaces[kernel].dimensions[i], random);
        }
    } while (!space_allows(kernel, &other) || memcmp(&other, point, sizeof(other)) == 0);
    return other;
}

void space_text(clnorm_gemm_kernel kernel, const struct space_point *point,
                char text[CLNORM_GEMM_TEXT])
{
    size_t used = 0;
    for (size_t i = 0; i < spaces[kernel].n_dimensions; i++)
        used += (size_t)snprintf(text + used, CLNORM_GEMM_TEXT - used, "%s%s=%u", i ? " " : "",
                                 spaces[kernel].dimensions[i].name, point->values[i]);
}
