/* SPDX-License-Identifier: MIT */
#include "base/kind.h"
#include "base/sha256.h"
#include "check/cases.h"
#include "cli/bench/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const status_names[] = {[BENCH_OK] = "ok",
                                           [BENCH_WRONG] = "wrong",
                                           [BENCH_UNSUPPORTED] = "unsupported",
                                           [BENCH_OUT_OF_MEMORY] = "oom",
                                           [BENCH_ERROR] = "error"};

void bench_report_release(struct bench_report *report)
{
    for (size_t i = 0; i < report->n_rows; i++) {
        for (size_t k = 0; k < report->rows[i].n_rounds; k++)
            free(report->rows[i].rounds[k].samples);
        free(report->rows[i].rounds);
    }
    free(report->rows);
    free(report->machines);
    free(report->settings.title);
    json_decref(report->settings.filter);
}

static void set(json_t *object, const char *key, json_t *value)
{
    json_object_set_new(object, key, value);
}

static void set_count(json_t *object, const char *key, uint64_t value)
{
    set(object, key, json_integer((json_int_t)value));
}

/* ---- devices ------------------------------------------------------------------------------- */

/* Without the driver: what was measured before an update can be compared with what is after it. */
static json_t *id_of(const clnorm_device *d)
{
    enum { DIGITS = 16 };
    const char *const texts[] = {d->platform_name, d->vendor, d->name, d->uuid};
    char id[DIGITS + 1];
    unsigned char digest[CLNORM_SHA256_BYTES];
    clnorm_sha256 hash;
    clnorm_sha256_begin(&hash);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        clnorm_sha256_add(&hash, texts[i], strlen(texts[i]) + 1);
    clnorm_sha256_end(&hash, digest);
    for (size_t i = 0; i < DIGITS / 2; i++)
        snprintf(id + 2 * i, 3, "%02x", digest[i]);
    return json_string(id);
}

static const char *type_of(const clnorm_device *d)
{
    return d->type & CL_DEVICE_TYPE_GPU           ? "gpu"
           : d->type & CL_DEVICE_TYPE_ACCELERATOR ? "accelerator"
           : d->type & CL_DEVICE_TYPE_CPU         ? "cpu"
                                                  : "other";
}

static json_t *curve_of(const clnorm_bench_device *m)
{
    json_t *curve = json_array();
    for (unsigned i = 0; i < m->n_curve; i++)
        json_array_append_new(curve, json_pack("{s:I, s:o, s:s}", "bytes",
                                               (json_int_t)m->curve[i].bytes, "bytes_per_second",
                                               json_finite(m->curve[i].bytes_per_second), "variant",
                                               m->curve[i].way));
    return curve;
}

static json_t *timer_of(const clnorm_bench_device *m)
{
    const double ratio = m->event_host_ratio;
    return json_pack("{s:s, s:s, s:o}", "chosen", m->timer == CLNORM_TIMER_EVENT ? "event" : "host",
                     "why", m->why, "event_host_ratio",
                     ratio > 0 ? json_finite(ratio) : json_null());
}

static json_t *platform_version(const clnorm_device *d)
{
    char text[256] = "";
    if (clGetPlatformInfo(d->platform_id, CL_PLATFORM_VERSION, sizeof(text) - 1, text, NULL))
        return json_null();
    make_printable(text);
    return json_text(text);
}

static void set_identity(json_t *object, const clnorm_device *d)
{
    set(object, "id", id_of(d));
    set(object, "name", json_text(d->name));
    set(object, "vendor", json_text(d->vendor));
    set(object, "type", json_string(type_of(d)));
    set(object, "platform", json_text(d->platform_name));
    set(object, "platform_version", platform_version(d));
    set(object, "device_version", json_text(d->version));
    set(object, "driver_version", json_text(d->driver));
    set_count(object, "compute_units", d->compute_units);
    set_count(object, "mem_bytes", d->global_bytes);
    set_count(object, "max_alloc_bytes", d->max_alloc_bytes);
    set_count(object, "local_bytes", d->local_bytes);
    set_count(object, "cache_bytes", d->cache_bytes);
    set(object, "unified_memory", json_boolean(d->shares_host_memory));
    set(object, "fp16", json_boolean(d->has_fp16));
    set(object, "fp64", json_boolean(d->has_fp64));
}

