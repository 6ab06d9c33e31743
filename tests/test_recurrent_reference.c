/* SPDX-License-Identifier: MIT */
/* Devices are compared with the reference, so a wrong formula, length or default in it would be
 * believed: gradients against differences of the forward pass, and what must be equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recurrent_net.h"
#include "reference/recurrent.h"

#define SEED 7
/* A power of two, so that inputs move exactly. A difference over it is off by some STEP^2 (1e-11)
 * of the third derivative, and by 2^-53 |loss| / STEP (1e-9) as results are doubles. */
#define STEP 0x1p-18
#define TOLERANCE 1e-6 /* of the largest gradient of the tensor */

static const uint32_t lengths[] = {3, 0, 2};
enum { STEPS = 3, BATCH = 3, FEATURES = 2, HIDDEN = 3 };

static net small_net(size_t kind)
{
    return net_make(&net_kinds[kind].desc, FEATURES, HIDDEN, STEPS, BATCH, lengths, SEED);
}

/* ---- gradients ----------------------------------------------------------------------------- */

static long double dot(const net *n, int result, int cotangent)
{
    long double sum = 0;
    for (uint64_t i = 0; n->out[result] && n->in[cotangent] && i < net_count(n, result); i++)
        sum += (long double)n->out[result][i] * n->in[cotangent][i];
    return sum;
}

static long double loss(const net *n)
{
    net_run(n, CLNORM_FORWARD);
    return dot(n, RECURRENT_y, RECURRENT_dy) + dot(n, RECURRENT_h_n, RECURRENT_dh_n) +
           dot(n, RECURRENT_c_n, RECURRENT_dc_n);
}

static const struct {
    int input, gradient;
} pairs[] = {
    {RECURRENT_x, RECURRENT_dx},           {RECURRENT_h0, RECURRENT_dh0},
    {RECURRENT_c0, RECURRENT_dc0},         {RECURRENT_w_x, RECURRENT_dw_x},
    {RECURRENT_w_h, RECURRENT_dw_h},       {RECURRENT_weight_x, RECURRENT_dweight_x},
    {RECURRENT_bias_x, RECURRENT_dbias_x}, {RECURRENT_weight_h, RECURRENT_dweight_h},
    {RECURRENT_bias_h, RECURRENT_dbias_h}, {RECURRENT_weight, RECURRENT_dweight},
    {RECURRENT_bias, RECURRENT_dbias},     {RECURRENT_weight_c, RECURRENT_dweight_c},
    {RECURRENT_bias_c, RECURRENT_dbias_c},
};

static double difference(const net *n, int input, uint64_t i)
{
    float *const at = &n->in[input][i], before = *at;
    *at = before + (float)STEP;
    const long double above = loss(n);
    *at = before - (float)STEP;
    const long double below = loss(n);
    *at = before;
    return (double)((above - below) / (2 * STEP));
}

static void expect_gradient(const char *name, const net *n, int input, int gradient)
{
    double largest = 1e-3;
    for (uint64_t i = 0; i < net_count(n, gradient); i++)
        largest = fmax(largest, fabs(n->out[gradient][i]));
    for (uint64_t i = 0; i < net_count(n, gradient); i++) {
        const double expected = difference(n, input, i), got = n->out[gradient][i];
        if (!(fabs(got - expected) <= TOLERANCE * largest))
            fail_msg("%s: %s[%lu] is %.12g, a difference %.12g", name,
                     clnorm_recurrent_tensor_name((clnorm_recurrent_id)gradient), (unsigned long)i,
                     got, expected);
    }
}

static void expect_gradients(const char *name, const net *n)
{
    net_run(n, CLNORM_BACKWARD);
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (n->in[pairs[i].input])
            expect_gradient(name, n, pairs[i].input, pairs[i].gradient);
}

static void test_gradients(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net n = small_net(kind);
        expect_gradients(net_kinds[kind].name, &n);
        net_free(&n);
    }
}

/* Without each optional input in turn, the others still have their gradients. */
static void test_gradients_without_an_input(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (int id = 0; id < RECURRENT_COUNT; id++) {
            net n = small_net(kind);
            char name[64];
            if (n.in[id] && !net_use(&n, id).required) {
                snprintf(name, sizeof(name), "%s without %s", net_kinds[kind].name,
                         clnorm_recurrent_tensor_name((clnorm_recurrent_id)id));
                free(n.in[id]);
                n.in[id] = NULL;
                expect_gradients(name, &n);
            }
            net_free(&n);
        }
}

/* ---- what must be equal -------------------------------------------------------------------- */

