/* SPDX-License-Identifier: MIT */
/* The reference of recurrent nets against what PyTorch computed, in either direction:
 * test_recurrent_peers tests/peers/data/recurrent.txt. A case of the file:
 *
 *   case NAME  net FIELD=VALUE...  [lengths N...]  in|out TENSOR SHAPE NUMBER...  end */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "recurrent_net.h"
#include "words.h"

/* Both calculate in double or more: some units of it, times what a few steps make of them. */
#define TOLERANCE 1e-12

enum { MOST_ROWS = 8 };

typedef struct {
    char name[64];
    net n;
    uint32_t lengths[MOST_ROWS];
    double *expected[RECURRENT_COUNT];
} net_case;

/* ---- the file ------------------------------------------------------------------------------ */

static void set_field(net_case *c, const words *r, const char *name, double value)
{
    const struct {
        const char *name;
        int *number;
        uint64_t *size;
    } fields[] = {
        {"norm", &c->n.desc.norm, NULL},
        {"norm_gates", &c->n.desc.norm_gates, NULL},
        {"features", NULL, &c->n.desc.features},
        {"hidden", NULL, &c->n.desc.hidden},
        {"steps", NULL, &c->n.steps},
        {"batch", NULL, &c->n.batch},
    };
    size_t i = 0;
    while (i < COUNT(fields) && strcmp(fields[i].name, name) != 0)
        i++;
    if (strcmp(name, "cell") == 0)
        c->n.desc.cell = (clnorm_cell)value;
    else if (strcmp(name, "nonlinearity") == 0)
        c->n.desc.nonlinearity = (clnorm_nonlinearity)value;
    else if (strcmp(name, "eps") == 0)
        c->n.desc.eps = value;
    else if (i == COUNT(fields))
        words_refuse(r, "a field of a net");
    else if (fields[i].number)
        *fields[i].number = (int)value;
    else
        *fields[i].size = (uint64_t)value;
}

/* The words FIELD=VALUE; ends after the next word. */
static void read_fields(net_case *c, words *r)
{
    for (words_next(r); strchr(r->word, '='); words_next(r)) {
        char *const value = strchr(r->word, '=') + 1;
        value[-1] = 0;
        set_field(c, r, r->word, words_number_of(r, value));
    }
}

static void read_lengths(net_case *c, words *r)
{
    if (!words_is(r, "lengths"))
        return;
    for (uint64_t i = 0; i < c->n.batch && i < MOST_ROWS; i++)
        c->lengths[i] = (uint32_t)words_number(r);
    c->n.lengths = c->lengths;
    words_next(r);
}

static void read_tensor(net_case *c, words *r)
{
    const bool output = words_is(r, "out");
    int id = 0;
    words_next(r);
    while (id < RECURRENT_COUNT &&
           !words_is(r, clnorm_recurrent_tensor_name((clnorm_recurrent_id)id)))
        id++;
    if (id == RECURRENT_COUNT)
        words_refuse(r, "a tensor");
    words_next(r);
    const uint64_t count = words_elements(r);
    if (count != net_count(&c->n, id))
        words_refuse(r, "the shape of the tensor");
    c->n.in[id] = output ? NULL : calloc(count, sizeof(float));
    c->n.out[id] = output ? calloc(count, sizeof(double)) : NULL;
    c->expected[id] = output ? calloc(count, sizeof(double)) : NULL;
    for (uint64_t i = 0; i < count; i++) {
        const double value = words_number(r);
        if (output)
            c->expected[id][i] = value;
        else
            c->n.in[id][i] = (float)value;
    }
}

static void read_case(net_case *c, words *r)
{
    *c = (net_case){.n.desc.struct_size = sizeof(clnorm_recurrent_desc)};
    if (!words_is(r, "case"))
        words_refuse(r, "case");
    snprintf(c->name, sizeof(c->name), "%.63s", words_next(r));
    if (words_next(r), !words_is(r, "net"))
        words_refuse(r, "net");
    read_fields(c, r);
    read_lengths(c, r);
    for (; !words_is(r, "end"); words_next(r)) {
        if (!words_is(r, "in") && !words_is(r, "out"))
            words_refuse(r, "in, out or end");
        read_tensor(c, r);
    }
}

/* ---- comparison ---------------------------------------------------------------------------- */

static double largest_error;

static void expect_tensor(const net_case *c, int id)
{
    double largest = 1;
    for (uint64_t i = 0; i < net_count(&c->n, id); i++)
        largest = fmax(largest, fabs(c->expected[id][i]));
    for (uint64_t i = 0; i < net_count(&c->n, id); i++) {
        const double error = fabs(c->n.out[id][i] - c->expected[id][i]) / largest;
        if (!(error <= TOLERANCE))
            fail_msg("%s: %s[%lu] is %.17g, of PyTorch %.17g", c->name,
                     clnorm_recurrent_tensor_name((clnorm_recurrent_id)id), (unsigned long)i,
                     c->n.out[id][i], c->expected[id][i]);
        largest_error = fmax(largest_error, error);
    }
}

static void test_case(void **state)
{
    const net_case *c = *state;
    net_run(&c->n, CLNORM_BACKWARD);
    for (int id = 0; id < RECURRENT_COUNT; id++)
        if (c->expected[id])
            expect_tensor(c, id);
}

static struct {
    size_t count;
    net_case cases[32];
} all;

/* A file that is cut short must not pass as success. */
static void test_every_cell_has_a_peer(void **state)
{
    unsigned found[CLNORM_GRU + 1][2] = {{0}};
    (void)state;
    for (size_t i = 0; i < all.count; i++)
        found[all.cases[i].n.desc.cell][all.cases[i].n.desc.norm]++;
    for (int cell = 0; cell <= CLNORM_GRU; cell++)
        if (!found[cell][0] || !found[cell][1])
            fail_msg("%s has %u cases without and %u with norm",
                     clnorm_recurrent_cell_name((clnorm_cell)cell), found[cell][0], found[cell][1]);
}

static void read_all(const char *path)
{
    words r = words_open(path);
    while (words_more(&r)) {
        if (all.count == COUNT(all.cases))
            words_refuse(&r, "fewer cases");
        read_case(&all.cases[all.count++], &r);
    }
    fclose(r.file);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[COUNT(all.cases) + 1] = {cmocka_unit_test(test_every_cell_has_a_peer)};
    for (int i = 1; i < argc; i++)
        read_all(argv[i]);
    for (size_t i = 0; i < all.count; i++)
        tests[i + 1] = (struct CMUnitTest){
            .name = all.cases[i].name, .test_func = test_case, .initial_state = &all.cases[i]};
    const int failed = _cmocka_run_group_tests("recurrent peers", tests, all.count + 1, NULL, NULL);
    printf("largest error: %.3g of the largest of its tensor\n", largest_error);
    for (size_t i = 0; i < all.count; i++) {
        net_free(&all.cases[i].n);
        for (int id = 0; id < RECURRENT_COUNT; id++)
            free(all.cases[i].expected[id]);
    }
    return failed;
}
