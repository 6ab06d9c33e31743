/* SPDX-License-Identifier: MIT */
#include "peers_file.h"

#include "words.h"

#include "base/dtype.h"
#include "base/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static clnorm_dtype dtype_named(const words *r, const char *name)
{
    clnorm_dtype dtype = CLNORM_F32;
    if (!clnorm_dtype_parse(name, &dtype))
        words_refuse(r, "a dtype");
    return dtype;
}

static clnorm_kind kind_named(const words *r, const char *name)
{
    int kind = 0;
    while (clnorm_kind_find((clnorm_kind)kind) &&
           strcmp(clnorm_kind_name((clnorm_kind)kind), name) != 0)
        kind++;
    if (!clnorm_kind_find((clnorm_kind)kind))
        words_refuse(r, "an operator");
    return (clnorm_kind)kind;
}

/* ---- cases --------------------------------------------------------------------------------- */

typedef enum { KIND, DTYPE, WORD32, WORD64, DOUBLE } field_type;

#define FIELD(name, type)                                                                          \
    {                                                                                              \
#name, offsetof(clnorm_desc, name), type                                                   \
    }

static const struct {
    const char *name;
    size_t place;
    field_type type;
} fields[] = {
    FIELD(kind, KIND),
    FIELD(cols, WORD64),
    FIELD(x_dtype, DTYPE),
    FIELD(y_dtype, DTYPE),
    FIELD(param_dtype, DTYPE),
    FIELD(residual_dtype, DTYPE),
    FIELD(eps, DOUBLE),
    FIELD(channels, WORD64),
    FIELD(groups, WORD64),
    FIELD(layout, WORD32),
    FIELD(eps_mode, WORD32),
    FIELD(ddof, WORD32),
    FIELD(stats_cols, WORD64),
    FIELD(p, DOUBLE),
    FIELD(center_only, WORD32),
    FIELD(weight_offset, DOUBLE),
    FIELD(cast, WORD32),
    FIELD(stats, WORD32),
    FIELD(inputs, WORD32),
    FIELD(alpha, DOUBLE),
    FIELD(contract, WORD32),
    FIELD(rows_per_mod, WORD64),
    FIELD(scale_offset, DOUBLE),
    FIELD(act_gate, WORD32),
    FIELD(momentum, DOUBLE),
    FIELD(running_biased, WORD32),
    FIELD(quant, WORD32),
    FIELD(quant_group, WORD64),
    FIELD(quant_asymmetric, WORD32),
    FIELD(backward, WORD32),
};

static void set_field(const words *r, void *place, field_type type, const char *text)
{
    const double value = type > DTYPE ? words_number_of(r, text) : 0;
    const uint64_t whole = type == WORD32 || type == WORD64 ? (uint64_t)value : 0;
    const uint32_t word32 = type == KIND    ? (uint32_t)kind_named(r, text)
                            : type == DTYPE ? (uint32_t)dtype_named(r, text)
                                            : (uint32_t)whole;
    if (type == DOUBLE)
        memcpy(place, &value, sizeof(value));
    else if (type == WORD64)
        memcpy(place, &whole, sizeof(whole));
    else
        memcpy(place, &word32, sizeof(word32));
}

/* The words FIELD=VALUE; ends after the next word. */
static void read_desc(words *r, clnorm_desc *desc)
{
    for (words_next(r); strchr(r->word, '='); words_next(r)) {
        char *const value = strchr(r->word, '=') + 1;
        size_t i = 0;
        value[-1] = 0;
        while (i < sizeof(fields) / sizeof(fields[0]) && !words_is(r, fields[i].name))
            i++;
        if (i == sizeof(fields) / sizeof(fields[0]))
            words_refuse(r, "a field of clnorm_desc");
        set_field(r, (char *)desc + fields[i].place, fields[i].type, value);
    }
}

static void read_tensor(words *r, peer_case *peer, peer_part part)
{
    peer_tensor *t = &peer->tensors[peer->count++];
    if (peer->count > PEER_TENSORS)
        words_refuse(r, "fewer tensors");
    t->part = part;
    t->output = words_is(r, "out");
    words_next(r);
    t->id = clnorm_tensor_find(r->word);
    if (t->id == TENSOR_COUNT)
        words_refuse(r, "a tensor");
    words_next(r);
    t->dtype = dtype_named(r, r->word);
    words_next(r);
    t->count = words_elements(r);
    t->values = calloc(t->count, sizeof(double));
    for (uint64_t i = 0; t->values && i < t->count; i++)
        t->values[i] = words_number(r);
}

static peer_case read_case(words *r)
{
    peer_case peer = {.desc = CLNORM_DESC_INIT};
    peer_part part = PEER_BOTH;
    words_next(r);
    snprintf(peer.name, sizeof(peer.name), "%.63s", r->word);
    if (words_next(r), !words_is(r, "desc"))
        words_refuse(r, "desc");
    read_desc(r, &peer.desc);
    peer.rows = (uint64_t)words_number(r);
    if (words_next(r), !words_is(r, "unit"))
        words_refuse(r, "unit");
    peer.unit = words_number(r);
    for (words_next(r); !words_is(r, "end"); words_next(r)) {
        if (words_is(r, "forward"))
            part = PEER_FORWARD;
        else if (words_is(r, "backward"))
            part = PEER_BACKWARD;
        else if (words_is(r, "in") || words_is(r, "out"))
            read_tensor(r, &peer, part);
        else
            words_refuse(r, "forward, backward, in, out or end");
    }
    return peer;
}

void peers_read(peer_cases *all, const char *path)
{
    words r = words_open(path);
    while (words_more(&r)) {
        if (!words_is(&r, "case"))
            words_refuse(&r, "case");
        all->cases = realloc(all->cases, (all->count + 1) * sizeof(*all->cases));
        if (!all->cases)
            abort();
        all->cases[all->count++] = read_case(&r);
    }
    fclose(r.file);
}

void peers_free(peer_cases *all)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t t = 0; t < all->cases[i].count; t++)
            free(all->cases[i].tensors[t].values);
    free(all->cases);
}
