/* SPDX-License-Identifier: MIT */
#include "check/significance.h"

#include <math.h>
#include <stdlib.h>

clnorm_welch clnorm_welch_test(clnorm_log_spread a, clnorm_log_spread b)
{
    const double of_a = a.sd * a.sd / (double)a.n, of_b = b.sd * b.sd / (double)b.n;
    const double both = of_a + of_b;
    clnorm_welch w = {.difference = b.mean - a.mean, .error = sqrt(both)};
    if (both == 0) {
        w.degrees = (double)(a.n + b.n - 2);
        w.p = w.difference == 0 ? 1 : 0;
        return w;
    }
    w.degrees = both * both / (of_a * of_a / (double)(a.n - 1) + of_b * of_b / (double)(b.n - 1));
    w.p = clnorm_student_p(w.difference / w.error, w.degrees);
    return w;
}

void clnorm_welch_interval(const clnorm_welch *welch, double level, double interval[2])
{
    const double half =
        welch->error > 0 ? clnorm_student_t(1 - level, welch->degrees) * welch->error : 0;
    interval[0] = exp(welch->difference - half);
    interval[1] = exp(welch->difference + half);
}

bool clnorm_is_effect(double factor, double margin)
{
    return factor >= 1 + margin || factor <= 1 / (1 + margin);
}

bool clnorm_is_within(const double interval[2], double margin)
{
    return interval[0] > 1 / (1 + margin) && interval[1] < 1 + margin;
}

bool clnorm_is_outside(const double interval[2], double margin)
{
    return interval[0] > 1 + margin || interval[1] < 1 / (1 + margin);
}

struct ranked {
    double p;
    size_t place;
};

static int by_p(const void *a, const void *b)
{
    return clnorm_ascending(&((const struct ranked *)a)->p, &((const struct ranked *)b)->p);
}

bool clnorm_adjust_p(double *p, size_t n)
{
    struct ranked *ranked = malloc((n ? n : 1) * sizeof(*ranked));
    double least = 1;
    if (!ranked)
        return false;
    for (size_t i = 0; i < n; i++)
        ranked[i] = (struct ranked){p[i], i};
    qsort(ranked, n, sizeof(*ranked), by_p);
    for (size_t k = n; k > 0; k--) {
        least = fmin(least, ranked[k - 1].p * (double)n / (double)k);
        p[ranked[k - 1].place] = least;
    }
    free(ranked);
    return true;
}

double clnorm_rounds_needed(double sd, double margin)
{
    const double normal = 2.5758293 + 0.8416212, units = sd / log1p(margin);
    return ceil(2 * normal * normal * units * units);
}
