/* SPDX-License-Identifier: MIT */
/* The rules of the verdicts. They were chosen on pairs of processes of one binary, none of which is
 * faster, and on the same with one of them slowed down. */
#include "cli/compare/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double alpha = 0.01, same_margin = 0.10, rough_margin = 0.25;

const char *const compare_verdict_names[COMPARE_VERDICTS] = {"FAST", "SLOW", "SAME",  "UNSURE",
                                                             "NEW",  "GONE", "WRONG", "-"};
const char *const compare_rough_names[COMPARE_ROUGH] = {
    [COMPARE_LAUNCHES] = "launch_bound", [COMPARE_COPIES] = "copy_variant"};

/* What is measured on one side, or on none. */
static enum compare_verdict one_sided(const struct compare_row *row)
{
    if (row->b.is_wrong || (row->a.is_wrong && !row->b.result))
        return COMPARE_WRONG;
    return row->a.is_ok ? COMPARE_GONE : row->b.is_ok ? COMPARE_NEW : COMPARE_NEITHER;
}

static void measure(struct compare_row *row)
{
    const clnorm_log_spread a = row->a.spread, b = row->b.spread;
    row->factor = exp(b.mean - a.mean);
    row->interval[0] = row->interval[1] = NAN;
    if (a.n < 2 || b.n < 2)
        return;
    row->welch = clnorm_welch_test(a, b);
    clnorm_welch_interval(&row->welch, 0.90, row->same_interval);
    clnorm_welch_interval(&row->welch, 0.95, row->interval);
    clnorm_welch_interval(&row->welch, 0.99, row->gate_interval);
    row->is_tested = a.n >= COMPARE_LEAST_ROUNDS && b.n >= COMPARE_LEAST_ROUNDS;
    row->gate_fast =
        row->is_tested && clnorm_is_outside(row->gate_interval, row->margin) && row->factor > 1;
    row->gate_slow =
        row->is_tested && clnorm_is_outside(row->gate_interval, row->margin) && row->factor < 1;
}

/* At least one more than there are, as these did not do. */
static double rounds_needed(const struct compare_row *row)
{
    const clnorm_log_spread a = row->a.spread, b = row->b.spread;
    const double sd = sqrt((a.sd * a.sd + b.sd * b.sd) / 2);
    const double most = 1e9, least = fmax(COMPARE_LEAST_ROUNDS, 1 + fmin((double)a.n, (double)b.n));
    return fmin(fmax(least, clnorm_rounds_needed(sd, row->margin)), most);
}

static enum compare_verdict two_sided(const struct compare_row *row)
{
    if (!row->is_tested)
        return COMPARE_UNSURE;
    if (row->p < alpha && clnorm_is_effect(row->factor, row->margin))
        return row->factor > 1 ? COMPARE_FAST : COMPARE_SLOW;
    return clnorm_is_within(row->same_interval, same_margin) ? COMPARE_SAME : COMPARE_UNSURE;
}

/* Of the rows that are tested. */
static bool adjust(struct compare_row *rows, size_t n)
{
    size_t tested = 0;
    double *p = malloc((n ? n : 1) * sizeof(*p));
    if (!p)
        return false;
    for (size_t i = 0; i < n; i++)
        if (rows[i].is_tested)
            p[tested++] = rows[i].welch.p;
    const bool ok = clnorm_adjust_p(p, tested);
    for (size_t i = n; ok && i > 0; i--)
        if (rows[i - 1].is_tested)
            rows[i - 1].p = p[--tested];
    free(p);
    return ok;
}

/* Of a row that both sides have. */
static void set_margin(struct compare_row *row, const struct compare_rules *rules)
{
    const struct compare_value *a = &row->a, *b = &row->b;
    const bool can_be_rough = rules->threshold < rough_margin;
    row->rough[COMPARE_LAUNCHES] = can_be_rough && (a->is_launch_bound || b->is_launch_bound);
    row->rough[COMPARE_COPIES] = can_be_rough && !rules->by_time && strcmp(a->copy, b->copy) != 0;
    row->margin = row->rough[COMPARE_LAUNCHES] || row->rough[COMPARE_COPIES] ? rough_margin
                                                                             : rules->threshold;
}

bool compare_judge(struct compare_row *rows, size_t n, const struct compare_rules *rules)
{
    for (size_t i = 0; i < n; i++) {
        struct compare_row *row = &rows[i];
        row->p = 1;
        if (row->a.is_ok && row->b.is_ok) {
            set_margin(row, rules);
            measure(row);
        }
    }
    if (!adjust(rows, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        const bool is_both = rows[i].a.is_ok && rows[i].b.is_ok;
        rows[i].verdict = is_both ? two_sided(&rows[i]) : one_sided(&rows[i]);
        if (rows[i].verdict == COMPARE_UNSURE)
            rows[i].rounds_needed = rounds_needed(&rows[i]);
    }
    return true;
}
