/* SPDX-License-Identifier: MIT */
#include "check/statistics.h"

#include <math.h>
#include <stdlib.h>

int clnorm_ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double clnorm_median(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), clnorm_ascending);
    return clnorm_quantile(values, n, 0.5);
}

double clnorm_quantile(const double *sorted, size_t n, double share)
{
    const double at = share * (double)(n - 1);
    const size_t below = (size_t)at;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

clnorm_log_spread clnorm_log_spread_of(const double *values, size_t n)
{
    clnorm_log_spread s = {0, 0, n};
    for (size_t i = 0; i < n; i++)
        s.mean += log(values[i]) / (double)n;
    for (size_t i = 0; i < n; i++)
        s.sd += (log(values[i]) - s.mean) * (log(values[i]) - s.mean);
    s.sd = n > 1 ? sqrt(s.sd / (double)(n - 1)) : 0;
    return s;
}

/* Term k of the continued fraction of I(x; a, b). */
static double beta_term(double a, double b, double x, int k)
{
    const double m = k / 2;
    if (k % 2 == 0)
        return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

/* By Lentz's method, from the front; it converges fast below the mean, a / (a + b). */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double value = 1, c = 1, d = 0, change = 0;
    for (int k = 1; k < 500 && fabs(change - 1) > 1e-15; k++) {
        const double term = beta_term(a, b, x, k);
        d = 1 + term * d;
        c = 1 + term / c;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = fabs(c) < tiny ? tiny : c;
        change = c * d;
        value *= change;
    }
    return 1 / value;
}

static double incomplete_beta(double a, double b, double x)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front / a * beta_fraction(a, b, x);
    return 1 - front / b * beta_fraction(b, a, 1 - x);
}

double clnorm_student_p(double t, double df)
{
    return incomplete_beta(df / 2, 0.5, df / (df + t * t));
}

double clnorm_student_t(double p, double df)
{
    double low = 0, high = 1;
    while (clnorm_student_p(high, df) > p && high < 1e150)
        high *= 2;
    for (int i = 0; i < 200 && high - low > 1e-14 * high; i++) {
        const double middle = (low + high) / 2;
        if (clnorm_student_p(middle, df) > p)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

void clnorm_log_interval(const clnorm_log_spread *s, double interval[2])
{
    const double t = s->n > 1 ? clnorm_student_t(0.05, (double)s->n - 1) : 0;
    const double off = t * s->sd / sqrt((double)s->n);
    interval[0] = exp(s->mean - off);
    interval[1] = exp(s->mean + off);
}

/* ---- trend --------------------------------------------------------------------------------- */

/* Pairs that rise less those that fall. */
static long rises_of(const double *values, size_t n)
{
    long rises = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++)
            rises += (values[k] > values[i]) - (values[k] < values[i]);
    return rises;
}

enum { MOST_EXACT = 30, MOST_PAIRS = MOST_EXACT * (MOST_EXACT - 1) / 2 };

/* The share of all orders of n values that have at most `most` pairs the wrong way round: a value
 * that is put behind m others gets 0 .. m of them, each as often. */
static double share_of_orders(size_t n, size_t most)
{
    double share[MOST_PAIRS + 1] = {1}, sum = 0;
    for (size_t m = 1; m < n; m++)
        for (size_t pairs = m * (m + 1) / 2 + 1; pairs-- > 0;) {
            double all = 0;
            for (size_t moved = 0; moved <= m && moved <= pairs; moved++)
                all += share[pairs - moved];
            share[pairs] = all / (double)(m + 1);
        }
    for (size_t pairs = 0; pairs <= most; pairs++)
        sum += share[pairs];
    return sum;
}

/* Kendall: nearly normal, with this variance; 1 less, as it goes in steps of 2. */
static double share_of_many(size_t n, long rises)
{
    const double count = (double)n;
    const double variance = count * (count - 1) * (2 * count + 5) / 18;
    return erfc((double)(rises - 1) / sqrt(2 * variance)) / 2;
}

double clnorm_trend_p(const double *values, size_t n)
{
    const long rises = labs(rises_of(values, n)), pairs = (long)(n * (n - 1) / 2);
    const double p = 2 * (n <= MOST_EXACT ? share_of_orders(n, (size_t)((pairs - rises) / 2))
                                          : share_of_many(n, rises));
    return p < 1 ? p : 1;
}
