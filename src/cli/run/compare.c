/* SPDX-License-Identifier: MIT */
#include "cli/run/run.h"
#include "cli/interrupt.h"
#include "cli/table.h"

#include "base/kind.h"
#include "check/timing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The results are kept for one block of rows at a time, so that memory does not grow with INPUT. */
enum { BLOCK_BYTES = 1 << 28 };

struct block {
    struct mapping outputs[TENSOR_COUNT]; /* those that the call cannot do without */
    uint64_t rows;
};

struct finding {
    const clnorm_device *device;
    clnorm_error error; /* status CLNORM_OK: there is a verdict */
    clnorm_verdict verdict;
    clnorm_timing timing; /* rows 0: not timed */
    char tuning[CLNORM_TUNING_BYTES]; /* "" until there is an op */
};

/* ---- one device ---------------------------------------------------------------------------- */

static void drop_done(void *user, uint64_t rows) { run_drop_inputs(user, rows); }

/* Rows from `first` on, with the results in the block. */
static clnorm_host_args block_args(const struct run_job *job, const struct block *block,
                                   uint64_t first)
{
    const clnorm_host_args whole = run_job_args(job);
    clnorm_host_args args = run_later_args(job, &whole, first);
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (block->outputs[id].base)
            clnorm_host_array_set(&args, (clnorm_tensor_id)id, block->outputs[id].base, 0);
    return args;
}

/* Runs and compares rows from `first` on. */
static bool prove_block(const struct run_session *session, const struct run_job *job,
                        const struct block *block, uint64_t first, uint64_t rows,
                        struct run_watch *watch, clnorm_verdict *verdict, clnorm_error *error)
{
    const clnorm_host_args args = block_args(job, block, first);
    /* a number that no row gives: what another device left there must not pass as this one's */
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (block->outputs[id].base)
            memset(block->outputs[id].base, 0x5a, block->outputs[id].bytes);
    struct run_watch quiet = {.rows_before = first};
    return run_call(session, job, rows, &args, &quiet, NULL, error) &&
           run_verify(session, job, first, rows, &args, &args, watch, verdict, error);
}

static bool time_block(const struct run_session *session, const struct run_job *job,
                       const struct block *block, uint64_t rows, clnorm_timing *timing,
                       clnorm_error *error)
{
    const clnorm_host_args args = block_args(job, block, 0);
    return clnorm_time_forward(session->op, rows, &args, timing, error) == CLNORM_OK;
}

static bool prove(const struct run_session *session, const struct run_job *job,
                  const struct block *block, struct finding *finding)
{
    struct run_watch watch = {.done = drop_done, .user = (void *)job};
    bool is_done = true;
    progress_begin(&watch.progress, finding->device->name, "proving", "rows", job->rows);
    for (uint64_t first = 0; is_done && first < job->rows; first += block->rows) {
        const uint64_t left = job->rows - first;
        const uint64_t rows = left < block->rows ? left : block->rows;
        is_done = prove_block(session, job, block, first, rows, &watch, &finding->verdict,
                              &finding->error);
        if (is_done && first == 0 && finding->verdict.wrong == 0)
            is_done = time_block(session, job, block, rows, &finding->timing, &finding->error);
    }
    progress_end(&watch.progress);
    return is_done;
}

static void examine(const struct run_job *job, const struct block *block, struct finding *finding)
{
    struct run_session session = {0};
    if (run_session_open(&session, job, finding->device, &finding->error) &&
        clnorm_op_tuning(session.op, finding->tuning, sizeof(finding->tuning), &finding->error) ==
            CLNORM_OK)
        prove(&session, job, block, finding);
    run_session_close(&session);
}

/* ---- the report ---------------------------------------------------------------------------- */

static bool has_verdict(const struct finding *finding)
{
    return finding->error.status == CLNORM_OK;
}

static bool is_right(const struct finding *finding)
{
    return has_verdict(finding) && finding->verdict.wrong == 0;
}

