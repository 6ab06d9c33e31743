/* SPDX-License-Identifier: MIT */
#include "check/tune.h"
#include "base/desc.h"
#include "base/status.h"
#include "check/inputs.h"
#include "ops/op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A candidate must be faster by more than what two runs of the same kernel differ by. */
static const double gain = 0.97;
enum { MOST_CANDIDATES = 48, VERIFIED_ELEMENTS = 1 << 18 };

typedef struct {
    clnorm_op *op;
    void *y;
    char text[CLNORM_TUNING_TEXT];
} rival;

typedef struct {
    clnorm_context *context;
    const clnorm_tune_case *c;
    const clnorm_tune_options *options;
    clnorm_desc desc;
    uint64_t rows, tiles; /* of the arrays; times on the device */
    size_t y_bytes;
    void *x, *weight, *bias;
    clnorm_tune_result *result;
    char seen[MOST_CANDIDATES + 2][CLNORM_TUNING_TEXT]; /* what the rivals really use */
    size_t n_seen;
} search;

/* ---- the inputs ---------------------------------------------------------------------------- */

static clnorm_status make_inputs(search *s, clnorm_error *error)
{
    const uint64_t cols = s->c->cols, bytes = clnorm_dtype_bytes(s->desc.x_dtype);
    const uint64_t most = s->options->max_bytes / bytes / cols;
    const uint64_t some = VERIFIED_ELEMENTS / cols;
    s->rows = some < most ? some : most;
    s->rows = s->rows > 0 ? s->rows : 1;
    s->tiles = most / s->rows > 0 ? most / s->rows : 1;
    s->y_bytes = (size_t)(s->rows * cols * bytes);
    s->x = malloc(s->y_bytes);
    s->weight = malloc((size_t)(cols * bytes));
    s->bias = malloc((size_t)(cols * bytes));
    if (!s->x || !s->weight || !s->bias)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", s->y_bytes);
    clnorm_input_fill(clnorm_input_find("normal"), s->desc.x_dtype, s->rows, cols, 1, s->x);
    clnorm_weight_fill(s->desc.x_dtype, cols, 1, s->weight);
    clnorm_bias_fill(s->desc.x_dtype, cols, 1, s->bias);
    return CLNORM_OK;
}

static clnorm_host_args args_of(const search *s, void *y)
{
    clnorm_host_args args = CLNORM_HOST_ARGS_INIT;
    args.x.data = s->x;
    args.y.data = y;
    args.weight.data = s->weight;
    args.bias.data = s->desc.kind == CLNORM_LAYER_NORM ? s->bias : NULL;
    return args;
}

/* ---- candidates ---------------------------------------------------------------------------- */

static void release(rival *r)
{
    clnorm_op_destroy(r->op);
    free(r->y);
    *r = (rival){.op = NULL};
}

/* tuning NULL: the library's choice. */
static clnorm_status build(const search *s, const char *tuning, rival *r, clnorm_error *error)
{
    clnorm_desc desc = s->desc;
    clnorm_status status;
    desc.tuning = tuning;
    *r = (rival){.y = malloc(s->y_bytes)};
    if (!r->y)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", s->y_bytes);
    TRY(clnorm_op_create(s->context, &desc, &r->op, error));
    TRY(clnorm_op_tuning(r->op, r->text, sizeof(r->text), error));
fail:
    return status;
}

static clnorm_status prove(const search *s, const rival *r, clnorm_verdict *verdict,
                           clnorm_error *error)
{
    const clnorm_host_args args = args_of(s, r->y);
    clnorm_status status;
    memset(r->y, 0x5a, s->y_bytes); /* what no row gives */
    TRY(clnorm_forward_host(r->op, s->rows, &args, NULL, NULL, error));
    TRY(clnorm_verify(&s->desc, CLNORM_FORWARD, clnorm_op_depth(r->op), s->rows, 0, &args, NULL,
                      verdict, error));
fail:
    return status;
}

/* Limits of the device make the same of several candidates. */
static bool is_new(search *s, const rival *r)
{
    for (size_t i = 0; i < s->n_seen; i++)
        if (strcmp(s->seen[i], r->text) == 0)
            return false;
    memcpy(s->seen[s->n_seen++], r->text, sizeof(r->text));
    return true;
}

/* A candidate that fails, or is wrong, is out, and no more. */
static void leave_out(search *s, const rival *r, const char *tuning, const clnorm_verdict *verdict,
                      const clnorm_error *error)
{
    if (s->result->wrong++ > 0)
        return;
    if (verdict->wrong)
        snprintf(s->result->problem, sizeof(s->result->problem),
                 "%.100s is wrong: %s[%llu, %llu] is %.9g, must be %.9g", r->text,
                 verdict->worst_tensor, (unsigned long long)verdict->worst_row,
                 (unsigned long long)verdict->worst_col, verdict->worst_got,
                 verdict->worst_expected);
    else
        snprintf(s->result->problem, sizeof(s->result->problem), "%.100s: %.140s", tuning,
                 error->text);
}

