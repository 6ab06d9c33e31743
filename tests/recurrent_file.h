/* SPDX-License-Identifier: MIT */
/* Recurrent nets as PyTorch computed them: tests/peers/data/recurrent.txt. A case of the file:
 *
 *   case NAME  net FIELD=VALUE...  [lengths N...]  in|out TENSOR SHAPE NUMBER...  end
 *
 * Included after cmocka.h. */
#ifndef CLNORM_TESTS_RECURRENT_FILE_H
#define CLNORM_TESTS_RECURRENT_FILE_H

#include "recurrent_net.h"
#include "words.h"

enum { MOST_ROWS = 8 };

typedef struct {
    char name[64];
    net n;
    uint32_t lengths[MOST_ROWS];
    double *expected[RECURRENT_COUNT];
} net_case;

typedef struct {
    size_t count;
    net_case cases[32];
} net_cases;

static inline void set_field(net_case *c, const words *r, const char *name, double value)
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
static inline void read_fields(net_case *c, words *r)
{
    for (words_next(r); strchr(r->word, '='); words_next(r)) {
        char *const value = strchr(r->word, '=') + 1;
        value[-1] = 0;
        set_field(c, r, r->word, words_number_of(r, value));
    }
}

static inline void read_lengths(net_case *c, words *r)
{
    if (!words_is(r, "lengths"))
        return;
    for (uint64_t i = 0; i < c->n.batch && i < MOST_ROWS; i++)
        c->lengths[i] = (uint32_t)words_number(r);
    c->n.lengths = c->lengths;
    words_next(r);
}

static inline void read_tensor(net_case *c, words *r)
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

static inline void read_case(net_case *c, words *r)
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

static inline void read_net_cases(net_cases *all, const char *path)
{
    words r = words_open(path);
    while (words_more(&r)) {
        if (all->count == COUNT(all->cases))
            words_refuse(&r, "fewer cases");
        read_case(&all->cases[all->count++], &r);
    }
    fclose(r.file);
}

static inline void net_cases_free(net_cases *all)
{
    for (size_t i = 0; i < all->count; i++) {
        net_free(&all->cases[i].n);
        for (int id = 0; id < RECURRENT_COUNT; id++)
            free(all->cases[i].expected[id]);
    }
}

#endif
