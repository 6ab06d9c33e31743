/* SPDX-License-Identifier: MIT */
/* Which cases `bench` measures. */
#ifndef CLNORM_CLI_BENCH_PLAN_H
#define CLNORM_CLI_BENCH_PLAN_H

#include "cli/bench/case.h"

struct bench_plan {
    clnorm_bench_case *cases;
    char (*names)[BENCH_NAME]; /* of them */
    size_t n;
    const char *preset; /* that cases were chosen of; NULL: none */
};

/* Comma lists, or NULL. Shapes may have ranges: 1024x256-16384*2, 1-64+1x768. */
struct bench_wishes {
    const char *preset; /* NULL: smoke, where there is no --shape or whole case */
    const char *op, *dtype, *direction, *shape, *cache;
    const struct cli_texts *texts; /* whole cases, or words that cases of the preset have */
};

/* Whether the text is a whole case; else it is words. */
bool bench_is_case(const char *text);

/* A --shape makes cases of all combinations; else the lists and texts choose among the preset's
 * cases, and a text that is a whole case adds it. What would mean nothing with the others is
 * refused. No case twice. The plan starts as {0}, and is released in any case. */
bool bench_plan_make(const struct bench_wishes *wishes, struct bench_plan *plan,
                     clnorm_error *error);
void bench_plan_release(struct bench_plan *plan);

#endif