/* Nothing is told of the speed of a device that was wrong. */
static bool has_timing(const struct finding *finding)
{
    return is_right(finding) && finding->timing.rows > 0;
}

static void add_line(struct table *table, const struct finding *finding)
{
    const clnorm_timing *timing = &finding->timing;
    const clnorm_verdict *verdict = &finding->verdict;
    table_add(table, TONE_PLAIN, "%s", finding->device->name);
    table_add(table, TONE_PLAIN, "%s", finding->device->platform_name);
    if (has_timing(finding)) {
        table_add_seconds(table, timing->seconds);
        table_add(table, TONE_PLAIN, "%.1f", 1e-9 * (double)timing->bytes / timing->seconds);
        table_add(table, TONE_PLAIN, "%.0f %%", 100 * timing->copy_seconds / timing->seconds);
    } else {
        for (size_t i = 0; i < 3; i++)
            table_add(table, TONE_FAINT, "-");
    }
    if (has_verdict(finding)) {
        table_add(table, TONE_PLAIN, "%.2g", verdict->max_error);
        table_add(table, TONE_PLAIN, "%.0f %%", 100 * verdict->max_bound_share);
        table_add(table, verdict->wrong ? TONE_BAD : TONE_GOOD, verdict->wrong ? "FAIL" : "PASS");
    } else {
        const bool lacks = finding->error.status == CLNORM_UNSUPPORTED;
        table_add(table, TONE_FAINT, "-");
        table_add(table, TONE_FAINT, "-");
        table_add(table, lacks ? TONE_FAINT : TONE_BAD, lacks ? "SKIP" : "FAIL");
    }
}

static int print_table(const struct run_job *job, const struct finding *findings, size_t n)
{
    static const struct table_column columns[] = {
        {.title = "device", .shrinks = 2},    {.title = "platform", .shrinks = 1},
        {.title = "time", .right = true},     {.title = "GB/s", .right = true},
        {.title = "of copy", .right = true},  {.title = "max error", .right = true},
        {.title = "of bound", .right = true}, {.title = "verdict"},
    };
    struct table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0])};
    uint64_t timed = job->rows;
    for (size_t i = 0; i < n; i++) {
        add_line(&table, &findings[i]);
        if (has_timing(&findings[i]) && findings[i].timing.rows < timed)
            timed = findings[i].timing.rows;
    }
    printf("%s, %" PRIu64 " rows of %" PRIu64 ", %s to %s, eps %g\n",
           clnorm_kind_name(job->desc.kind), job->rows, job->desc.cols,
           clnorm_dtype_name(job->desc.x_dtype), clnorm_dtype_name(job->desc.y_dtype),
           job->desc.eps);
    const int code = table_print(&table, stdout, terminal_width(stdout),
                                 use_color(stdout, job->options->no_color));
    if (timed < job->rows)
        printf("timed on the first %" PRIu64 " rows\n", timed);
    table_release(&table);
    return code;
}

static json_t *finding_json(const struct finding *finding)
{
    const clnorm_timing *timing = &finding->timing;
    json_t *object = json_pack("{s:o, s:o}", "device", json_text(finding->device->name), "platform",
                               json_text(finding->device->platform_name));
    if (finding->tuning[0])
        json_object_set_new(object, "tuning", json_string(finding->tuning));
    if (has_timing(finding)) {
        json_object_set_new(object, "seconds", json_finite(timing->seconds));
        json_object_set_new(object, "timed_rows", json_integer((json_int_t)timing->rows));
        json_object_set_new(object, "bytes", json_integer((json_int_t)timing->bytes));
        json_object_set_new(object, "bytes_per_second",
                            json_finite((double)timing->bytes / timing->seconds));
        json_object_set_new(object, "of_copy", json_finite(timing->copy_seconds / timing->seconds));
    }
    if (has_verdict(finding)) {
        run_verdict_json(object, &finding->verdict);
    } else {
        const bool lacks = finding->error.status == CLNORM_UNSUPPORTED;
        json_object_set_new(object, "verdict", json_string(lacks ? "skipped" : "failed"));
        json_object_set_new(object, "problem", json_text(finding->error.text));
    }
    return object;
}

