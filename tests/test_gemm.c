/* SPDX-License-Identifier: MIT */
/* Matrix products: each layout, gaps, batches, scalars, tiles that fit; by GEMM and, as a table may
 * ask for, by GEMVs; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>

#include "device.h"

#include "base/random.h"
#include "ops/gemm/clblast.h"

enum { GAP = 3, SEED = 7 };

typedef struct {
    uint64_t m, n, k, batch;
    int ta, tb;
    float alpha, beta;
    bool gaps;
    uint64_t offset; /* of all matrices: CLBlast has other kernels for 0 */
} product_case;

static const product_case cases[] = {
    {7, 19, 33, 1, 0, 0, 1, 0, false, 5},      {7, 19, 33, 1, 0, 1, 1, 0, true, 5},
    {7, 19, 33, 1, 1, 0, -2, 1, false, 5},     {7, 19, 33, 1, 1, 1, 1, 0.5f, true, 5},
    {1, 1, 1, 1, 0, 0, 1, 0, true, 5},         {130, 67, 40, 1, 0, 1, 1, 0, false, 5},
    {5, 16, 9, 6, 0, 1, 1, 0, true, 5},        {40, 16, 9, 3, 1, 0, 1, 1, false, 0},
    {4, 10, 1000, 1, 0, 0, 1, 0, false, 0},    {4, 16, 200, 1, 0, 0, 1, 0, false, 0},
    {4, 40, 50, 1, 0, 1, 1, 0, false, 0},      {4, 1000, 48, 1, 0, 1, 1, 0, false, 0},
    {64, 32, 128, 1, 1, 0, 1, 0, false, 0},    {40, 24, 4, 1, 1, 0, 1, 0, false, 0},
    {128, 128, 128, 2, 0, 0, 1, 0, false, 64}, {64, 64, 64, 2, 1, 1, 1, 1, false, 5},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/* A matrix of each product in one buffer, with NaN in its gaps. */
typedef struct {
    uint64_t rows, cols, stride, step, offset, elements;
    float *data;
    cl_mem mem;
} stored;

static stored make(const fixture *f, const product_case *c, uint64_t rows, uint64_t cols,
                   uint64_t number)
{
    stored s = {
        .rows = rows, .cols = cols, .stride = cols + (c->gaps ? GAP : 0), .offset = c->offset};
    clnorm_random random = clnorm_random_seed(SEED, number);
    s.step = rows * s.stride;
    s.elements = s.offset + c->batch * s.step;
    s.data = malloc(s.elements * sizeof(float));
    for (uint64_t i = 0; i < s.elements; i++)
        s.data[i] = NAN;
    for (uint64_t i = 0; i < c->batch * rows * cols; i++)
        s.data[s.offset + i / cols * s.stride + i % cols] = (float)clnorm_random_normal(&random);
    s.mem = buffer_of(f, CL_MEM_READ_WRITE, s.elements * sizeof(float), s.data);
    return s;
}

static double at(const stored *s, uint64_t product, uint64_t row, uint64_t col, int transposed)
{
    const uint64_t r = transposed ? col : row, c = transposed ? row : col;
    return (double)s->data[s->offset + product * s->step + r * s->stride + c];
}

/* Products are summed in any order, then scaled and added: at most k + 4 roundings of each term. */
static void compare(const product_case *c, const stored *a, const stored *b, const stored *old,
                    const stored *got)
{
    for (uint64_t i = 0; i < c->batch * c->m * c->n; i++) {
        const uint64_t p = i / (c->m * c->n), row = i / c->n % c->m, col = i % c->n;
        double sum = 0, magnitude = 0;
        for (uint64_t k = 0; k < c->k; k++) {
            const double term = at(a, p, row, k, c->ta) * at(b, p, k, col, c->tb);
            sum += term;
            magnitude += fabs(term);
        }
        double wanted = (double)c->alpha * sum;
        magnitude *= fabs((double)c->alpha);
        if (c->beta != 0) {
            wanted += (double)c->beta * at(old, p, row, col, 0);
            magnitude += fabs((double)c->beta * at(old, p, row, col, 0));
        }
        const double is = at(got, p, row, col, 0);
        const double bound = (double)(c->k + 4) * (double)FLT_EPSILON / 2 * magnitude;
        if (!(fabs(is - wanted) <= bound))
            fail_msg("product %llu of %llux%llux%llu, transposed %d %d, element %llu, %llu: is "
                     "%.9g, must be %.9g within %.3g (seed %d)",
                     (unsigned long long)p, (unsigned long long)c->m, (unsigned long long)c->n,
                     (unsigned long long)c->k, c->ta, c->tb, (unsigned long long)row,
                     (unsigned long long)col, is, wanted, bound, SEED);
    }
}

static clnorm_tensor tensor_of(const stored *s)
{
    return (clnorm_tensor){s->mem, s->offset, s->stride == s->cols ? 0 : s->stride};
}

static clnorm_gemm_args args_of(const product_case *c, const stored *a, const stored *b,
                                const stored *to)
{
    clnorm_gemm_args args = CLNORM_GEMM_ARGS_INIT;
    args.m = c->m, args.n = c->n, args.k = c->k, args.batch = c->batch;
    args.a_transposed = c->ta, args.b_transposed = c->tb;
    args.alpha = c->alpha, args.beta = c->beta;
    args.a = tensor_of(a), args.b = tensor_of(b), args.c = tensor_of(to);
    args.a_step = a->step, args.b_step = b->step, args.c_step = to->step;
    return args;
}

static void check_gaps(const stored *old, const stored *got)
{
    for (uint64_t i = 0; i < got->elements; i++) {
        const bool inside = i >= got->offset && (i - got->offset) % got->stride < got->cols;
        if (!inside && memcmp(&old->data[i], &got->data[i], sizeof(float)) != 0)
            fail_msg("element %llu of c's buffer is outside of c, and was written",
                     (unsigned long long)i);
    }
}

static void multiply_case(const fixture *f, cl_command_queue queue, const product_case *c)
{
    stored a = make(f, c, c->ta ? c->k : c->m, c->ta ? c->m : c->k, 1);
    stored b = make(f, c, c->tb ? c->n : c->k, c->tb ? c->k : c->n, 2);
    stored old = make(f, c, c->m, c->n, 3), got = old;
    clnorm_gemm_args args = args_of(c, &a, &b, &old);
    cl_event event = NULL, written = after_writes(f);
    MUST(clnorm_gemm(f->context, queue, &args, 1, &written, &event, error));
    got.data = malloc(got.elements * sizeof(float));
    MUST(clEnqueueReadBuffer(queue, old.mem, CL_TRUE, 0, got.elements * sizeof(float), got.data, 1,
                             &event, NULL));
    compare(c, &a, &b, &old, &got);
    check_gaps(&old, &got);
    clReleaseEvent(event);
    clReleaseEvent(written);
    free(got.data);
    stored *const all[] = {&a, &b, &old};
    for (int i = 0; i < 3; i++) {
        clReleaseMemObject(all[i]->mem);
        free(all[i]->data);
    }
}

static void multiply_all(const fixture *f, cl_command_queue queue)
{
    for (int i = 0; i < CASES; i++)
        multiply_case(f, queue, &cases[i]);
}

static void test_layouts(void **state)
{
    const fixture *f = *state;
    multiply_all(f, f->queue);
}

static void test_out_of_order(void **state)
{
    const fixture *f = *state;
    cl_command_queue queue = out_of_order_queue(f);
    if (!queue)
        skip();
    multiply_all(f, queue);
    clReleaseCommandQueue(queue);
}

/* With beta 0, c holds NaN before: CLBlast's GEMV would keep it. The last test that multiplies: the
 * parameters stay. */
static void test_table_of_gemvs(void **state)
{
    const fixture *f = *state;
    MUST(clnorm_tuning_table_add(
        &f->context->tuning,
        "gemm=\"KWG=4 KWI=2 MDIMA=1 MDIMC=1 MWG=8 NDIMB=1 NDIMC=1 NWG=8 SA=0 "
        "SB=0 STRM=0 STRN=0 VWM=8 VWN=8 GEMMK=0 KREG=1\" "
        "gemv=\"VW2=2 WGS2=2 WPT2=4\" gemv_t=\"VW3=2 WGS3=4 WPT3=2\" "
        "gemv_rows=8 gemv_rows_t=7 min_indirect=2",
        error));
    multiply_all(f, f->queue);
    assert_int_equal(f->context->gemv_rows[0], 8);
    assert_int_equal(f->context->gemv_rows[1], 7);
}

static void test_refused(void **state)
{
    const fixture *f = *state;
    const product_case c = {4, 6, 8, 2, 0, 0, 1, 0, false, 5};
    stored a = make(f, &c, 4, 8, 1), b = make(f, &c, 8, 6, 2), to = make(f, &c, 4, 6, 3);
    const clnorm_gemm_args good = args_of(&c, &a, &b, &to);
    clnorm_gemm_args bad;
#define REFUSED(change, word, other)                                                               \
    do {                                                                                           \
        bad = good;                                                                                \
        change;                                                                                    \
        EXPECT_ERROR(clnorm_gemm(f->context, f->queue, &bad, 0, NULL, NULL, error),                \
                     CLNORM_BAD_ARGS, word, other);                                                \
    } while (0)
    REFUSED(bad.m = 0, "m is 0", "1 to 2147483647");
    REFUSED(bad.k = (uint64_t)1 << 31, "k is 2147483648", "1 to 2147483647");
    REFUSED(bad.batch = 0, "batch is 0", "1 to 1048576");
    REFUSED(bad.struct_size = 8, "struct_size is 8", "CLNORM_GEMM_ARGS_INIT");
    REFUSED(bad.b.buffer = NULL, "b.buffer is NULL", "");
    REFUSED(bad.a.stride = 7, "a.stride is 7", "overlap");
    REFUSED(bad.c_step = 5, "c_step is 5", "6 and more");
    REFUSED(bad.c_step = 25, "c: 4 rows of 6 f32", "do not fit");
    REFUSED(bad.b_step = UINT64_MAX, "b_step is", "too large");
    REFUSED(bad.c.buffer = a.mem, "c (bytes", "overlaps a");
    REFUSED(bad.n = 7, "b: 8 rows of 7 f32", "do not fit");
    EXPECT_ERROR(clnorm_gemm(NULL, f->queue, &good, 0, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "context is NULL", "");
    EXPECT_ERROR(clnorm_gemm(f->context, NULL, &good, 0, NULL, NULL, error), CLNORM_BAD_ARGS,
                 "queue", "NULL");
    stored *const all[] = {&a, &b, &to};
    for (int i = 0; i < 3; i++) {
        clReleaseMemObject(all[i]->mem);
        free(all[i]->data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layouts, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_out_of_order, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_table_of_gemvs, fixture_open, fixture_close),
        cmocka_unit_test_setup_teardown(test_refused, fixture_open, fixture_close),
    };
    if (clnorm_clblast_check(NULL) != CLNORM_OK) {
        puts("this library was built without CLBlast");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
