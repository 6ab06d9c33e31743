/* SPDX-License-Identifier: MIT */
/* A warning that comes of noise is soon passed over, and one that does not come is missed: how
 * often either happens, in rounds that are made up, and what machines make of themselves. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "cli/bench/report.h"

enum { ROUNDS = 7, SAMPLES = 20 };

static clnorm_bench_sample samples[ROUNDS][SAMPLES];
static clnorm_bench_round rounds[ROUNDS];

/* A machine that has nothing to warn of. */
typedef struct {
    clnorm_device device;
    struct bench_machine machine;
    struct bench_report report;
    struct bench_row row;
} example;

static void make(example *e)
{
    *e = (example){
        .device = {.type = CL_DEVICE_TYPE_CPU, .platform_name = "Example"},
        .machine = {.device = &e->device, .measured = {.timer = CLNORM_TIMER_HOST}},
        .row = {.rounds = rounds, .n_rounds = ROUNDS, .facts = {.bytes = 2, .copy_bytes = 2}}};
    e->report = (struct bench_report){.settings = {.rounds = ROUNDS},
                                      .host = {.load = 0.3, .cpus = 4},
                                      .machines = &e->machine,
                                      .n_machines = 1};
    for (int r = 0; r < ROUNDS; r++) {
        rounds[r] = (clnorm_bench_round){.samples = samples[r], .count = SAMPLES, .is_cold = true};
        for (int s = 0; s < SAMPLES; s++)
            samples[r][s] = (clnorm_bench_sample){1e-3, 1e-3, 1e-3, 1e-3};
    }
}

static bool warns(const example *e, const char *code)
{
    struct bench_numbers numbers;
    assert_true(bench_numbers_of(&e->row, &numbers));
    json_t *list = bench_warnings_of(&e->report, &e->row, &numbers), *warning;
    bool found = false;
    size_t i;
    json_array_foreach(list, i, warning) found |=
        !strcmp(json_text_at(warning, "code"), code) && strlen(json_text_at(warning, "text")) > 20;
    json_decref(list);
    return found;
}

/* Logarithms of times: each round has a level of its own, and goes up by `step` from one to the
 * next. */
static void fill(clnorm_random *random, double of_rounds, double of_samples, double step)
{
    for (int r = 0; r < ROUNDS; r++) {
        const double level = of_rounds * clnorm_random_normal(random) + step * r;
        for (int s = 0; s < SAMPLES; s++)
            samples[r][s].seconds = 1e-3 * exp(level + of_samples * clnorm_random_normal(random));
    }
}

static int count(const char *code, int runs, double of_rounds, double of_samples, double step)
{
    clnorm_random random = clnorm_random_seed(1, 0);
    int found = 0;
    example e;
    make(&e);
    for (int i = 0; i < runs; i++) {
        fill(&random, of_rounds, of_samples, step);
        found += warns(&e, code);
    }
    return found;
}

static void expect_count(const char *what, int got, double least, double most)
{
    printf("%s: %d, %.1f to %.1f are expected\n", what, got, least, most);
    if (!(got >= least && got <= most))
        fail_msg("%s: %d, must be %.1f to %.1f", what, got, least, most);
}

/* Of 7 rounds only two of the 5040 orders are clear enough: of 20000 runs 8 at most, and 5 standard
 * deviations of that count more. The difference of thirds alone passes its 10 % in most of them. */
static void test_noise_is_no_drift(void **state)
{
    const double share = 2.0 / 5040;
    const int runs = 20000;
    (void)state;
    expect_count("drift of noise of 20 %", count("DRIFT", runs, 0.2, 0, 0), 0,
                 runs * share + 5 * sqrt(runs * share));
}

/* 4 % a round, beside rounds that vary by 0.5 %: a step is 5.6 standard deviations of its noise. */
static void test_drift_is_found(void **state)
{
    (void)state;
    expect_count("drift of 4 % a round", count("DRIFT", 500, 0.005, 0.01, 0.04), 500, 500);
    expect_count("drift of 4 % a round down", count("DRIFT", 500, 0.005, 0.01, -0.04), 500, 500);
    expect_count("drift of 1 % a round", count("DRIFT", 500, 0.001, 0.001, 0.01), 0, 0);
}

/* Beyond 3.5 standard deviations is 0.05 % of normal noise, and with those of 20 samples 1 % at
 * most: 15 of 140 are not to be had. */
