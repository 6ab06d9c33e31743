/* SPDX-License-Identifier: MIT */
#include "peers_file.h"

#include "base/dtype.h"
#include "base/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words --------------------------------------------------------------------------------- */

typedef struct {
    const char *path;
    FILE *file;
    unsigned line;
    char word[128];
} reader;

static void refuse(const reader *r, const char *wanted)
{
    fprintf(stderr, "%s:%u: '%s' instead of %s\n", r->path, r->line, r->word, wanted);
    exit(1);
}

static int next_char(reader *r)
{
    const int c = getc(r->file);
    r->line += c == '\n';
    return c;
}

static bool is_space(int c) { return c == ' ' || c == '\n' || c == '\r'; }

/* false at the end of the file. */
static bool next(reader *r)
{
    size_t length = 0;
    int c = next_char(r);
    while (is_space(c) || c == '#') {
        while (c == '#' && c != EOF)
            while (c != '\n' && c != EOF)
                c = next_char(r);
        c = c == EOF ? c : next_char(r);
    }
    for (; c != EOF && !is_space(c); c = next_char(r)) {
        r->word[length++] = (char)c;
        r->word[length] = 0;
        if (length + 1 == sizeof(r->word))
            refuse(r, "a shorter word");
    }
    return length > 0;
}

static const char *word(reader *r)
{
    if (!next(r))
        refuse(r, "more words");
    return r->word;
}

static bool is(const reader *r, const char *text) { return strcmp(r->word, text) == 0; }

static double number_of(const reader *r, const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end)
        refuse(r, "a number");
    return value;
}

static double number(reader *r)
{
    const char *text = word(r);
    return number_of(r, text);
}

static clnorm_dtype dtype_named(const reader *r, const char *name)
{
    clnorm_dtype dtype = CLNORM_F32;
    if (!clnorm_dtype_parse(name, &dtype))
        refuse(r, "a dtype");
    return dtype;
}

static clnorm_kind kind_named(const reader *r, const char *name)
{
    int kind = 0;
    while (clnorm_kind_find((clnorm_kind)kind) &&
           strcmp(clnorm_kind_name((clnorm_kind)kind), name) != 0)
        kind++;
    if (!clnorm_kind_find((clnorm_kind)kind))
        refuse(r, "an operator");
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

static void set_field(const reader *r, void *place, field_type type, const char *text)
{
    const double value = type > DTYPE ? number_of(r, text) : 0;
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
static void read_desc(reader *r, clnorm_desc *desc)
{
    for (word(r); strchr(r->word, '='); word(r)) {
        char *const value = strchr(r->word, '=') + 1;
        size_t i = 0;
        value[-1] = 0;
        while (i < sizeof(fields) / sizeof(fields[0]) && !is(r, fields[i].name))
            i++;
        if (i == sizeof(fields) / sizeof(fields[0]))
            refuse(r, "a field of clnorm_desc");
        set_field(r, (char *)desc + fields[i].place, fields[i].type, value);
    }
}

static uint64_t elements(const reader *r)
{
    uint64_t count = 1;
    for (const char *at = r->word; at; at = strchr(at, 'x'), at = at ? at + 1 : at)
        count *= strtoull(at, NULL, 10);
    if (count == 0 || count > 10000)
        refuse(r, "a shape");
    return count;
}

static void read_tensor(reader *r, peer_case *peer, peer_part part)
{
    peer_tensor *t = &peer->tensors[peer->count++];
    if (peer->count > PEER_TENSORS)
        refuse(r, "fewer tensors");
    t->part = part;
    t->output = is(r, "out");
    word(r);
    t->id = clnorm_tensor_find(r->word);
    if (t->id == TENSOR_COUNT)
        refuse(r, "a tensor");
    word(r);
    t->dtype = dtype_named(r, r->word);
    word(r);
    t->count = elements(r);
    t->values = calloc(t->count, sizeof(double));
    for (uint64_t i = 0; t->values && i < t->count; i++)
        t->values[i] = number(r);
}

static peer_case read_case(reader *r)
{
    peer_case peer = {.desc = CLNORM_DESC_INIT};
    peer_part part = PEER_BOTH;
    word(r);
    snprintf(peer.name, sizeof(peer.name), "%.63s", r->word);
    if (word(r), !is(r, "desc"))
        refuse(r, "desc");
    read_desc(r, &peer.desc);
    peer.rows = (uint64_t)number(r);
    if (word(r), !is(r, "unit"))
        refuse(r, "unit");
    peer.unit = number(r);
    for (word(r); !is(r, "end"); word(r)) {
        if (is(r, "forward"))
            part = PEER_FORWARD;
        else if (is(r, "backward"))
            part = PEER_BACKWARD;
        else if (is(r, "in") || is(r, "out"))
            read_tensor(r, &peer, part);
        else
            refuse(r, "forward, backward, in, out or end");
    }
    return peer;
}

void peers_read(peer_cases *all, const char *path)
{
    reader r = {.path = path, .file = fopen(path, "r"), .line = 1};
    if (!r.file) {
        perror(path);
        exit(1);
    }
    while (next(&r)) {
        if (!is(&r, "case"))
            refuse(&r, "case");
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
