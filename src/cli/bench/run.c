/* SPDX-License-Identifier: MIT */
#include "cli/bench/run.h"
#include "base/random.h"
#include "check/bench_notes.h"
#include "check/clock.h"
#include "cli/cache_setting.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/tune/setting.h"

#include <stdlib.h>

/* What is open while a device is measured. */
struct session {
    struct bench_report *report;
    struct bench_row *rows; /* of this device */
    size_t n;
    clnorm_context *context;
    clnorm_bench_device device;
    clnorm_bench **cases; /* NULL: cannot be timed */
    bool *told; /* of each row */
    const struct bench_listener *listener;
    struct progress progress;
    uint64_t done; /* for the progress */
    double end; /* when no new round is begun */
};

static bool goes_on(void *user)
{
    (void)user;
    return !interrupt_pending();
}

/* ---- rows ---------------------------------------------------------------------------------- */

static bool add_rows(struct bench_report *report, const struct bench_plan *plan,
                     clnorm_error *error)
{
    const size_t bytes = (report->n_rows + plan->n) * sizeof(report->rows[0]);
    struct bench_row *rows = realloc(report->rows, bytes);
    if (!rows)
        return out_of_memory(error, bytes);
    report->rows = rows;
    for (size_t i = 0; i < plan->n; i++) {
        struct bench_row *row = &rows[report->n_rows++];
        *row = (struct bench_row){.machine = report->n_machines - 1, .c = plan->cases[i]};
        row->rounds = calloc(report->settings.rounds, sizeof(row->rounds[0]));
        if (!row->rounds)
            return out_of_memory(error, report->settings.rounds * sizeof(row->rounds[0]));
    }
    return true;
}

static bool add_machine(struct bench_report *report, const clnorm_device *device,
                        clnorm_error *error)
{
    const size_t bytes = (report->n_machines + 1) * sizeof(report->machines[0]);
    struct bench_machine *machines = realloc(report->machines, bytes);
    if (!machines)
        return out_of_memory(error, bytes);
    report->machines = machines;
    machines[report->n_machines++] = (struct bench_machine){.device = device};
    return true;
}

static enum bench_status status_of(const clnorm_error *error)
{
    switch (error->status) {
    case CLNORM_UNSUPPORTED:
        return BENCH_UNSUPPORTED;
    case CLNORM_OUT_OF_MEMORY:
        return BENCH_OUT_OF_MEMORY;
    default:
        return BENCH_ERROR;
    }
}

static void fail_row(struct bench_row *row, bool differs, const clnorm_error *error)
{
    char line[ERROR_LINE];
    error_line(error, line);
    snprintf(row->reason, sizeof(row->reason), "%.500s", line);
    row->status = differs ? BENCH_WRONG : status_of(error);
}

static void fail_rows(struct session *s, const clnorm_error *error)
{
    struct bench_machine *machine = &s->report->machines[s->report->n_machines - 1];
    char line[ERROR_LINE];
    error_line(error, line);
    snprintf(machine->problem, sizeof(machine->problem), "%.500s", line);
    for (size_t i = 0; i < s->n; i++)
        fail_row(&s->rows[i], false, error);
}

/* ---- cases --------------------------------------------------------------------------------- */

static void tell_wrong(struct bench_row *row)
{
    const clnorm_verdict *v = &row->facts.verdict;
    row->status = BENCH_WRONG;
    snprintf(row->reason, sizeof(row->reason),
             "%s[%llu, %llu] is %.9g, expected %.9g +- %.3g; %llu of %llu are wrong",
             v->worst_tensor, (unsigned long long)v->worst_row, (unsigned long long)v->worst_col,
             v->worst_got, v->worst_expected, v->worst_bound, (unsigned long long)v->wrong,
             (unsigned long long)v->compared);
}

static void step(struct session *s) { progress_update(&s->progress, ++s->done); }

static void tell(struct session *s, size_t i)
{
    if (s->told[i])
        return;
    s->told[i] = true;
    progress_hide(&s->progress);
    s->listener->tell(s->listener->user, (size_t)(&s->rows[i] - s->report->rows));
}

/* Once nothing of it is measured any more. */
static void give_up(struct session *s, size_t i)
{
    clnorm_bench_close(s->cases[i]);
    s->cases[i] = NULL;
    tell(s, i);
}

static void open_case(struct session *s, size_t i)
{
    const struct bench_settings *settings = &s->report->settings;
    const clnorm_bench_options options = {settings->seed, settings->least_samples,
                                          settings->round_seconds, goes_on, NULL};
    struct bench_row *row = &s->rows[i];
    clnorm_error error;
    if (clnorm_bench_open(&s->device, &row->c, &options, &s->cases[i], &row->facts, &error))
        fail_row(row, row->facts.differs, &error);
    else if (row->facts.verdict.wrong)
        tell_wrong(row);
    if (row->status != BENCH_OK)
        give_up(s, i);
    else
        row->fallback = clnorm_bench_fallback(s->cases[i]);
    step(s);
}

