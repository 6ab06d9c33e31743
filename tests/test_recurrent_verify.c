/* SPDX-License-Identifier: MIT */
/* A bound that holds anything proves nothing, and one that is too tight refuses right devices: a
 * plain net in floats must pass, and every mistake must be found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/recurrent.h"
#include "recurrent_float.h"

#define SEED 11

static clnorm_recurrent_verdict verdict_of(const net *n, clnorm_direction direction,
                                           float *const got[RECURRENT_COUNT])
{
    const clnorm_recurrent_host_args args = net_args(n, direction);
    const float *outputs[RECURRENT_COUNT];
    clnorm_recurrent_verdict verdict;
    clnorm_error error = {.text = ""};
    for (int id = 0; id < RECURRENT_COUNT; id++)
        outputs[id] = got[id];
    if (clnorm_recurrent_verify(&n->desc, direction, n->steps, n->batch, &args, outputs, &verdict,
                                &error) != CLNORM_OK)
        fail_msg("%s", error.text);
    return verdict;
}

static void expect(bool right, const char *what, const net *n, clnorm_direction direction,
                   float *const got[RECURRENT_COUNT])
{
    const clnorm_recurrent_verdict v = verdict_of(n, direction, got);
    const char *const way = direction == CLNORM_FORWARD ? "forward" : "backward";
    if (v.compared == 0 || (v.wrong == 0) != right)
        fail_msg("%s, %s: %lu of %lu wrong, worst %s[%lu, %lu, %lu] is %.9g instead of %.9g, "
                 "which is %.3g of the bound",
                 what, way, (unsigned long)v.wrong, (unsigned long)v.compared, v.worst_tensor,
                 (unsigned long)v.worst_step, (unsigned long)v.worst_row,
                 (unsigned long)v.worst_col, v.worst_got, v.worst_expected, v.max_bound_share);
    if (getenv("CLNORM_TEST_SHARES"))
        printf("%-60s %-8s %.3g of the bound of %s\n", what, way, v.max_bound_share,
               v.worst_tensor);
}

/* ---- right devices ------------------------------------------------------------------------- */

static const struct {
    uint64_t features, hidden, steps, batch;
    float scale; /* of the matrices: 1 lets gradients grow, and saturates gates */
} shapes[] = {
    {1, 1, 3, 2, 1},        {3, 4, 5, 2, 1},   {17, 33, 12, 3, 0.5F},
    {64, 64, 10, 1, 0.25F}, {5, 64, 20, 1, 1},
};

static net shaped(size_t kind, size_t shape, const uint32_t *lengths, uint64_t seed)
{
    net n = net_make(&net_kinds[kind].desc, shapes[shape].features, shapes[shape].hidden,
                     shapes[shape].steps, shapes[shape].batch, lengths, seed);
    for (int id = RECURRENT_w_x; id <= RECURRENT_w_h; id++)
        for (uint64_t i = 0; i < net_count(&n, id); i++)
            n.in[id][i] *= shapes[shape].scale;
    return n;
}

static void expect_both(bool right, const char *what, const net *n, mistake wrong)
{
    float_net f = float_net_run(n, wrong);
    expect(right, what, n, CLNORM_FORWARD, f.got);
    expect(right, what, n, CLNORM_BACKWARD, f.got);
    float_net_free(&f);
}

static void test_floats_are_right(void **state)
{
    (void)state;
    for (size_t shape = 0; shape < COUNT(shapes); shape++)
        for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
            for (uint64_t seed = SEED; seed < SEED + (shape < 2 ? 20 : 1); seed++) {
                char what[96];
                snprintf(what, sizeof(what), "%s of shape %zu, seed %lu", net_kinds[kind].name,
                         shape, (unsigned long)seed);
                net n = shaped(kind, shape, NULL, seed);
                expect_both(true, what, &n, NO_MISTAKE);
                net_free(&n);
            }
}

static const uint32_t lengths[] = {12, 0, 7};

static void test_floats_with_lengths_are_right(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net n = shaped(kind, 2, lengths, SEED);
        expect_both(true, net_kinds[kind].name, &n, NO_MISTAKE);
        net_free(&n);
    }
}

/* Columns of the matrices far from 0 give rows with a mean far from 0. */
static net far_from_zero(size_t kind)
{
    net n = shaped(kind, 2, NULL, SEED);
    for (uint64_t i = 0; i < net_count(&n, RECURRENT_w_x); i++)
        n.in[RECURRENT_w_x][i] += 256;
    return n;
}

