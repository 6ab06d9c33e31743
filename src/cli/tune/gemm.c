/* SPDX-License-Identifier: MIT */
#include "cli/tune/gemm.h"

#include "check/clock.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/tune/space.h"

#include <math.h>
#include <string.h>

/* Layers of fewer rows may be better with the kernel without copies, or as GEMVs. */
enum { FEW_ROWS = 32, NEVER = 65536, ROUNDS = 3 };

struct search {
    const struct layers *layers;
    unsigned device;
    double limit;
    struct progress progress;
    double begun;
    struct gemm_result *result;
    clnorm_random random;
};

/* ---- candidates ---------------------------------------------------------------------------- */

static void note_failure(struct gemm_result *result, const char *what, const char *problem)
{
    if (result->failed++ == 0)
        snprintf(result->problem, sizeof(result->problem), "%.120s: %.100s", what, problem);
}

static void measure(struct search *s, const struct layers *layers, const clnorm_gemm_tuning *tuning,
                    struct candidate_times *times)
{
    char text[CLNORM_GEMM_TUNING_TEXT];
    candidate_run(layers, tuning, s->device, s->limit, times);
    s->result->tried++;
    clnorm_gemm_tuning_text(tuning, text);
    if (times->problem[0] || times->share > 1)
        note_failure(s->result, text, times->problem[0] ? times->problem : "wrong result");
    progress_update(&s->progress, (uint64_t)(clnorm_clock() - s->begun));
}

static clnorm_gemm_tuning forced(enum space_kernel kernel, const struct space_point *point)
{
    clnorm_gemm_tuning tuning = {.min_indirect = kernel == SPACE_INDIRECT ? 1 : NEVER};
    space_text(kernel, point, kernel == SPACE_INDIRECT ? tuning.indirect : tuning.direct);
    return tuning;
}

static double mean_log(const double *seconds, const double *other, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += log(other ? fmin(seconds[i], other[i]) : seconds[i]);
    return sum / (double)n;
}

static void take_least(double *seconds, const double *others, size_t n)
{
    for (size_t i = 0; i < n; i++)
        seconds[i] = fmin(seconds[i], others[i]);
}

/* ---- a kernel ------------------------------------------------------------------------------ */

/* Seeds, then random points for a third of the time, then neighbours of the best. `other`: seconds
 * of another way for the same products, which a candidate need not beat; or NULL. False if none
 * works. */
static bool search_kernel(struct search *s, enum space_kernel kernel, const struct layers *layers,
                          const double *other, double seconds, struct space_point *best)
{
    const double begun = clnorm_clock();
    double least = INFINITY;
    for (size_t i = 0; clnorm_clock() - begun < seconds && !interrupt_pending(); i++) {
        const bool early = isinf(least) || clnorm_clock() - begun < seconds / 3;
        const struct space_point point = i < space_seeds(kernel) ? space_seed(kernel, i)
                                         : early                 ? space_random(kernel, &s->random)
                                                 : space_neighbour(kernel, best, &s->random);
        const clnorm_gemm_tuning tuning = forced(kernel, &point);
        struct candidate_times times;
        measure(s, layers, &tuning, &times);
        const double score = mean_log(times.seconds, other, layers->n * PRODUCTS_OF_LAYER);
        if (!times.problem[0] && times.share <= 1 && score < least) {
            least = score;
            *best = point;
        }
    }
    return !isinf(least);
}

/* Layers of few rows. */
static struct layers few_rows_of(const struct layers *all)
{
    struct layers some = {.n = 0};
    for (size_t i = 0; i < all->n; i++)
        if (all->of[i].batch < FEW_ROWS)
            some.of[some.n++] = all->of[i];
    return some;
}

/* ---- who does which product ---------------------------------------------------------------- */

enum way { BY_INDIRECT, BY_DIRECT, BY_GEMV, WAYS };

struct ways {
    struct candidate_times of[WAYS]; /* of all products */
};

static double cube(double a) { return a * a * a; }

static double seconds_with(const struct ways *ways, const struct layers *layers, size_t i,
                           unsigned min_indirect, unsigned gemv_rows)
{
    const clnorm_gemm_case c = layers_product(layers, i);
    const double work = (double)c.m * (double)c.n * (double)c.k;
    return c.m <= gemv_rows             ? ways->of[BY_GEMV].seconds[i]
           : work >= cube(min_indirect) ? ways->of[BY_INDIRECT].seconds[i]
                                        : ways->of[BY_DIRECT].seconds[i];
}

static void try_limits(const struct ways *ways, const struct layers *layers, unsigned min_indirect,
                       unsigned gemv_rows, double *least, clnorm_gemm_tuning *tuning)
{
    double sum = 0;
    for (size_t i = 0; i < layers->n * PRODUCTS_OF_LAYER; i++)
        sum += log(seconds_with(ways, layers, i, min_indirect, gemv_rows));
    if (!(sum < *least))
        return;
    *least = sum;
    tuning->min_indirect = min_indirect;
    tuning->gemv_rows = gemv_rows;
}