static void test_noise_has_no_outliers(void **state)
{
    (void)state;
    expect_count("outliers in noise of 30 %", count("OUTLIERS", 2000, 0.1, 0.3, 0), 0, 0);
    expect_count("outliers of the same times", count("OUTLIERS", 1, 0, 0, 0), 0, 0);
}

static void test_outliers_are_found(void **state)
{
    clnorm_random random = clnorm_random_seed(1, 0);
    example e;
    (void)state;
    make(&e);
    for (int off = 0; off <= 4; off += 2) { /* of the 20 of a round: more than a tenth, or not */
        fill(&random, 0.1, 0.01, 0);
        for (int r = 0; r < ROUNDS; r++)
            for (int s = 0; s < off; s++)
                samples[r][s].seconds *= 1.5;
        if (warns(&e, "OUTLIERS") != (off > 2))
            fail_msg("%d of %d samples are half as long again: a warning is %s", off, SAMPLES,
                     off > 2 ? "missing" : "there");
    }
    for (int r = 0; r < ROUNDS; r++)
        rounds[r].count = SAMPLES - 1;
    assert_false(warns(&e, "OUTLIERS")); /* of so few nobody knows */
}

/* ---- the machine --------------------------------------------------------------------------- */

static void test_load_of_the_host_is_for_devices_that_share_it(void **state)
{
    static const struct {
        cl_device_type type;
        const char *platform;
        double load;
        bool warns;
    } known[] = {
        {CL_DEVICE_TYPE_CPU, "Example", 2.1, true},
        {CL_DEVICE_TYPE_CPU, "Example", 1.9, false},
        {CL_DEVICE_TYPE_CPU, "Example", -1, false},
        {CL_DEVICE_TYPE_GPU, "Example", 40, false},
        {CL_DEVICE_TYPE_ACCELERATOR, "Example", 40, false},
        {CL_DEVICE_TYPE_ACCELERATOR, "Intel(R) FPGA Emulation Platform for OpenCL(TM)", 2.1, true},
    };
    example e;
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        make(&e);
        e.device.type = known[i].type;
        snprintf(e.device.platform_name, sizeof(e.device.platform_name), "%s", known[i].platform);
        e.report.host.load = known[i].load;
        if (warns(&e, "CPU_SHARED") != known[i].warns)
            fail_msg("%s, type %d, load %g: must%s be told", known[i].platform, (int)known[i].type,
                     known[i].load, known[i].warns ? "" : " not");
    }
}

static void test_what_the_row_and_the_host_say(void **state)
{
    example e;
    (void)state;
    make(&e);
    assert_false(warns(&e, "FALLBACK") || warns(&e, "BATTERY"));
    e.row.fallback = "a kernel failed the self-test: see clnorm check --self-test";
    e.report.host.on_battery = true;
    assert_true(warns(&e, "FALLBACK") && warns(&e, "BATTERY"));
}

static char root[] = "/tmp/clnorm-power-XXXXXX";

static void put(const char *supply, const char *key, const char *value)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", root, supply);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/%s/%s", root, supply, key);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", value);
    fclose(file);
}

static void drop(const char *supply)
{
    static const char *const keys[] = {"type", "status", "scope", "online"};
    char path[256];
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s/%s", root, supply, keys[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/%s", root, supply);
    rmdir(path);
}

/* As Linux has them: a mouse, a laptop's battery, and what it is plugged into. */
static void test_battery(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    assert_false(bench_on_battery("/nonexistent"));
    assert_false(bench_on_battery(root));
    put("hidpp_battery_0", "type", "Battery");
    put("hidpp_battery_0", "scope", "Device");
    put("hidpp_battery_0", "status", "Discharging");
    assert_false(bench_on_battery(root));
    put("BAT0", "type", "Battery");
    put("BAT0", "status", "Discharging");
    assert_true(bench_on_battery(root));
    put("AC", "type", "Mains");
    put("AC", "online", "0");
    assert_true(bench_on_battery(root));
    put("AC", "online", "1"); /* a weak one: the battery helps */
    assert_false(bench_on_battery(root));
    put("AC", "online", "0");
    put("BAT0", "status", "Not charging");
    assert_false(bench_on_battery(root));
    drop("hidpp_battery_0");
    drop("BAT0");
    drop("AC");
    rmdir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise_is_no_drift),
        cmocka_unit_test(test_drift_is_found),
        cmocka_unit_test(test_noise_has_no_outliers),
        cmocka_unit_test(test_outliers_are_found),
        cmocka_unit_test(test_load_of_the_host_is_for_devices_that_share_it),
        cmocka_unit_test(test_what_the_row_and_the_host_say),
        cmocka_unit_test(test_battery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