static void expect_equal(const char *what, int id, const double *got, const double *expected,
                         uint64_t count, double tolerance)
{
    for (uint64_t i = 0; i < count; i++)
        if (!(fabs(got[i] - expected[i]) <= tolerance))
            fail_msg("%s: %s[%lu] is %.17g instead of %.17g", what,
                     clnorm_recurrent_tensor_name((clnorm_recurrent_id)id), (unsigned long)i,
                     got[i], expected[i]);
}

/* Every result alone, and none of the others, as all together. */
static void test_results_do_not_depend_on_what_is_wanted(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (int id = 0; id < RECURRENT_COUNT; id++) {
            net n = small_net(kind), alone = small_net(kind);
            net_run(&n, CLNORM_BACKWARD);
            for (int other = 0; other < RECURRENT_COUNT; other++)
                if (other != id) {
                    free(alone.out[other]);
                    alone.out[other] = NULL;
                }
            net_run(&alone, CLNORM_BACKWARD);
            if (n.out[id])
                expect_equal(net_kinds[kind].name, id, alone.out[id], n.out[id], net_count(&n, id),
                             0);
            net_free(&n);
            net_free(&alone);
        }
}

static void test_forward_is_part_of_backward(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net forward = small_net(kind), backward = small_net(kind);
        net_run(&forward, CLNORM_FORWARD);
        net_run(&backward, CLNORM_BACKWARD);
        for (int id = RECURRENT_y; id <= RECURRENT_c_n; id++)
            if (forward.out[id])
                expect_equal(net_kinds[kind].name, id, backward.out[id], forward.out[id],
                             net_count(&forward, id), 0);
        net_free(&forward);
        net_free(&backward);
    }
}

/* A missing weight is 1, what else is missing is 0. */
static void test_defaults(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (int id = 0; id < RECURRENT_COUNT; id++) {
            net given = small_net(kind), missing = small_net(kind);
            const bool one = strncmp(clnorm_recurrent_tensor_name((clnorm_recurrent_id)id),
                                     "weight", strlen("weight")) == 0;
            if (given.in[id] && !net_use(&given, id).required) {
                for (uint64_t i = 0; i < net_count(&given, id); i++)
                    given.in[id][i] = one;
                free(missing.in[id]);
                missing.in[id] = NULL;
                net_run(&given, CLNORM_BACKWARD);
                net_run(&missing, CLNORM_BACKWARD);
                for (int out = 0; out < RECURRENT_COUNT; out++)
                    if (given.out[out])
                        expect_equal(net_kinds[kind].name, out, missing.out[out], given.out[out],
                                     net_count(&given, out), 0);
            }
            net_free(&given);
            net_free(&missing);
        }
}

/* ---- lengths ------------------------------------------------------------------------------- */

/* Row `row` of n as a batch of its own, as long as it is. */
static net one_row(const net *n, uint64_t row)
{
    net one = net_make(&n->desc, n->desc.features, n->desc.hidden, n->lengths[row], 1, NULL, SEED);
    for (int id = 0; id < RECURRENT_COUNT; id++) {
        const clnorm_recurrent_use use = net_use(&one, id);
        const bool all = use.rows == net_use(n, id).rows; /* a parameter */
        for (uint64_t r = 0; one.in[id] && r < use.rows; r++)
            memcpy(one.in[id] + r * use.cols, n->in[id] + (all ? r : r * n->batch + row) * use.cols,
                   use.cols * sizeof(float));
    }
    return one;
}

static void expect_row(const char *name, const net *n, uint64_t row, const net *one, int id,
                       double *sums)
{
    const clnorm_recurrent_use use = net_use(one, id), whole = net_use(n, id);
    for (uint64_t i = 0; id >= RECURRENT_dw_x && i < use.rows * use.cols; i++)
        sums[i] += one->out[id][i];
    for (uint64_t r = 0; id < RECURRENT_dw_x && r < use.rows; r++)
        expect_equal(name, id, n->out[id] + (r * n->batch + row) * use.cols,
                     one->out[id] + r * use.cols, use.cols, 0);
    for (uint64_t r = use.rows * n->batch + row; id < RECURRENT_dw_x && r < whole.rows;
         r += n->batch)
        for (uint64_t i = 0; i < use.cols; i++)
            if (n->out[id][r * use.cols + i] != 0)
                fail_msg("%s: %s is %g in a row that has ended", name,
                         clnorm_recurrent_tensor_name((clnorm_recurrent_id)id),
                         n->out[id][r * use.cols + i]);
}

static void expect_kept(const net *n, uint64_t row, const net *state, int result, int input)
{
    for (uint64_t i = 0; n->out[result] && state->in[input] && i < n->desc.hidden; i++)
        if (n->out[result][row * n->desc.hidden + i] != state->in[input][row * n->desc.hidden + i])
            fail_msg("a row of length 0 does not keep its state");
}