static int print_results_json(const struct run_job *job, const struct finding *findings, size_t n)
{
    json_t *root = run_job_json(job);
    json_t *results = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(results, finding_json(&findings[i]));
    if (json_object_set_new(root, "results", results) == 0)
        return print_json(root);
    json_decref(root);
    return print_json(NULL);
}

/* A wrong result weighs most, then a failure; that a device lacks a type is one only where nothing
 * else proved it. */
static int judge(const struct finding *findings, size_t n)
{
    size_t right = 0;
    int code = CLI_OK;
    for (size_t i = 0; i < n; i++) {
        const struct finding *finding = &findings[i];
        right += is_right(finding);
        if (has_verdict(finding) && !is_right(finding)) {
            run_complain_wrong(finding->device, &finding->verdict);
            code = CLI_WRONG;
        } else if (!has_verdict(finding)) {
            char line[ERROR_LINE];
            error_line(&finding->error, line);
            complain("%s: %s", finding->device->name, line);
            if (finding->error.status != CLNORM_UNSUPPORTED && code == CLI_OK)
                code = exit_code_of(finding->error.status);
        }
    }
    return code == CLI_OK && right == 0 ? CLI_DEVICE : code;
}

/* ---- all devices --------------------------------------------------------------------------- */

static int compare_on(const struct run_job *job, const struct run_devices *devices,
                      const struct block *block, struct finding *findings)
{
    const size_t n = devices->n_chosen;
    for (size_t i = 0; i < n; i++) {
        findings[i] = (struct finding){.device = &devices->list[devices->chosen[i]],
                                       .verdict = CLNORM_VERDICT_INIT};
        examine(job, block, &findings[i]);
        if (findings[i].error.status == CLNORM_CANCELLED || interrupt_pending())
            return complain_error(&findings[i].error);
    }
    const int printed =
        job->options->json ? print_results_json(job, findings, n) : print_table(job, findings, n);
    const int judged = judge(findings, n);
    return printed != CLI_OK ? printed : judged;
}

static bool is_needed(const struct run_job *job, clnorm_tensor_id id)
{
    const clnorm_tensor_use use = run_use(job, id);
    return use.role == CLNORM_OUTPUT && use.required;
}

static bool make_block(struct block *block, const struct run_job *job, clnorm_error *error)
{
    const uint64_t step = run_rows_step(job);
    uint64_t row_bytes = 0;
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (is_needed(job, (clnorm_tensor_id)id))
            row_bytes += run_bytes_of_rows(job, (clnorm_tensor_id)id, 1);
    const uint64_t fitting = BLOCK_BYTES / row_bytes;
    block->rows = fitting > step ? fitting / step * step : step;
    if (block->rows > job->rows)
        block->rows = job->rows;
    for (int i = 0; i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        const uint64_t bytes = run_bytes_of_rows(job, id, block->rows);
        if (is_needed(job, id) && !mapping_anonymous(&block->outputs[id], bytes, error))
            return false;
    }
    return true;
}

int run_compare(const struct run_job *job)
{
    struct run_devices devices = {0};
    struct block block = {0};
    struct finding *findings = NULL;
    clnorm_error error = {0};
    int code;
    if (!run_devices_choose(&devices, job->options->device, true, &error) ||
        !make_block(&block, job, &error)) {
        code = complain_error(&error);
        goto done;
    }
    findings = calloc(devices.n_chosen, sizeof(findings[0]));
    if (findings)
        code = compare_on(job, &devices, &block, findings);
    else
        code = complain_error(&(clnorm_error){CLNORM_OUT_OF_MEMORY, 0, "out of host memory"});
done:
    free(findings);
    for (size_t i = 0; i < TENSOR_COUNT; i++)
        mapping_release(&block.outputs[i]);
    run_devices_release(&devices);
    return code;
}