static void test_floats_far_from_zero_are_right(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net n = far_from_zero(kind);
        if (n.desc.norm)
            expect_both(true, net_kinds[kind].name, &n, NO_MISTAKE);
        net_free(&n);
    }
}

/* ---- mistakes in arithmetic ---------------------------------------------------------------- */

static void test_large_means_need_care(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net n = far_from_zero(kind);
        if (n.desc.norm) {
            float_net f = float_net_run(&n, ONE_PASS_VARIANCE);
            expect(false, net_kinds[kind].name, &n, CLNORM_FORWARD, f.got);
            float_net_free(&f);
        }
        net_free(&n);
    }
}

static bool is_of(mistake wrong, const clnorm_recurrent_desc *desc)
{
    switch (wrong) {
    case NO_MEAN_OF_GRADIENT:
    case NO_SPREAD_OF_GRADIENT:
        return desc->norm;
    case CELL_NOT_CARRIED_BACK:
        return desc->cell == CLNORM_LSTM;
    case DIRECT_PATH_LEFT_OUT:
    case RESET_FORGOTTEN:
        return desc->cell == CLNORM_GRU;
    default:
        return true;
    }
}

static void test_wrong_gradients_are_found(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (mistake wrong = NO_MEAN_OF_GRADIENT; wrong < MISTAKES; wrong++)
            for (size_t shape = 1; shape < COUNT(shapes) && is_of(wrong, &net_kinds[kind].desc);
                 shape++) {
                char what[96];
                snprintf(what, sizeof(what), "%s of shape %zu, mistake %d", net_kinds[kind].name,
                         shape, (int)wrong);
                net n = shaped(kind, shape, NULL, SEED);
                float_net f = float_net_run(&n, wrong);
                expect(false, what, &n, CLNORM_BACKWARD, f.got);
                float_net_free(&f);
                net_free(&n);
            }
}

/* ---- another net than was asked for -------------------------------------------------------- */

/* What a device gives that runs `other`; backward, with the right y. */
static void expect_found(const char *what, const net *n, const net *other)
{
    float_net right = float_net_run(n, NO_MISTAKE), f = float_net_run(other, NO_MISTAKE);
    expect(false, what, n, CLNORM_FORWARD, f.got);
    memcpy(f.got[RECURRENT_y], right.got[RECURRENT_y], net_count(n, RECURRENT_y) * sizeof(float));
    expect(false, what, n, CLNORM_BACKWARD, f.got);
    float_net_free(&right);
    float_net_free(&f);
}

static void test_missing_inputs_are_found(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (int id = 0; id < RECURRENT_dy; id++) {
            net n = shaped(kind, 2, NULL, SEED), other = shaped(kind, 2, NULL, SEED);
            char what[96];
            snprintf(what, sizeof(what), "%s without %s", net_kinds[kind].name,
                     clnorm_recurrent_tensor_name((clnorm_recurrent_id)id));
            if (n.in[id] && !net_use(&n, id).required) {
                free(other.in[id]);
                other.in[id] = NULL;
                expect_found(what, &n, &other);
            }
            net_free(&n);
            net_free(&other);
        }
}

static void swap_gates(net *n, int id, size_t gate)
{
    const uint64_t size = net_count(n, id) / clnorm_recurrent_gates(n->desc.cell);
    for (uint64_t i = 0; i < size; i++) {
        const float kept = n->in[id][gate * size + i];
        n->in[id][gate * size + i] = n->in[id][(gate + 1) * size + i];
        n->in[id][(gate + 1) * size + i] = kept;
    }
}

static void test_another_order_of_gates_is_found(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (size_t gate = 0; gate + 1 < clnorm_recurrent_gates(net_kinds[kind].desc.cell);
             gate++) {
            net n = shaped(kind, 2, NULL, SEED), other = shaped(kind, 2, NULL, SEED);
            swap_gates(&other, RECURRENT_w_x, gate);
            expect_found(net_kinds[kind].name, &n, &other);
            net_free(&n);
            net_free(&other);
        }
}

static void test_another_length_is_found(void **state)
{
    static const uint32_t shorter[] = {12, 0, 6}, longer[] = {12, 0, 8}, late[] = {12, 1, 7};
    static const uint32_t *const others[] = {shorter, longer, late, NULL};
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (size_t i = 0; i < COUNT(others); i++) {
            net n = shaped(kind, 2, lengths, SEED), other = shaped(kind, 2, others[i], SEED);
            expect_found(net_kinds[kind].name, &n, &other);
            net_free(&n);
            net_free(&other);
        }
}