static json_t *machine_of(const struct bench_machine *m)
{
    const clnorm_bench_device *measured = &m->measured;
    json_t *object = json_pack("{s:I}", "index", (json_int_t)m->device->index);
    set_identity(object, m->device);
    if (m->problem[0]) {
        set(object, "problem", json_text(m->problem));
        return object;
    }
    set_count(object, "clock_mhz", measured->clock_mhz);
    set(object, "subgroups", json_boolean(measured->has_subgroups));
    set_count(object, "profiling_resolution_ns", measured->resolution_ns);
    set(object, "timer", timer_of(measured));
    set(object, "launch_seconds", json_finite(measured->launch_seconds));
    set(object, "empty_seconds", json_finite(measured->empty_seconds));
    set(object, "copy_bytes_per_second", json_finite(measured->copy_bytes_per_second));
    set(object, "copy_curve", curve_of(measured));
    return object;
}

/* ---- results ------------------------------------------------------------------------------- */

static json_t *check_of(const clnorm_bench_facts *facts, bool is_wrong)
{
    const clnorm_verdict *v = &facts->verdict;
    json_t *histogram = json_array();
    for (int i = 0; i < CLNORM_ULP_BINS; i++)
        json_array_append_new(histogram, json_integer((json_int_t)facts->ulp_counts[i]));
    return json_pack("{s:s, s:o, s:o, s:I, s:I, s:o}", "verdict", is_wrong ? "wrong" : "ok",
                     "max_ulp", json_finite(v->max_ulp), "bound_share",
                     json_finite(v->max_bound_share), "compared", (json_int_t)v->compared, "wrong",
                     (json_int_t)v->wrong, "ulp_histogram", histogram);
}

/* Of a single round nobody knows. */
static json_t *interval_of(const struct bench_row *row, double low, double high)
{
    if (row->n_rounds < 2)
        return json_null();
    return json_pack("[o, o]", json_finite(low), json_finite(high));
}

static json_t *seconds_of(const struct bench_row *row, const struct bench_numbers *n)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "median", json_finite(n->median),
                     "min", json_finite(n->min), "q1", json_finite(n->q1), "q3", json_finite(n->q3),
                     "p99", json_finite(n->p99), "interval", interval_of(row, n->low, n->high),
                     "noise", row->n_rounds < 2 ? json_null() : json_finite(n->noise), "samples",
                     (json_int_t)n->samples);
}

static json_t *rounds_of(const struct bench_row *row)
{
    json_t *rounds = json_array();
    for (size_t i = 0; i < row->n_rounds; i++) {
        json_t *seconds = json_array(), *copies = json_array();
        for (unsigned k = 0; k < row->rounds[i].count; k++) {
            json_array_append_new(seconds, json_finite(row->rounds[i].samples[k].seconds));
            json_array_append_new(copies, json_finite(row->rounds[i].samples[k].copy_seconds));
        }
        json_array_append_new(rounds,
                              json_pack("{s:o, s:o}", "seconds", seconds, "copy_seconds", copies));
    }
    return rounds;
}

static json_t *known(double value) { return value > 0 ? json_finite(value) : json_null(); }

