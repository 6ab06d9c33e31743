/* SPDX-License-Identifier: MIT */
/* clnorm_forward_host, clnorm_backward_host: chunks must not change a bit, lose a row or write past
 * one, for every tensor of the family. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host_call.h"

typedef struct {
    const char *name;
    bool together[2]; /* forward, backward: needs all rows at once */
    clnorm_desc desc;
} subject;

enum { SUBJECTS = 13 };

static clnorm_desc quantised(clnorm_kind kind, clnorm_dtype dtype, clnorm_quant quant)
{
    clnorm_desc desc = desc_of_kind(kind);
    desc.y_dtype = dtype;
    desc.quant = quant;
    desc.quant_group = quant == CLNORM_QUANT_GROUP ? 32 : 0;
    return desc;
}

static void make_subjects(subject subjects[SUBJECTS])
{
    const unsigned all = CLNORM_WITH_RESIDUAL | CLNORM_WITH_X_BIAS | CLNORM_WITH_GATE;
    const subject made[SUBJECTS] = {
        {"layer_norm", {false}, desc_of_kind(CLNORM_LAYER_NORM)},
        {"residual, bias, gate for 7 rows each, dropout",
         {false},
         with_mods(7, all | CLNORM_WITH_MODULATION)},
        {"modulation of each row", {false}, with_mods(1, CLNORM_WITH_MODULATION)},
        {"modulation of the tensor", {false}, with_mods(0, CLNORM_WITH_MODULATION)},
        {"given statistics, SiLU", {false}, desc_of_kind(CLNORM_LAYER_NORM)},
        {"weight_norm", {false}, desc_of_kind(CLNORM_WEIGHT_NORM)},
        {"group_norm", {false}, of_channels(CLNORM_GROUP_NORM, 12, CLNORM_NHWC)},
        {"batch_norm", {true, true}, of_channels(CLNORM_BATCH_NORM, 12, CLNORM_NCHW)},
        {"batch_norm, running", {false, true}, of_channels(CLNORM_BATCH_NORM, 12, CLNORM_NHWC)},
        {"i8, asymmetric", {false}, quantised(CLNORM_RMS_NORM, CLNORM_I8, CLNORM_QUANT_GROUP)},
        {"e4m3 in groups", {false}, quantised(CLNORM_LAYER_NORM, CLNORM_E4M3, CLNORM_QUANT_GROUP)},
        {"i8, one scale and zero point",
         {false},
         quantised(CLNORM_LAYER_NORM, CLNORM_I8, CLNORM_QUANT_STATIC)},
        {"groups of a row", {false}, desc_of_kind(CLNORM_RMS_NORM)},
    };
    memcpy(subjects, made, sizeof(made));
    subjects[1].desc.dropout = 0.25;
    subjects[4].desc.stats = CLNORM_STATS_GIVEN;
    subjects[4].desc.act_gate = CLNORM_ACT_AFTER;
    subjects[6].desc.groups = 4;
    subjects[8].desc.stats = CLNORM_STATS_RUNNING;
    subjects[9].desc.quant_asymmetric = 1;
    subjects[11].desc.quant_asymmetric = 1;
    subjects[12].desc.groups = 4;
}

static clnorm_status try_limit(const call *c, uint64_t limit, int copy, clnorm_host_report *report,
                               clnorm_error *error)
{
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.max_device_bytes = limit;
    options.copy = copy;
    prepare(c);
    return c->direction == CLNORM_FORWARD
               ? clnorm_forward_host(c->op, c->f.rows, &c->args, &options, report, error)
               : clnorm_backward_host(c->op, c->f.rows, &c->args, &options, report, error);
}

static void expect_same(const call *c, void *const *whole, const char *name, uint64_t limit)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const void *data = clnorm_host_array(&c->args, (clnorm_tensor_id)id).data;
        if (is_output(c, id) && memcmp(data, whole[id], c->bytes[id]) != 0)
            fail_msg("%s, seed %d: %s differs within %llu bytes", name, SEED,
                     clnorm_tensor_name((clnorm_tensor_id)id), (unsigned long long)limit);
    }
}

/* Half of the memory each time, until it is too little. */
static uint64_t squeeze(const call *c, const subject *s, bool together, void *const *whole)
{
    uint64_t most_chunks = 0;
    for (uint64_t limit = whole_bytes(c) * 2; limit > 16; limit /= 2)
        for (int copy = is_oclgrind(); copy < 2; copy++) {
            clnorm_host_report report = CLNORM_HOST_REPORT_INIT;
            clnorm_error error = {.text = ""};
            const clnorm_status status = try_limit(c, limit, copy, &report, &error);
            if (status == CLNORM_OUT_OF_MEMORY) {
                if (together && !strstr(error.text, "needs all rows at once"))
                    fail_msg("%s", error.text);
                return most_chunks;
            }
            if (status != CLNORM_OK)
                fail_msg("%s: %s", s->name, error.text);
            assert_false(copy && report.zero_copy);
            expect_same(c, whole, s->name, limit);
            most_chunks = report.chunks > most_chunks ? report.chunks : most_chunks;
        }
    fail_msg("%s: 16 bytes are enough", s->name);
    return 0;
}

static void squeeze_one(const fixture *f, const subject *s, clnorm_direction direction)
{
    call c = call_open(f, &s->desc, direction, is_oclgrind() ? 19 : ROWS);
    void *whole[TENSOR_COUNT] = {NULL};
    clnorm_host_options options = CLNORM_HOST_OPTIONS_INIT;
    options.copy = 1;
    run(&c, &options, NULL);
    prove(&c, s->name);
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (is_output(&c, id)) {
            whole[id] = pages(c.bytes[id]);
            memcpy(whole[id], clnorm_host_array(&c.args, (clnorm_tensor_id)id).data, c.bytes[id]);
        }
    const bool together = s->together[direction];
    const uint64_t chunks = squeeze(&c, s, together, whole);
    printf("%s, %s: at most %llu chunks\n", s->name, direction ? "backward" : "forward",
           (unsigned long long)chunks);
    if (together)
        assert_int_equal(chunks, 1);
    else
        assert_true(chunks > 2);
    for (int id = 0; id < TENSOR_COUNT; id++)
        free(whole[id]);
    call_close(&c);
}

static void test_chunks_change_no_bit(void **state)
{
    subject subjects[SUBJECTS];
    make_subjects(subjects);
    const size_t step = is_on("intel-cpu") ? 1 : 3; /* elsewhere all take minutes to build */
    for (size_t i = 0; i < SUBJECTS; i += step)
        for (int direction = CLNORM_FORWARD; direction <= CLNORM_BACKWARD; direction++)
            squeeze_one(*state, &subjects[i], (clnorm_direction)direction);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_chunks_change_no_bit)};
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
