/* SPDX-License-Identifier: MIT */
#include "cli/result/rules.h"
#include "cli/result/file.h"

static const struct rule tool_rules[] = {
    {"version", TEXT, REQUIRED, NULL, NULL},
    {"commit", TEXT, OR_NULL, NULL, NULL},
    {"build", TEXT, OR_NULL, NULL, NULL},
    {"compiler", TEXT, OR_NULL, NULL, NULL},
    {0},
};

static const struct rule host_rules[] = {
    {"os", TEXT, OR_NULL, NULL, NULL},     {"kernel", TEXT, OR_NULL, NULL, NULL},
    {"arch", TEXT, OR_NULL, NULL, NULL},   {"cpu", TEXT, OR_NULL, NULL, NULL},
    {"cpus", COUNT, OR_NULL, NULL, NULL},  {"mem_bytes", COUNT, OR_NULL, NULL, NULL},
    {"load", NUMBER, OR_NULL, NULL, NULL}, {0},
};

static const struct rule settings_rules[] = {
    {"preset", TEXT, OR_NULL, NULL, NULL},   {"rounds", COUNT, OR_NULL, NULL, NULL},
    {"seed", COUNT, OR_NULL, NULL, NULL},    {"timer", TEXT, OR_NULL, NULL, NULL},
    {"traffic_model", COUNT, 0, NULL, NULL}, {0},
};

static const struct rule timer_rules[] = {
    {"chosen", CHOICE, REQUIRED, "event|host", NULL},
    {"why", TEXT, OR_NULL, NULL, NULL},
    {"event_host_ratio", NUMBER, OR_NULL, NULL, NULL},
    {0},
};

static const struct rule curve_rules[] = {
    {"bytes", COUNT, REQUIRED, NULL, NULL},
    {"bytes_per_second", POSITIVE, REQUIRED, NULL, NULL},
    {"variant", TEXT, REQUIRED, NULL, NULL},
    {0},
};

static const struct rule device_rules[] = {
    {"id", NAME, REQUIRED, NULL, NULL},
    {"name", TEXT, REQUIRED, NULL, NULL},
    {"vendor", TEXT, REQUIRED, NULL, NULL},
    {"type", TEXT, REQUIRED, NULL, NULL},
    {"platform", TEXT, REQUIRED, NULL, NULL},
    {"platform_version", TEXT, OR_NULL, NULL, NULL},
    {"device_version", TEXT, OR_NULL, NULL, NULL},
    {"driver_version", TEXT, REQUIRED, NULL, NULL},
    {"index", COUNT, OR_NULL, NULL, NULL},
    {"compute_units", COUNT, OR_NULL, NULL, NULL},
    {"clock_mhz", COUNT, OR_NULL, NULL, NULL},
    {"mem_bytes", COUNT, OR_NULL, NULL, NULL},
    {"max_alloc_bytes", COUNT, OR_NULL, NULL, NULL},
    {"local_bytes", COUNT, OR_NULL, NULL, NULL},
    {"cache_bytes", COUNT, OR_NULL, NULL, NULL},
    {"unified_memory", FLAG, OR_NULL, NULL, NULL},
    {"fp16", FLAG, OR_NULL, NULL, NULL},
    {"fp64", FLAG, OR_NULL, NULL, NULL},
    {"timer", OBJECT, OR_NULL, NULL, timer_rules},
    {"launch_seconds", POSITIVE, OR_NULL, NULL, NULL},
    {"empty_seconds", POSITIVE, OR_NULL, NULL, NULL},
    {"copy_bytes_per_second", POSITIVE, OR_NULL, NULL, NULL},
    {"copy_curve", OBJECTS, OR_NULL, NULL, curve_rules},
    {"created", TEXT, 0, NULL, NULL},
    {"command", TEXT, OR_NULL, NULL, NULL},
    {"tool", OBJECT, 0, NULL, tool_rules},
    {"host", OBJECT, 0, NULL, host_rules},
    {"settings", OBJECT, 0, NULL, settings_rules},
    {"runs", OBJECTS, OR_NULL | IN_PART, NULL, NULL}, /* what differs of the above */
    {0},
};

static const struct rule check_rules[] = {
    {"verdict", CHOICE, REQUIRED, "ok|wrong", NULL}, {"max_ulp", NUMBER, OR_NULL, NULL, NULL},
    {"bound_share", NUMBER, OR_NULL, NULL, NULL},    {"compared", COUNT, OR_NULL, NULL, NULL},
    {"ulp_histogram", COUNTS, OR_NULL, NULL, NULL},  {0},
};