static void expect_rows(const char *name, const net *n)
{
    double *sums[RECURRENT_COUNT] = {NULL};
    for (int id = 0; id < RECURRENT_COUNT; id++)
        sums[id] = n->out[id] ? calloc(net_count(n, id), sizeof(double)) : NULL;
    for (uint64_t row = 0; row < n->batch; row++) {
        if (n->lengths[row] == 0) {
            expect_kept(n, row, n, RECURRENT_h_n, RECURRENT_h0);
            expect_kept(n, row, n, RECURRENT_c_n, RECURRENT_c0);
            expect_kept(n, row, n, RECURRENT_dh0, RECURRENT_dh_n);
            expect_kept(n, row, n, RECURRENT_dc0, RECURRENT_dc_n);
            continue;
        }
        net one = one_row(n, row);
        net_run(&one, CLNORM_BACKWARD);
        for (int id = 0; id < RECURRENT_COUNT; id++)
            if (n->out[id])
                expect_row(name, n, row, &one, id, sums[id]);
        net_free(&one);
    }
    for (int id = RECURRENT_dw_x; id < RECURRENT_COUNT; id++)
        if (n->out[id]) /* doubles were added instead of longer numbers */
            expect_equal(name, id, sums[id], n->out[id], net_count(n, id), 1e-13);
    for (int id = 0; id < RECURRENT_COUNT; id++)
        free(sums[id]);
}

static void test_rows_of_a_batch_are_alone(void **state)
{
    static const uint32_t mixed[] = {4, 1, 0, 5, 2};
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net n = net_make(&net_kinds[kind].desc, 3, 4, 5, COUNT(mixed), mixed, SEED);
        for (uint64_t i = 0; i < net_count(&n, RECURRENT_x); i++)
            if (i / 3 / COUNT(mixed) >= mixed[i / 3 % COUNT(mixed)])
                n.in[RECURRENT_x][i] = NAN; /* not used */
        net_run(&n, CLNORM_BACKWARD);
        expect_rows(net_kinds[kind].name, &n);
        net_free(&n);
    }
}

/* ---- identities ---------------------------------------------------------------------------- */

/* Ba et al., table 1: with eps 0 a norm does not see a factor of the matrix before it, nor one row
 * that is added to all of its rows. */
static void expect_invariant(const char *what, net n, net changed)
{
    net_run(&n, CLNORM_FORWARD);
    net_run(&changed, CLNORM_FORWARD);
    expect_equal(what, RECURRENT_y, changed.out[RECURRENT_y], n.out[RECURRENT_y],
                 net_count(&n, RECURRENT_y), 1e-14);
    net_free(&n);
    net_free(&changed);
}

static net changed_net(const clnorm_recurrent_desc *desc, int id, float factor, float step)
{
    net n = net_make(desc, 3, 4, 5, 2, NULL, SEED);
    const uint64_t cols = net_use(&n, id).cols;
    for (uint64_t i = 0; i < net_count(&n, id); i++)
        n.in[id][i] = n.in[id][i] * factor + (float)(i % cols) * step;
    return n;
}

static void test_invariances(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++)
        for (int id = RECURRENT_w_x; id <= RECURRENT_w_h; id++) {
            clnorm_recurrent_desc desc = net_kinds[kind].desc;
            if (!desc.norm)
                continue;
            desc.eps = 0;
            if (desc.cell != CLNORM_RNN) /* which adds before it normalizes */
                expect_invariant("scaled matrix", changed_net(&desc, id, 1, 0),
                                 changed_net(&desc, id, 4, 0));
            expect_invariant("moved matrix", changed_net(&desc, id, 1, 0),
                             changed_net(&desc, id, 1, 0.125f));
        }
}

/* The end of one half begins the other. The state is handed over as floats: so it is to the whole
 * as well, but for c of an lstm. */