static void add(clnorm_tuning *list, size_t *count, clnorm_tuning tuning)
{
    if (*count < MOST_CANDIDATES)
        list[(*count)++] = tuning;
}

/* Vectors of a work-item where `team` of them share a row: few enough for registers, and no more
 * than half of the team idle. */
static bool is_sensible(uint64_t cols, unsigned vec, unsigned team)
{
    const uint64_t at_once = (uint64_t)vec * team;
    return at_once <= 2 * cols && cols <= 16 * at_once;
}

static void add_shared(clnorm_tuning *list, size_t *count, uint64_t cols)
{
    for (unsigned vec = 2; vec <= 8; vec *= 2) {
        for (unsigned team = 4; team <= 128; team *= 2)
            if (is_sensible(cols, vec, team) && (vec > 2 || cols < 256))
                add(list, count, (clnorm_tuning){CLNORM_FORM_SLICED, vec, 256, team, 0, 0});
        for (unsigned group = 64; group <= 1024; group *= 2)
            if (is_sensible(cols, vec, group) && vec > 2)
                add(list, count, (clnorm_tuning){CLNORM_FORM_HELD, vec, group, group, 0, 0});
    }
    for (unsigned group = 64; group <= 1024; group *= 4)
        if (4 * group <= 2 * cols || group == 64)
            add(list, count, (clnorm_tuning){CLNORM_FORM_COOPERATIVE, 4, group, group, 0, 0});
}

/* The forms of the kind that the library chooses for the device. */
static size_t list_candidates(const search *s, const rival *usual, clnorm_tuning *list)
{
    size_t count = 0;
    if (clnorm_op_desc(usual->op)->form != CLNORM_FORM_SEQUENTIAL)
        add_shared(list, &count, s->c->cols);
    else
        for (unsigned vec = 4; vec <= 16; vec *= 2)
            add(list, &count, (clnorm_tuning){CLNORM_FORM_SEQUENTIAL, vec, 0, 0, 0, 0});
    return count;
}

/* ---- races --------------------------------------------------------------------------------- */

static clnorm_status goes_on(const search *s, clnorm_error *error)
{
    if (s->options->goes_on(s->options->user))
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_CANCELLED, "the search was ended");
}

static clnorm_status race(const search *s, const rival *a, const rival *b, uint64_t tiles,
                          clnorm_racer racers[2], clnorm_timing *timing, clnorm_error *error)
{
    const clnorm_host_args args = args_of(s, a->y);
    racers[0] = (clnorm_racer){.op = a->op, .y = a->y};
    racers[1] = (clnorm_racer){.op = b->op, .y = b->y};
    return clnorm_time_race(racers, 2, s->rows, tiles, &args, timing, error);
}

/* The winner is in *best afterwards. Fails only where the search must end. */
static clnorm_status challenge(search *s, rival *best, rival *other, const clnorm_tuning *tuning,
                               clnorm_error *error)
{
    char text[CLNORM_TUNING_TEXT];
    clnorm_verdict verdict = CLNORM_VERDICT_INIT;
    clnorm_timing timing;
    clnorm_racer racers[2] = {{.op = NULL}};
    clnorm_status status;
    clnorm_tuning_text(tuning, text);
    TRY(build(s, text, other, error));
    if (!is_new(s, other))
        return CLNORM_OK;
    s->result->tried++;
    TRY(prove(s, other, &verdict, error));
    if (!verdict.wrong)
        TRY(race(s, best, other, s->tiles, racers, &timing, error));
fail:
    if (status != CLNORM_OK || verdict.wrong) {
        leave_out(s, other, text, &verdict, error);
    } else if (racers[1].ratio < gain) {
        const rival loser = *best;
        *best = *other;
        *other = loser;
        s->result->record.tuning = *tuning;
    }
    return CLNORM_OK;
}

static clnorm_status try_tuning(search *s, const rival *usual, rival *best,
                                const clnorm_tuning *tuning, clnorm_error *error)
{
    rival other = {.op = NULL};
    clnorm_status status;
    TRY(goes_on(s, error));
    status = challenge(s, best, &other, tuning, error);
    if (other.op != usual->op)
        release(&other);
fail:
    return status;
}

/* The library takes sub-groups where there are some, in every candidate. */
static clnorm_status try_without_subgroups(search *s, const rival *usual, rival *best,
                                           clnorm_error *error)
{
    clnorm_tuning tuning = {.form = CLNORM_FORM_AUTO};
    const clnorm_status status = clnorm_tuning_parse(best->text, &tuning, error);
    if (status != CLNORM_OK || tuning.subgroups <= CLNORM_SUBGROUPS_OFF)
        return status;
    tuning.subgroups = CLNORM_SUBGROUPS_OFF;
    tuning.stream = 0;
    return try_tuning(s, usual, best, &tuning, error);
}

