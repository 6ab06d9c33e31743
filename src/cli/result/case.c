/* SPDX-License-Identifier: MIT */
/* The text of a case says all that was measured: what else a result says of it must agree. */
#include "check/bench.h"
#include "check/cases.h"
#include "cli/bench/case.h"
#include "cli/result/numbers.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN = 120 };

static bool read_case(const char *text, clnorm_bench_case *c, clnorm_error *error)
{
    struct bench_words words;
    if (!bench_read_words(text, &words))
        return refuse(error, "must be a case of clnorm bench, such as 'layer_norm f32 forward "
                             "4096x768 cold'");
    return bench_case_make(&words, c, error);
}

/* Values that are missing are not looked at. */
static void expect_text(struct result_problems *problems, const json_t *result, const char *key,
                        const char *must)
{
    const char *is = json_string_value(json_object_get(result, key));
    if (is && strcmp(is, must) != 0)
        result_say(problems, key, "is '%.*s'; of the case it is '%s'", SHOWN, is, must);
}

static void expect_count(struct result_problems *problems, const json_t *result, const char *key,
                         uint64_t must)
{
    const json_t *value = json_object_get(result, key);
    const json_int_t is = json_integer_value(value);
    if (json_is_integer(value) && (is < 0 || (uint64_t)is != must))
        result_say(problems, key, "is %" JSON_INTEGER_FORMAT "; of the case it is %" PRIu64, is,
                   must);
}

static void check_fields(struct result_problems *problems, const json_t *result,
                         const clnorm_bench_case *c)
{
    char name[BENCH_NAME];
    bench_case_name(c, name);
    expect_text(problems, result, "case", name);
    expect_text(problems, result, "op", c->variant->name);
    expect_text(problems, result, "dtype", clnorm_dtype_name(c->desc.x_dtype));
    expect_text(problems, result, "direction", clnorm_direction_name(c->direction));
    expect_count(problems, result, "rows", c->rows);
    expect_count(problems, result, "cols", c->desc.cols);
    expect_text(problems, result, "cache", strrchr(name, ' ') + 1);
}

void result_check_case(struct result_problems *problems, const json_t *result, json_int_t model)
{
    const char *text = json_text_at(result, "case");
    clnorm_bench_case c;
    uint64_t bytes, copy_bytes;
    clnorm_error error;
    if (!read_case(text, &c, &error) ||
        clnorm_bench_bytes(&c, &bytes, &copy_bytes, &error) != CLNORM_OK) {
        result_say(problems, "case", "is '%.*s'; %s", SHOWN, text, error.text);
        return;
    }
    check_fields(problems, result, &c);
    if (model != CLNORM_TRAFFIC_MODEL)
        return;
    expect_count(problems, result, "bytes", bytes);
    expect_count(problems, result, "copy_bytes", copy_bytes);
}
