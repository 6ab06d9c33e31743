/* SPDX-License-Identifier: MIT */
/* What people read of a run: each time by its name, and no name that Markdown takes for its own. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench/report.h"

static const char document[] =
    "{\"complete\": true, \"created\": \"\", \"host\": {\"os\": \"<b>\"}, \"settings\": "
    "{\"rounds\": 9},"
    " \"devices\": [{\"name\": \"a*b|c\", \"platform\": \"`p`\", \"driver_version\": \"[1](x)\","
    "  \"launch_seconds\": 5e-6, \"empty_seconds\": 1e-6, \"copy_bytes_per_second\": 2e9,"
    "  \"timer\": {\"chosen\": \"host\", \"why\": \"<why>\"}}],"
    " \"results\": [{\"case\": \"layer_norm 4x4\", \"device\": 0, \"status\": \"error\","
    "  \"reason\": \"*r*\", \"warnings\": [{\"code\": \"FALLBACK\", \"text\": \"**form**\"}]}]}";

static void expect(enum bench_format format, const char *const *parts, size_t n)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    json_t *parsed = json_loads(document, 0, NULL);
    const struct bench_view view = {.stream = stream};
    assert_non_null(parsed);
    assert_int_equal(bench_print(parsed, format, &view), CLI_OK);
    fclose(stream);
    for (size_t i = 0; i < n; i++)
        if (!strstr(text, parts[i]))
            fail_msg("no '%s' in:\n%s", parts[i], text);
    json_decref(parsed);
    free(text);
}

static const char times[] = "copy 2 GB/s, empty kernel 1 us, launch and wait 5 us, clock: host";

static void test_text(void **state)
{
    const char *const parts[] = {times,        "a*b|c (`p`, driver [1](x))",          "(<why>)",
                                 "error: *r*", "! FALLBACK layer_norm 4x4: **form**", "<b>"};
    (void)state;
    expect(BENCH_TABLE, parts, sizeof(parts) / sizeof(parts[0]));
}

static void test_markdown(void **state)
{
    const char *const parts[] = {times,
                                 "a\\*b\\|c (\\`p\\`, driver \\[1](x))",
                                 "(\\<why>)",
                                 "error: \\*r\\*",
                                 "- FALLBACK layer_norm 4x4: \\*\\*form\\*\\*",
                                 "\\<b>"};
    (void)state;
    expect(BENCH_MARKDOWN, parts, sizeof(parts) / sizeof(parts[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_markdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