/* The fastest of many is so by luck, too: it has to win once more. */
static clnorm_status confirm(search *s, const rival *usual, const rival *best, clnorm_error *error)
{
    clnorm_racer racers[2];
    const clnorm_status status = race(s, usual, best, s->tiles, racers, &s->result->timing, error);
    const bool won = best->op != usual->op && racers[1].ratio < gain;
    if (status != CLNORM_OK)
        return status;
    s->result->gain = won ? 1 / racers[1].ratio : 1;
    s->result->timing.seconds = won ? racers[1].seconds : racers[0].seconds;
    if (!won)
        s->result->record.tuning = (clnorm_tuning){.form = CLNORM_FORM_AUTO};
    return CLNORM_OK;
}

/* ---- the kernel ---------------------------------------------------------------------------- */

static clnorm_status tune_kernel(search *s, clnorm_error *error)
{
    clnorm_tuning list[MOST_CANDIDATES];
    rival usual = {.op = NULL}, best = {.op = NULL};
    size_t count = 0;
    clnorm_status status;
    TRY(build(s, NULL, &usual, error));
    TRY(prove(s, &usual, &s->result->verdict, error));
    if (s->result->verdict.wrong)
        goto fail;
    is_new(s, &usual);
    best = usual;
    count = list_candidates(s, &usual, list);
    for (size_t i = 0; i < count; i++)
        TRY(try_tuning(s, &usual, &best, &list[i], error));
    TRY(try_without_subgroups(s, &usual, &best, error));
    TRY(goes_on(s, error)); /* a signal makes compilers fail, too */
    TRY(confirm(s, &usual, &best, error));
fail:
    if (best.op != usual.op)
        release(&best);
    release(&usual);
    return status;
}

/* ---- the store ----------------------------------------------------------------------------- */

/* From the largest size down, until the plain store is no longer slower. Of sizes beyond, nothing
 * is known: what the library chooses itself stays. */
static clnorm_status find_crossover(search *s, const rival *plain, const rival *streaming,
                                    uint64_t usual, clnorm_error *error)
{
    const uint64_t largest = 4 * s->tiles;
    uint64_t *stream = &s->result->record.tuning.stream;
    clnorm_status status = CLNORM_OK;
    for (uint64_t tiles = largest; tiles > 0; tiles /= 2) {
        clnorm_racer racers[2];
        clnorm_timing timing;
        TRY(goes_on(s, error));
        TRY(race(s, plain, streaming, tiles, racers, &timing, error));
        const uint64_t bytes = timing.rows * (s->y_bytes / s->rows);
        if (s->result->tried++ == 0)
            *stream = bytes > usual ? UINT64_MAX : usual;
        if (racers[1].ratio >= gain)
            break;
        *stream = bytes / 4 * 3; /* half way to the next smaller size */
    }
fail:
    return status;
}

static clnorm_status tune_stream(search *s, clnorm_error *error)
{
    rival usual = {.op = NULL}, plain = {.op = NULL}, streaming = {.op = NULL};
    clnorm_verdict *verdict = &s->result->verdict;
    clnorm_status status;
    TRY(build(s, NULL, &usual, error));
    TRY(build(s, "stream=never", &plain, error));
    TRY(build(s, "stream=1", &streaming, error));
    TRY(prove(s, &plain, verdict, error));
    TRY(prove(s, &streaming, verdict, error));
    if (!verdict->wrong)
        TRY(find_crossover(s, &plain, &streaming, usual.op->geometry.stream_bytes, error));
fail:
    release(&usual);
    release(&plain);
    release(&streaming);
    return status;
}

clnorm_status clnorm_tune_run(clnorm_context *context, const clnorm_tune_case *c,
                              const clnorm_tune_options *options, clnorm_tune_result *result,
                              clnorm_error *error)
{
    search s = {
        .context = context, .c = c, .options = options, .desc = CLNORM_DESC_INIT, .result = result};
    clnorm_status status;
    s.desc.kind = c->kind;
    s.desc.cols = c->cols;
    s.desc.x_dtype = s.desc.y_dtype = s.desc.param_dtype = c->dtype;
    *result = (clnorm_tune_result){.record = clnorm_tune_record(clnorm_context_device(context), c),
                                   .verdict = CLNORM_VERDICT_INIT};
    TRY(make_inputs(&s, error));
    TRY(c->stream ? tune_stream(&s, error) : tune_kernel(&s, error));
fail:
    free(s.x);
    free(s.weight);
    free(s.bias);
    return status;
}