static const struct rule warning_rules[] = {
    {"code", NAME, REQUIRED, NULL, NULL},
    {"text", TEXT, REQUIRED, NULL, NULL},
    {0},
};

static const struct rule result_rules[] = {
    {"case", NAME, REQUIRED, NULL, NULL},
    {"device", COUNT, REQUIRED, NULL, NULL},
    {"run", COUNT, OR_NULL, NULL, NULL},
    {"op", NAME, REQUIRED, NULL, NULL},
    {"dtype", NAME, REQUIRED, NULL, NULL},
    {"direction", CHOICE, REQUIRED, "forward|backward", NULL},
    {"rows", COUNT, REQUIRED, NULL, NULL},
    {"cols", COUNT, REQUIRED, NULL, NULL},
    {"cache", CHOICE, REQUIRED, "cold|warm", NULL},
    {"status", CHOICE, REQUIRED, "ok|wrong|unsupported|oom|error", NULL},
    {"reason", TEXT, OR_NULL, NULL, NULL},
    {"form", TEXT, OR_NULL, NULL, NULL},
    {"bytes", COUNT, OR_NULL, NULL, NULL},
    {"copy_bytes", COUNT, OR_NULL, NULL, NULL},
    {"check", OBJECT, OR_NULL, NULL, check_rules},
    {"launch_bound", FLAG, OR_NULL, NULL, NULL},
    {"copy_variant", TEXT, OR_NULL, NULL, NULL},
    {"warnings", OBJECTS, OR_NULL, NULL, warning_rules},
    {0},
};

static const struct rule seconds_rules[] = {
    {"median", POSITIVE, REQUIRED, NULL, NULL},
    {"min", POSITIVE, REQUIRED, NULL, NULL},
    {"q1", POSITIVE, REQUIRED, NULL, NULL},
    {"q3", POSITIVE, REQUIRED, NULL, NULL},
    {"p99", POSITIVE, REQUIRED, NULL, NULL},
    {"samples", COUNT, REQUIRED, NULL, NULL},
    {"noise", NUMBER, REQUIRED | OR_NULL, NULL, NULL}, /* null: of one round */
    {"interval", INTERVAL, REQUIRED | OR_NULL, NULL, NULL},
    {0},
};

static const struct rule round_rules[] = {
    {"seconds", SAMPLES, REQUIRED, NULL, NULL},
    {"copy_seconds", SAMPLES, REQUIRED, NULL, NULL},
    {0},
};

const struct rule result_measured_rules[] = {
    {"seconds", OBJECT, REQUIRED, NULL, seconds_rules},
    {"bytes_per_second", POSITIVE, REQUIRED, NULL, NULL},
    {"copy_seconds", POSITIVE, REQUIRED, NULL, NULL},
    {"copy_bytes_per_second", POSITIVE, REQUIRED, NULL, NULL},
    {"of_copy", POSITIVE, REQUIRED, NULL, NULL},
    {"of_copy_interval", INTERVAL, REQUIRED | OR_NULL, NULL, NULL},
    {"event_seconds", POSITIVE, OR_NULL, NULL, NULL},
    {"host_seconds", POSITIVE, OR_NULL, NULL, NULL},
    {"rounds", OBJECTS, REQUIRED, NULL, round_rules},
    {0},
};

const struct rule result_moved_rules[] = {
    {"bytes", SIZE, REQUIRED, NULL, NULL},
    {"copy_bytes", SIZE, REQUIRED, NULL, NULL},
    {0},
};

const struct rule result_document_rules[] = {
    {"schema", CHOICE, REQUIRED, RESULT_SCHEMA, NULL},
    {"complete", FLAG, REQUIRED, NULL, NULL},
    {"created", TEXT, REQUIRED, NULL, NULL},
    {"command", TEXT, OR_NULL, NULL, NULL},
    {"title", TEXT, OR_NULL, NULL, NULL},
    {"tool", OBJECT, REQUIRED, NULL, tool_rules},
    {"host", OBJECT, REQUIRED, NULL, host_rules},
    {"settings", OBJECT, REQUIRED, NULL, settings_rules},
    {"devices", OBJECTS, REQUIRED, NULL, device_rules},
    {"results", OBJECTS, REQUIRED, NULL, result_rules},
    {0},
};
