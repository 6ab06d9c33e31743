/* SPDX-License-Identifier: MIT */
/* What a script hears of a comparison. Green is what was judged and found good, nothing else. */
#include "cli/compare/compare.h"

static bool is_hit(const struct compare_row *row, enum compare_fail_on fail_on)
{
    if (row->verdict == COMPARE_WRONG || row->verdict == COMPARE_GONE)
        return true;
    return (fail_on != COMPARE_FAIL_WRONG && row->gate_slow) ||
           (fail_on == COMPARE_FAIL_ANY && row->gate_fast);
}

static bool has_hit(const struct compare_pairs *pairs, enum compare_fail_on fail_on)
{
    const struct compare_row *first = NULL;
    size_t hits = 0;
    for (size_t i = 0; i < pairs->n; i++)
        for (size_t k = 0; k < pairs->list[i].n; k++)
            if (is_hit(&pairs->list[i].rows[k], fail_on))
                first = hits++ ? first : &pairs->list[i].rows[k];
    if (hits)
        complain("--fail-on: %zu case%s, the first is '%s': %s", hits, hits == 1 ? "" : "s",
                 first->name,
                 first->gate_slow   ? "SLOW"
                 : first->gate_fast ? "FAST"
                                    : compare_verdict_names[first->verdict]);
    if (pairs->gone)
        complain("--fail-on: %zu device%s of the first file %s not in the second one", pairs->gone,
                 pairs->gone == 1 ? "" : "s", pairs->gone == 1 ? "is" : "are");
    return hits || pairs->gone;
}

/* Whether a result is right needs no rounds. Says what was left out. */
static bool is_judged(const struct comparison *c, enum compare_fail_on fail_on)
{
    const size_t judged = fail_on == COMPARE_FAIL_WRONG ? c->n_both : c->n_tested;
    if (c->n_both == 0)
        complain("--fail-on: nothing of %s and %s was judged: no case is measured on both",
                 c->a->label, c->b->label);
    else if (judged == 0)
        complain("--fail-on: nothing of %s and %s was judged: of the %zu case%s on both, none has "
                 "%d rounds or more on either side; measure again with more --rounds",
                 c->a->label, c->b->label, c->n_both, c->n_both == 1 ? "" : "s",
                 COMPARE_LEAST_ROUNDS);
    else if (judged < c->n_both)
        complain("--fail-on: %zu of %zu cases of %s and %s were not judged: fewer than %d rounds",
                 c->n_both - judged, c->n_both, c->a->label, c->b->label, COMPARE_LEAST_ROUNDS);
    return judged > 0;
}

int compare_gate(const struct compare_pairs *pairs, enum compare_fail_on fail_on)
{
    bool all_judged = true;
    if (fail_on == COMPARE_FAIL_NEVER)
        return CLI_OK;
    if (has_hit(pairs, fail_on))
        return CLI_WRONG;
    for (size_t i = 0; i < pairs->n; i++)
        all_judged = is_judged(&pairs->list[i], fail_on) && all_judged;
    return all_judged ? CLI_OK : CLI_USAGE;
}