static void test_halves_make_a_whole(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        const clnorm_recurrent_desc *desc = &net_kinds[kind].desc;
        net whole = net_make(desc, 3, 4, 6, 2, NULL, SEED);
        net first = net_make(desc, 3, 4, 4, 2, NULL, SEED);
        net second = net_make(desc, 3, 4, 2, 2, NULL, SEED);
        net_run(&first, CLNORM_FORWARD);
        for (uint64_t i = 0; i < 4 * 2; i++) {
            second.in[RECURRENT_h0][i] = (float)first.out[RECURRENT_h_n][i];
            if (second.in[RECURRENT_c0])
                second.in[RECURRENT_c0][i] = (float)first.out[RECURRENT_c_n][i];
        }
        memcpy(second.in[RECURRENT_x], whole.in[RECURRENT_x] + 4 * 2 * 3,
               2 * 2 * 3 * sizeof(float));
        net_run(&second, CLNORM_FORWARD);
        net_run(&whole, CLNORM_FORWARD);
        float handed[6 * 2 * 4];
        for (uint64_t i = 0; i < COUNT(handed); i++)
            handed[i] = (float)whole.out[RECURRENT_y][i];
        clnorm_recurrent_evaluation e = {.desc = whole.desc,
                                         .steps = 6,
                                         .batch = 2,
                                         .args = net_args(&whole, CLNORM_FORWARD),
                                         .given_y = handed};
        assert_int_equal(clnorm_recurrent_evaluate(&e, NULL), CLNORM_OK);
        expect_equal(net_kinds[kind].name, RECURRENT_y, second.out[RECURRENT_y],
                     whole.out[RECURRENT_y] + 4 * 2 * 4, 4 * 2,
                     desc->cell == CLNORM_LSTM ? 1e-6 : 0);
        net_free(&whole);
        net_free(&first);
        net_free(&second);
    }
}

/* Arguments far out of a float's exp: gates are 0 or 1, and nothing is NaN. */
static void test_saturated_gates(void **state)
{
    (void)state;
    for (size_t kind = 0; kind < COUNT(net_kinds); kind++) {
        net n = net_make(&net_kinds[kind].desc, 3, 4, 3, 2, NULL, SEED);
        if (n.desc.nonlinearity != CLNORM_RELU) {
            for (uint64_t i = 0; i < net_count(&n, RECURRENT_bias); i++)
                n.in[RECURRENT_bias][i] *= 1e30f;
            for (uint64_t i = 0; n.in[RECURRENT_bias_x] && i < net_count(&n, RECURRENT_bias_x); i++)
                n.in[RECURRENT_bias_x][i] *= 1e30f;
            net_run(&n, CLNORM_BACKWARD);
            for (int id = 0; id < RECURRENT_COUNT; id++)
                for (uint64_t i = 0; n.out[id] && i < net_count(&n, id); i++)
                    if (!isfinite(n.out[id][i]))
                        fail_msg("%s: %s[%lu] is %g", net_kinds[kind].name,
                                 clnorm_recurrent_tensor_name((clnorm_recurrent_id)id),
                                 (unsigned long)i, n.out[id][i]);
        }
        net_free(&n);
    }
}

/* ---- bad arguments ------------------------------------------------------------------------- */

static void expect_desc(clnorm_recurrent_desc desc, const char *text)
{
    clnorm_error error = {.text = ""};
    if (clnorm_recurrent_desc_check(&desc, &error) != CLNORM_BAD_DESC ||
        strcmp(error.text, text) != 0)
        fail_msg("'%s' instead of '%s'", error.text, text);
}

#define LSTM(...)                                                                                  \
    ((clnorm_recurrent_desc){                                                                      \
        .struct_size = sizeof(clnorm_recurrent_desc), .cell = CLNORM_LSTM, __VA_ARGS__})

static void test_bad_descriptors(void **state)
{
    clnorm_error error = {.text = ""};
    clnorm_recurrent_desc desc = CLNORM_RECURRENT_DESC_INIT;
    char text[128];
    (void)state;
    assert_int_equal(clnorm_recurrent_desc_check(NULL, &error), CLNORM_BAD_DESC);
    expect_desc(desc, "features is 0; allowed are 1 to 1048576");
    desc.features = desc.hidden = 1 << 20;
    assert_int_equal(clnorm_recurrent_desc_check(&desc, &error), CLNORM_OK);
    desc.struct_size = 3;
    snprintf(text, sizeof(text),
             "desc->struct_size is 3; allowed is %zu: use CLNORM_RECURRENT_DESC_INIT",
             sizeof(desc));
    expect_desc(desc, text);
    expect_desc(LSTM(.features = 1, .hidden = (1 << 20) + 1),
                "hidden is 1048577; allowed are 1 to 1048576");
    expect_desc(LSTM(.features = 1, .hidden = 1, .norm = 2), "norm is 2; allowed are 0 and 1");
    expect_desc(LSTM(.features = 1, .hidden = 1, .norm_gates = 1),
                "norm_gates is 1; allowed is 0, as norm is 0");
    expect_desc(LSTM(.features = 1, .hidden = 1, .nonlinearity = CLNORM_RELU),
                "nonlinearity is 1; allowed is 0, as only an rnn has a choice");
    expect_desc(LSTM(.features = 1, .hidden = 1, .eps = -1),
                "eps is -1; allowed are 0 and 1.18e-38 to 3.4e+38");
    expect_desc(LSTM(.features = 1, .hidden = 1, .eps = NAN),
                "eps is nan; allowed are 0 and 1.18e-38 to 3.4e+38");
    desc = LSTM(.features = 1, .hidden = 1);
    desc.cell = (clnorm_cell)3;
    expect_desc(desc, "cell is 3; allowed are 0 (rnn), 1 (lstm) and 2 (gru)");
    desc.cell = CLNORM_RNN;
    desc.nonlinearity = (clnorm_nonlinearity)2;
    expect_desc(desc, "nonlinearity is 2; allowed are 0 (tanh) and 1 (relu)");
    desc.nonlinearity = CLNORM_TANH;
    desc.norm = desc.norm_gates = 1;
    expect_desc(desc, "norm_gates is 1; allowed is 0, as an rnn has one gate");
}

