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
    int code; /* of what the search cannot go on after; CLI_OK */
    char problem[CLNORM_GEMM_TUNING_TEXT + 320];
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
    if (times->code != CLI_OK)
        note_failure(s->result, text, times->problem);
    progress_update(&s->progress, (uint64_t)(clnorm_clock() - s->begun));
}

/* Without which there is no result. `what`: the candidate, and what it is to do. */
static bool must_do(struct search *s, const struct layers *layers, const clnorm_gemm_tuning *tuning,
                    struct candidate_times *times, const char *what)
{
    char text[CLNORM_GEMM_TUNING_TEXT];
    measure(s, layers, tuning, times);
    if (times->code == CLI_OK)
        return true;
    clnorm_gemm_tuning_text(tuning, text);
    s->code = times->code;
    snprintf(s->problem, sizeof(s->problem), "%s: %s (%s)", what, times->problem, text);
    return false;
}

/* Every product that the kernel can do is for it. */
static clnorm_gemm_tuning forced(clnorm_gemm_kernel kernel, const struct space_point *point)
{
    const unsigned gemv_rows = kernel >= CLNORM_GEMV_COLUMNS ? FEW_ROWS : 0;
    clnorm_gemm_tuning tuning = {.min_indirect = kernel == CLNORM_GEMM_INDIRECT ? 1 : NEVER,
                                 .gemv_rows = {gemv_rows, gemv_rows}};
    space_text(kernel, point, tuning.kernels[kernel]);
    return tuning;
}