/* Nothing is timed any more of what failed, and what was is not told. */
static void run_case(struct session *s, size_t i)
{
    struct bench_row *row = &s->rows[i];
    clnorm_bench_round round;
    clnorm_error error;
    const clnorm_status status = clnorm_bench_run_round(s->cases[i], &round, &error);
    if (status == CLNORM_OK) {
        void *fitting = realloc(round.samples, round.count * sizeof(round.samples[0]));
        round.samples = fitting ? fitting : round.samples;
        row->rounds[row->n_rounds++] = round;
        row->copy_way = clnorm_bench_copy_name(s->cases[i]);
        if (row->n_rounds == s->report->settings.rounds)
            tell(s, i);
    } else {
        free(round.samples);
        if (status != CLNORM_CANCELLED) {
            fail_row(row, round.differs, &error);
            give_up(s, i);
        }
    }
    step(s);
}

/* ---- rounds -------------------------------------------------------------------------------- */

/* Fisher and Yates: what runs before a case changes from round to round. */
static void shuffle(clnorm_random *random, size_t *order, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t k = (size_t)clnorm_random_below(random, i);
        const size_t other = order[k];
        order[k] = order[i - 1];
        order[i - 1] = other;
    }
}

static void run_rounds(struct session *s, size_t *order)
{
    clnorm_random random = clnorm_random_seed(s->report->settings.seed, 7);
    for (size_t i = 0; i < s->n; i++)
        order[i] = i;
    for (unsigned round = 0; round < s->report->settings.rounds; round++) {
        if (round > 0 && clnorm_clock() > s->end)
            break;
        shuffle(&random, order, s->n);
        for (size_t i = 0; i < s->n && !interrupt_pending(); i++)
            if (s->cases[order[i]])
                run_case(s, order[i]);
            else
                step(s);
    }
}

static void run_plan(struct session *s, size_t *order)
{
    const struct bench_machine *machine = &s->report->machines[s->report->n_machines - 1];
    progress_begin(&s->progress, machine->device->name, "measuring", "steps",
                   s->n * (s->report->settings.rounds + 1));
    for (size_t i = 0; i < s->n && !interrupt_pending(); i++)
        open_case(s, i);
    run_rounds(s, order);
    progress_end(&s->progress);
}

/* ---- a device ------------------------------------------------------------------------------ */

static bool use_settings(struct session *s, clnorm_error *error)
{
    /* each case is verified instead: what is wrong is to be seen */
    clnorm_context_set_self_test(s->context, CLNORM_SELF_TEST_OFF, NULL);
    return cache_setting_use(s->context, error) && tune_setting_use(s->context, error);
}

static bool open_device(struct session *s, clnorm_error *error)
{
    struct bench_machine *machine = &s->report->machines[s->report->n_machines - 1];
    char selector[16];
    clnorm_error failure;
    snprintf(selector, sizeof(selector), "%u", machine->device->index);
    if (clnorm_context_create(selector, log_warnings, NULL, &s->context, &failure)) {
        fail_rows(s, &failure);
        return true;
    }
    if (!use_settings(s, error))
        return false;
    if (clnorm_bench_device_open(&s->device, s->context, (clnorm_timer)s->report->settings.timer,
                                 &failure))
        fail_rows(s, &failure);
    machine->measured = s->device;
    return true;
}

static void close_session(struct session *s)
{
    for (size_t i = 0; i < s->n && s->cases; i++)
        clnorm_bench_close(s->cases[i]);
    free(s->cases);
    free(s->told);
    clnorm_bench_device_release(&s->device);
    clnorm_context_destroy(s->context);
}

bool bench_run(struct bench_report *report, const struct bench_plan *plan,
               const clnorm_device *device, double max_seconds,
               const struct bench_listener *listener, clnorm_error *error)
{
    const size_t first = report->n_rows;
    struct session s = {
        .report = report, .n = plan->n, .listener = listener, .end = clnorm_clock() + max_seconds};
    if (!add_machine(report, device, error) || !add_rows(report, plan, error))
        return false;
    s.rows = &report->rows[first];
    s.cases = calloc(plan->n, sizeof(s.cases[0]));
    s.told = calloc(plan->n, sizeof(s.told[0]));
    size_t *order = calloc(plan->n, sizeof(order[0]));
    bool ok = (s.cases && s.told && order) || out_of_memory(error, plan->n * sizeof(s.cases[0]));
    ok = ok && open_device(&s, error);
    if (ok && !report->machines[report->n_machines - 1].problem[0])
        run_plan(&s, order);
    for (size_t i = 0; ok && i < s.n; i++)
        tell(&s, i);
    free(order);
    close_session(&s);
    return ok;
}