/* Every limit that tells two of the products apart. */
static void choose_limits(const struct ways *ways, const struct layers *layers,
                          clnorm_gemm_tuning *tuning)
{
    double least = INFINITY;
    for (size_t r = 0; r <= layers->n; r++) {
        const uint64_t rows = r < layers->n ? layers->of[r].batch : 0;
        if (rows >= FEW_ROWS)
            continue;
        try_limits(ways, layers, 1, (unsigned)rows, &least, tuning);
        for (size_t i = 0; i < layers->n * PRODUCTS_OF_LAYER; i++) {
            const clnorm_gemm_case c = layers_product(layers, i);
            const double edge = ceil(cbrt((double)c.m * (double)c.n * (double)c.k * 1.0001));
            try_limits(ways, layers, (unsigned)fmin(edge, NEVER), (unsigned)rows, &least, tuning);
        }
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

/* What is found for all layers, or as GEMVs, the kernel for few rows need not beat. */
static void search_kernels(struct search *s, double max_time, clnorm_gemm_tuning *tuning)
{
    const struct layers few = few_rows_of(s->layers);
    const double share = few.n ? max_time / 2 : max_time;
    const clnorm_gemm_tuning as_gemvs = {.gemv_rows = FEW_ROWS};
    struct candidate_times times, others;
    struct space_point best;
    const bool found = search_kernel(s, SPACE_INDIRECT, s->layers, NULL, share, &best);
    if (found)
        space_text(SPACE_INDIRECT, &best, tuning->indirect);
    if (!few.n || interrupt_pending())
        return;
    measure(s, &few, &as_gemvs, &others);
    if (found) {
        const clnorm_gemm_tuning indirect = forced(SPACE_INDIRECT, &best);
        measure(s, &few, &indirect, &times);
        take_least(others.seconds, times.seconds, few.n * PRODUCTS_OF_LAYER);
    }
    if (search_kernel(s, SPACE_DIRECT, &few, others.seconds, share, &best))
        space_text(SPACE_DIRECT, &best, tuning->direct);
}

static void measure_ways(struct search *s, const clnorm_gemm_tuning *tuning, struct ways *ways)
{
    const struct {
        unsigned min_indirect, gemv_rows;
    } limits[WAYS] = {{1, 0}, {NEVER, 0}, {NEVER, FEW_ROWS}};
    for (int i = 0; i < WAYS; i++) {
        clnorm_gemm_tuning way = *tuning;
        way.min_indirect = limits[i].min_indirect;
        way.gemv_rows = limits[i].gemv_rows;
        measure(s, s->layers, &way, &ways->of[i]);
    }
}

/* What the table will have beside CLBlast's own choice, in turns. */
static bool compare_in_turns(struct search *s, const clnorm_gemm_tuning *tuning)
{
    const clnorm_gemm_tuning own = {.min_indirect = 0};
    const size_t n = s->layers->n * PRODUCTS_OF_LAYER;
    for (size_t i = 0; i < n; i++)
        s->result->before[i] = s->result->after[i] = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        struct candidate_times times;
        measure(s, s->layers, &own, &times);
        take_least(s->result->before, times.seconds, n);
        measure(s, s->layers, tuning, &times);
        take_least(s->result->after, times.seconds, n);
        if (times.problem[0] || times.share > 1)
            return false;
    }
    return true;
}

static bool try_own(struct search *s, clnorm_error *error)
{
    const clnorm_gemm_tuning own = {.min_indirect = 0};
    struct candidate_times times;
    measure(s, s->layers, &own, &times);
    if (times.problem[0] || times.share > 1)
        return refuse(error, "device %u: CLBlast's own choice for these products: %s", s->device,
                      times.problem[0] ? times.problem : "a wrong result");
    return true;
}

bool gemm_search(const struct layers *layers, const clnorm_device *device, double max_time,
                 double limit, struct gemm_result *result, clnorm_error *error)
{
    const size_t n = layers->n * PRODUCTS_OF_LAYER;
    struct search s = {.layers = layers,
                       .device = device->index,
                       .limit = limit,
                       .begun = clnorm_clock(),
                       .result = result,
                       .random = clnorm_random_seed(1, 0)};
    clnorm_gemm_tuning tuning = {.min_indirect = 0};
    struct ways ways;
    *result = (struct gemm_result){.device = device};
    progress_begin(&s.progress, device->name, "tuning", "s", (uint64_t)max_time);
    bool ok = try_own(&s, error);
    if (ok) {
        search_kernels(&s, max_time, &tuning);
        measure_ways(&s, &tuning, &ways);
        choose_limits(&ways, layers, &tuning);
        if (compare_in_turns(&s, &tuning) &&
            mean_log(result->after, NULL, n) < mean_log(result->before, NULL, n))
            result->tuning = tuning;
    }
    progress_end(&s.progress);
    if (ok && interrupt_pending())
        return refuse(error, "interrupted");
    return ok;
}