/* Of those that the kernel is for: a GEMV is that of one of a layer's products. */
static double mean_log(clnorm_gemm_kernel kernel, const double *seconds, const double *other,
                       size_t n)
{
    const size_t first = kernel == CLNORM_GEMV_COLUMNS;
    const size_t step = kernel >= CLNORM_GEMV_COLUMNS ? PRODUCTS_OF_LAYER : 1;
    double sum = 0;
    for (size_t i = first; i < n; i += step)
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
 * of another way for the same products, which a candidate need not beat; or NULL. What is best is
 * put into the tuning; nothing where no candidate works. */
static void search_kernel(struct search *s, clnorm_gemm_kernel kernel, const struct layers *layers,
                          const double *other, double seconds, clnorm_gemm_tuning *tuning)
{
    const double begun = clnorm_clock();
    double least = INFINITY;
    struct space_point best = {{0}};
    for (size_t i = 0; clnorm_clock() - begun < seconds && !interrupt_pending(); i++) {
        const bool early = isinf(least) || clnorm_clock() - begun < seconds / 3;
        const struct space_point point = i < space_seeds(kernel) ? space_seed(kernel, i)
                                         : early                 ? space_random(kernel, &s->random)
                                                 : space_neighbour(kernel, &best, &s->random);
        const clnorm_gemm_tuning candidate = forced(kernel, &point);
        struct candidate_times times;
        measure(s, layers, &candidate, &times);
        const double score = mean_log(kernel, times.seconds, other, layers->n * PRODUCTS_OF_LAYER);
        if (times.code == CLI_OK && score < least) {
            least = score;
            best = point;
        }
    }
    if (!isinf(least))
        space_text(kernel, &best, tuning->kernels[kernel]);
}

enum way { BY_INDIRECT, BY_DIRECT, BY_GEMV, WAYS };

static void measure_way(struct search *s, const struct layers *layers,
                        const clnorm_gemm_tuning *found, enum way way,
                        struct candidate_times *times)
{
    clnorm_gemm_tuning tuning = *found;
    tuning.min_indirect = way == BY_INDIRECT ? 1 : NEVER;
    tuning.gemv_rows[0] = tuning.gemv_rows[1] = way == BY_GEMV ? FEW_ROWS : 0;
    measure(s, layers, &tuning, times);
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

/* Half of the time is for the kernel that can be good for all layers; what it and GEMVs do well,
 * the other GEMM for few rows need not. */
static void search_kernels(struct search *s, double max_time, clnorm_gemm_tuning *tuning)
{
    const struct layers few = few_rows_of(s->layers);
    struct candidate_times times, others;
    search_kernel(s, CLNORM_GEMM_INDIRECT, s->layers, NULL, few.n ? max_time / 2 : max_time,
                  tuning);
    if (!few.n)
        return;
    search_kernel(s, CLNORM_GEMV_COLUMNS, &few, NULL, max_time / 6, tuning);
    search_kernel(s, CLNORM_GEMV_ROWS, &few, NULL, max_time / 6, tuning);
    measure_way(s, &few, tuning, BY_INDIRECT, &others);
    measure_way(s, &few, tuning, BY_GEMV, &times);
    take_least(others.seconds, times.seconds, few.n * PRODUCTS_OF_LAYER);
    search_kernel(s, CLNORM_GEMM_DIRECT, &few, others.seconds, max_time / 6, tuning);
}

/* ---- who does which product ---------------------------------------------------------------- */

struct ways {
    struct candidate_times of[WAYS]; /* of all products */
};

static double cube(double a) { return a * a * a; }

static double seconds_with(const struct ways *ways, const struct layers *layers, size_t i,
                           const clnorm_gemm_tuning *tuning)
{
    const clnorm_gemm_case c = layers_product(layers, i);
    const double work = (double)c.m * (double)c.n * (double)c.k;
    return c.m <= tuning->gemv_rows[c.b_transposed]     ? ways->of[BY_GEMV].seconds[i]
           : work >= cube((double)tuning->min_indirect) ? ways->of[BY_INDIRECT].seconds[i]
                                                        : ways->of[BY_DIRECT].seconds[i];
}

static double sum_with(const struct ways *ways, const struct layers *layers,
                       const clnorm_gemm_tuning *tuning)
{
    double sum = 0;
    for (size_t i = 0; i < layers->n * PRODUCTS_OF_LAYER; i++)
        sum += log(seconds_with(ways, layers, i, tuning));
    return sum;
}

/* Takes the value if it is better; the other limits stay. */
static void try_value(const struct ways *ways, const struct layers *layers, unsigned *limit,
                      unsigned value, const clnorm_gemm_tuning *tuning)
{
    const double before = sum_with(ways, layers, tuning);
    const unsigned old = *limit;
    *limit = value;
    if (!(sum_with(ways, layers, tuning) < before))
        *limit = old;
}

/* Every limit that tells two of the products apart, one limit after the other. */
static void choose_limits(const struct ways *ways, const struct layers *layers,
                          clnorm_gemm_tuning *tuning)
{
    tuning->min_indirect = 1;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < layers->n * PRODUCTS_OF_LAYER; i++) {
            const clnorm_gemm_case c = layers_product(layers, i);
            const double edge = ceil(cbrt((double)c.m * (double)c.n * (double)c.k * 1.0001));
            try_value(ways, layers, &tuning->min_indirect, (unsigned)fmin(edge, NEVER), tuning);
        }
        for (size_t i = 0; i < 2 * layers->n; i++)
            if (layers->of[i / 2].batch < FEW_ROWS)
                try_value(ways, layers, &tuning->gemv_rows[i % 2],
                          (unsigned)layers->of[i / 2].batch, tuning);
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

static const clnorm_gemm_tuning own = {.min_indirect = 0}; /* CLBlast's own choice */

/* What the table will have beside CLBlast's own choice, in turns. */
static bool compare_in_turns(struct search *s, const clnorm_gemm_tuning *tuning, int rounds)
{
    const size_t n = s->layers->n * PRODUCTS_OF_LAYER;
    for (size_t i = 0; i < n; i++)
        s->result->before[i] = s->result->after[i] = INFINITY;
    for (int round = 0; round < rounds; round++) {
        struct candidate_times times;
        if (!must_do(s, s->layers, &own, &times, "CLBlast's own choice, measured again"))
            return false;
        take_least(s->result->before, times.seconds, n);
        if (!must_do(s, s->layers, tuning, &times, "what was found, measured again"))
            return false;
        take_least(s->result->after, times.seconds, n);
    }
    return true;
}

/* Other products take other paths in the same kernels: odd ones, multiples of all tiles, and
 * columns that are a multiple of some work-groups only, which the fast GEMVs take. */
static bool is_right_elsewhere(struct search *s, const clnorm_gemm_tuning *tuning)
{
    static const struct layers others = {{{3, 7, 9},
                                          {5, 1, 1},
                                          {33, 65, 67},
                                          {64, 128, 256},
                                          {2, 512, 1024},
                                          {4, 2560, 640},
                                          {4, 10, 1000},
                                          {4, 20, 1000},
                                          {4, 50, 1000},
                                          {4, 1000, 4}},
                                         10};
    struct candidate_times times;
    s->limit *= 4; /* there are more of them than a candidate may have been given time for */
    return must_do(s, &others, tuning, &times, "what was found, with other products");
}

static bool try_own(struct search *s)
{
    struct candidate_times times;
    return must_do(s, s->layers, &own, &times, "CLBlast's own choice for these products");
}

/* A short search is worth no more than one round. */
static bool take_better(struct search *s, const clnorm_gemm_tuning *tuning, double max_time)
{
    struct gemm_result *r = s->result;
    const size_t n = s->layers->n * PRODUCTS_OF_LAYER;
    if (!compare_in_turns(s, tuning, max_time < 60 ? 1 : ROUNDS))
        return false;
    if (mean_log(CLNORM_GEMM_INDIRECT, r->after, NULL, n) <
        mean_log(CLNORM_GEMM_INDIRECT, r->before, NULL, n)) {
        r->tuning = *tuning;
        return is_right_elsewhere(s, tuning);
    }
    memcpy(r->after, r->before, sizeof(r->after));
    return true;
}

static bool search_and_compare(struct search *s, double max_time)
{
    clnorm_gemm_tuning tuning = {.min_indirect = 0};
    struct ways ways = {0};
    const int n_ways = few_rows_of(s->layers).n ? WAYS : BY_GEMV; /* which others never are */
    search_kernels(s, max_time, &tuning);
    for (int way = 0; way < n_ways; way++)
        measure_way(s, s->layers, &tuning, (enum way)way, &ways.of[way]);
    choose_limits(&ways, s->layers, &tuning);
    return take_better(s, &tuning, max_time);
}

int gemm_search(const struct layers *layers, const clnorm_device *device, double max_time,
                double limit, struct gemm_result *result)
{
    struct search s = {.layers = layers,
                       .device = device->index,
                       .limit = limit,
                       .begun = clnorm_clock(),
                       .result = result,
                       .random = clnorm_random_seed(1, 0)};
    *result = (struct gemm_result){.device = device};
    progress_begin(&s.progress, device->name, "tuning", "s", (uint64_t)max_time);
    const bool ok = try_own(&s) && search_and_compare(&s, max_time);
    progress_end(&s.progress);
    if (interrupt_pending())
        return complain_error(&(clnorm_error){.status = CLNORM_CANCELLED});
    if (!ok)
        complain("%s: %s; the table stays as it is", device->name, s.problem);
    return s.code;
}