static void expect_args(const net *n, clnorm_direction direction, uint64_t steps, uint64_t batch,
                        const clnorm_recurrent_host_args *args, const char *text)
{
    clnorm_error error = {.text = ""};
    if (clnorm_recurrent_reference(&n->desc, direction, steps, batch, args, &error) !=
            CLNORM_BAD_ARGS ||
        strcmp(error.text, text) != 0)
        fail_msg("'%s' instead of '%s'", error.text, text);
}

static void test_bad_args(void **state)
{
    net n = net_make(&net_kinds[0].desc, FEATURES, HIDDEN, STEPS, BATCH, lengths, SEED);
    static const uint32_t too_long[] = {3, 4, 0};
    const float some[4] = {0};
    double out[4];
    char text[128];
    clnorm_recurrent_host_args args = net_args(&n, CLNORM_FORWARD);
    (void)state;
    expect_args(&n, (clnorm_direction)2, STEPS, BATCH, &args,
                "direction is 2; allowed are 0 (forward) and 1 (backward)");
    expect_args(&n, CLNORM_FORWARD, 0, BATCH, &args, "steps is 0; allowed are numbers from 1");
    expect_args(&n, CLNORM_FORWARD, STEPS, 0, &args, "batch is 0; allowed are numbers from 1");
    expect_args(&n, CLNORM_FORWARD, UINT64_MAX, 3, &args,
                "steps is 18446744073709551615 and batch 3; allowed are 1099511627776 rows in all");
    expect_args(&n, CLNORM_FORWARD, (uint64_t)1 << 39, 1, &args,
                "y has 549755813888 x 3 elements with steps 549755813888 and batch 1; allowed are "
                "1099511627776 in all");
    args.lengths = too_long;
    expect_args(&n, CLNORM_FORWARD, STEPS, BATCH, &args,
                "lengths[1] is 4; allowed are 0 to steps, 3");
    args.lengths = NULL;
    args.w_h = NULL;
    expect_args(&n, CLNORM_FORWARD, STEPS, BATCH, &args,
                "w_h is NULL, and rnn with norm, forward, needs it");
    args = net_args(&n, CLNORM_FORWARD);
    args.c0 = some;
    expect_args(&n, CLNORM_FORWARD, STEPS, BATCH, &args,
                "c0 is given, but rnn with norm, forward, has no use for it: it must be NULL");
    args = net_args(&n, CLNORM_BACKWARD);
    args.c_n = out;
    expect_args(&n, CLNORM_BACKWARD, STEPS, BATCH, &args,
                "c_n is given, but rnn with norm, backward, has no use for it: it must be NULL");
    args = net_args(&n, CLNORM_FORWARD);
    args.dx = out;
    expect_args(&n, CLNORM_FORWARD, STEPS, BATCH, &args,
                "dx is given, but rnn with norm, forward, has no use for it: it must be NULL");
    args.struct_size = 1;
    snprintf(text, sizeof(text),
             "args->struct_size is 1; allowed is %zu: use CLNORM_RECURRENT_HOST_ARGS_INIT",
             sizeof(args));
    expect_args(&n, CLNORM_FORWARD, STEPS, BATCH, &args, text);
    net_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_gradients_without_an_input),
        cmocka_unit_test(test_results_do_not_depend_on_what_is_wanted),
        cmocka_unit_test(test_forward_is_part_of_backward),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_rows_of_a_batch_are_alone),
        cmocka_unit_test(test_invariances),
        cmocka_unit_test(test_halves_make_a_whole),
        cmocka_unit_test(test_saturated_gates),
        cmocka_unit_test(test_bad_descriptors),
        cmocka_unit_test(test_bad_args),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