/* False: no memory. */
static bool set_times(json_t *object, const struct bench_report *report,
                      const struct bench_row *row)
{
    struct bench_numbers n;
    if (!bench_numbers_of(row, &n))
        return false;
    const double bytes = (double)row->facts.bytes, copied = (double)row->facts.copy_bytes;
    const double empty = report->machines[row->machine].measured.empty_seconds;
    set(object, "seconds", seconds_of(row, &n));
    set(object, "bytes_per_second", json_finite(bytes / n.median));
    set(object, "copy_seconds", json_finite(n.copy));
    set(object, "copy_bytes_per_second", json_finite(copied / n.copy));
    set(object, "copy_variant", json_string(row->copy_way));
    set(object, "of_copy", json_finite(n.of_copy));
    set(object, "of_copy_interval", interval_of(row, n.of_copy_low, n.of_copy_high));
    set(object, "event_seconds", known(n.event));
    set(object, "host_seconds", json_finite(n.host));
    set(object, "launch_bound", json_boolean(n.median < 3 * empty));
    set_count(object, "calls_per_sample", row->rounds[0].calls);
    set_count(object, "sets", row->rounds[0].sets);
    set(object, "rounds", rounds_of(row));
    set(object, "warnings", bench_warnings_of(report, row, &n));
    return true;
}

/* NULL: no memory. */
static json_t *result_of(const struct bench_report *report, const struct bench_row *row)
{
    char name[BENCH_NAME];
    json_t *object = json_object();
    bench_case_name(&row->c, name);
    set(object, "case", json_string(name));
    set_count(object, "device", row->machine);
    set(object, "op", json_string(row->c.variant->name));
    set(object, "dtype", json_string(clnorm_dtype_name(row->c.desc.x_dtype)));
    set(object, "direction", json_string(clnorm_direction_name(row->c.direction)));
    set_count(object, "rows", row->c.rows);
    set_count(object, "cols", row->c.desc.cols);
    set(object, "cache", json_string(row->c.warm ? "warm" : "cold"));
    set(object, "status", json_string(status_names[row->status]));
    set(object, "reason", row->reason[0] ? json_text(row->reason) : json_null());
    if (row->facts.bytes > 0) {
        set_count(object, "bytes", row->facts.bytes);
        set_count(object, "copy_bytes", row->facts.copy_bytes);
        set(object, "form", json_string(clnorm_form_name(row->facts.form)));
        set(object, "tuning", json_string(row->facts.tuning));
        set(object, "build_seconds", json_finite(row->facts.build_seconds));
        set(object, "first_seconds", json_finite(row->facts.first_seconds));
    }
    if (row->facts.verdict.compared > 0)
        set(object, "check", check_of(&row->facts, row->status == BENCH_WRONG));
    if (row->status != BENCH_OK) {
        set(object, "warnings", json_array());
    } else if (!set_times(object, report, row)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static json_t *settings_of(const struct bench_settings *s)
{
    static const char *const timers[] = {"auto", "event", "host"};
    return json_pack("{s:s?, s:O?, s:I, s:I, s:o, s:I, s:s, s:i}", "preset", s->preset, "filter",
                     s->filter, "rounds", (json_int_t)s->rounds, "least_samples",
                     (json_int_t)s->least_samples, "round_seconds", json_finite(s->round_seconds),
                     "seed", (json_int_t)s->seed, "timer", timers[s->timer], "traffic_model",
                     CLNORM_TRAFFIC_MODEL);
}

static json_t *time_text(time_t seconds)
{
    char text[32] = "";
    const struct tm *utc = gmtime(&seconds);
    if (utc)
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", utc);
    return json_string(text);
}

json_t *bench_document(const struct bench_report *report, size_t first, size_t count)
{
    const struct bench_settings *s = &report->settings;
    json_t *machines = json_array(), *results = json_array();
    for (size_t i = 0; i < report->n_machines; i++)
        json_array_append_new(machines, machine_of(&report->machines[i]));
    bool has_all = true;
    for (size_t i = first; i < first + count; i++)
        if (report->rows[i].status != BENCH_OK || report->rows[i].n_rounds > 0)
            has_all &= !json_array_append_new(results, result_of(report, &report->rows[i]));
    if (!has_all) {
        json_decref(machines);
        json_decref(results);
        return NULL;
    }
    return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema",
                     "clnorm.bench/1", "complete", report->complete, "created",
                     time_text(report->host.created), "command", json_text(s->command), "title",
                     s->title ? json_text(s->title) : json_null(), "tool", bench_tool(), "host",
                     bench_host_facts(&report->host), "settings", settings_of(s), "devices",
                     machines, "results", results);
}