static void test_another_descriptor_is_found(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net n = shaped(kind, 2, NULL, SEED), other = shaped(kind, 2, NULL, SEED);
        if (n.desc.cell == CLNORM_RNN)
            other.desc.nonlinearity = !other.desc.nonlinearity;
        else if (n.desc.norm)
            other.desc.norm_gates = !other.desc.norm_gates;
        if (n.desc.cell == CLNORM_RNN || n.desc.norm)
            expect_found(net_kinds[kind].name, &n, &other);
        other.desc = n.desc;
        other.desc.eps = 1e-3;
        if (n.desc.norm)
            expect_found(net_kinds[kind].name, &n, &other);
        net_free(&n);
        net_free(&other);
    }
}

/* One input of many that is wrong in its leading digits only. */
static void test_a_small_change_is_found(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (int id = RECURRENT_w_x; id <= RECURRENT_w_h; id++) {
            net n = shaped(kind, 2, NULL, SEED), other = shaped(kind, 2, NULL, SEED);
            char what[96];
            snprintf(what, sizeof(what), "%s with another %s[5]", net_kinds[kind].name,
                     clnorm_recurrent_tensor_name((clnorm_recurrent_id)id));
            other.in[id][5] += 0x1p-6f;
            expect_found(what, &n, &other);
            net_free(&n);
            net_free(&other);
        }
}

/* ---- one element --------------------------------------------------------------------------- */

/* The last element of a tensor; of y with h_n, which is its last step. */
static void set_last(const net *n, const float_net *f, int id, float value)
{
    f->got[id][net_count(n, id) - 1] = value;
    if (id == RECURRENT_y)
        f->got[RECURRENT_h_n][net_count(n, RECURRENT_h_n) - 1] = value;
}

static void expect_one_element(const net *n, int id)
{
    const clnorm_direction direction = id <= RECURRENT_c_n ? CLNORM_FORWARD : CLNORM_BACKWARD;
    const char *const name = clnorm_recurrent_tensor_name((clnorm_recurrent_id)id);
    float_net f = float_net_run(n, NO_MISTAKE);
    set_last(n, &f, id, NAN);
    expect(false, name, n, direction, f.got);
    set_last(n, &f, id, 1e3F);
    expect(false, name, n, direction, f.got);
    const clnorm_recurrent_verdict v = verdict_of(n, direction, f.got);
    assert_string_equal(v.worst_tensor, name);
    assert_int_equal(v.wrong, 1);
    assert_int_equal(v.worst_step, id == RECURRENT_y || id == RECURRENT_dx ? n->steps - 1 : 0);
    assert_int_equal(v.worst_col, net_use(n, id).cols - 1);
    assert_true(v.worst_got == 1e3);
    float_net_free(&f);
}

static void test_one_element_is_found(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net n = shaped(kind, 1, NULL, SEED);
        for (int id = 0; id < RECURRENT_COUNT; id++)
            if (n.out[id])
                expect_one_element(&n, id);
        net_free(&n);
    }
}

static void test_y_is_needed(void **state)
{
    net n = shaped(0, 0, NULL, SEED);
    const clnorm_recurrent_host_args args = net_args(&n, CLNORM_FORWARD);
    const float *const none[RECURRENT_COUNT] = {NULL};
    clnorm_recurrent_verdict verdict;
    clnorm_error error;
    (void)state;
    assert_int_equal(clnorm_recurrent_verify(&n.desc, CLNORM_FORWARD, n.steps, n.batch, &args, none,
                                             &verdict, &error),
                     CLNORM_BAD_ARGS);
    assert_string_equal(error.text, "y is NULL; allowed is what the device had for it");
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floats_are_right),
        cmocka_unit_test(test_floats_with_lengths_are_right),
        cmocka_unit_test(test_floats_far_from_zero_are_right),
        cmocka_unit_test(test_large_means_need_care),
        cmocka_unit_test(test_wrong_gradients_are_found),
        cmocka_unit_test(test_missing_inputs_are_found),
        cmocka_unit_test(test_another_order_of_gates_is_found),
        cmocka_unit_test(test_another_length_is_found),
        cmocka_unit_test(test_another_descriptor_is_found),
        cmocka_unit_test(test_a_small_change_is_found),
        cmocka_unit_test(test_one_element_is_found),
        cmocka_unit_test(test_y_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
