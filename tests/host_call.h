/* SPDX-License-Identifier: MIT */
/* A call of clnorm_forward_host or clnorm_backward_host with all tensors of a descriptor. After
 * cmocka.h. */
#ifndef CLNORM_TESTS_HOST_CALL_H
#define CLNORM_TESTS_HOST_CALL_H

#include "device.h"
#include "family.h"

#define SEED 11

enum { GUARD = 64, ROWS = 61, COLS = 96 };

/* Arrays that a device may use in place: whole pages. */
static inline void *pages(size_t bytes)
{
    void *data = aligned_alloc(4096, (bytes + GUARD + 4095) / 4096 * 4096);
    assert_non_null(data);
    return data;
}

typedef struct {
    family f; /* inputs */
    clnorm_op *op;
    clnorm_direction direction;
    size_t bytes[TENSOR_COUNT];
    clnorm_host_args args;
} call;

static inline call call_open(const fixture *f, const clnorm_desc *desc, clnorm_direction direction,
                             uint64_t rows)
{
    call c = {.f = family_make(desc, rows, SEED), .direction = direction};
    MUST(clnorm_op_create(f->context, desc, &c.op, error));
    c.args = (clnorm_host_args)CLNORM_HOST_ARGS_INIT;
    c.args.seed = 77;
    c.args.first_row = 5;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(&c.f, direction, id);
        c.bytes[id] = (size_t)(use.rows * use.cols) * clnorm_dtype_bytes(use.dtype);
        if (use.role == CLNORM_UNUSED || (use.role == CLNORM_INPUT && !c.f.in[id]))
            continue;
        void *data = pages(c.bytes[id]);
        if (use.role == CLNORM_INPUT)
            memcpy(data, c.f.in[id], c.bytes[id]);
        clnorm_host_array_set(&c.args, (clnorm_tensor_id)id, data, 0);
    }
    return c;
}

static inline void call_close(call *c)
{
    clnorm_op_destroy(c->op);
    for (int id = 0; id < TENSOR_COUNT; id++)
        free(clnorm_host_array(&c->args, (clnorm_tensor_id)id).data);
    family_free(&c->f);
}

static inline bool is_output(const call *c, int id)
{
    return family_use(&c->f, c->direction, id).role >= CLNORM_OUTPUT &&
           clnorm_host_array(&c->args, (clnorm_tensor_id)id).data;
}

/* As before any run: running statistics have a value, other outputs a pattern. */
static inline void prepare(const call *c)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(&c->f, c->direction, id);
        unsigned char *data = clnorm_host_array(&c->args, (clnorm_tensor_id)id).data;
        if (!is_output(c, id))
            continue;
        memset(data, 0x5a, c->bytes[id] + GUARD);
        if (use.role == CLNORM_IN_OUT)
            family_fill(&c->f, use.dtype, id, use.rows * use.cols, SEED, data);
    }
}

static inline void run(const call *c, const clnorm_host_options *options,
                       clnorm_host_report *report)
{
    prepare(c);
    if (c->direction == CLNORM_FORWARD)
        MUST(clnorm_forward_host(c->op, c->f.rows, &c->args, options, report, error));
    else
        MUST(clnorm_backward_host(c->op, c->f.rows, &c->args, options, report, error));
    for (int id = 0; id < TENSOR_COUNT; id++)
        for (size_t i = 0; is_output(c, id) && i < GUARD; i++) {
            const unsigned char *data = clnorm_host_array(&c->args, (clnorm_tensor_id)id).data;
            assert_int_equal(data[c->bytes[id] + i], 0x5a);
        }
}
static inline void prove(const call *c, const char *name)
{
    call before = *c; /* running statistics as they were */
    clnorm_verdict v = CLNORM_VERDICT_INIT;
    void *old[TENSOR_COUNT] = {NULL};
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use = family_use(&c->f, c->direction, id);
        if (use.role != CLNORM_IN_OUT || !is_output(c, id))
            continue;
        old[id] = pages(c->bytes[id]);
        family_fill(&c->f, use.dtype, id, use.rows * use.cols, SEED, old[id]);
        clnorm_host_array_set(&before.args, (clnorm_tensor_id)id, old[id], 0);
    }
    MUST(clnorm_verify(&c->f.asked, c->direction, clnorm_op_depth(c->op), c->f.rows, 0, &c->args,
                       &before.args, &v, error));
    if (v.wrong)
        fail_msg("%s: %llu wrong, seed %d: %s[%llu, %llu] is %.9g, expected %.9g +- %.3g", name,
                 (unsigned long long)v.wrong, SEED, v.worst_tensor, (unsigned long long)v.worst_row,
                 (unsigned long long)v.worst_col, v.worst_got, v.worst_expected, v.worst_bound);
    assert_true(v.compared > 0);
    for (int id = 0; id < TENSOR_COUNT; id++)
        free(old[id]);
}

static inline clnorm_desc desc_of_kind(clnorm_kind kind)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    desc.kind = kind;
    desc.cols = COLS;
    return desc;
}

static inline clnorm_desc of_channels(clnorm_kind kind, uint64_t channels, clnorm_layout layout)
{
    clnorm_desc desc = desc_of_kind(kind);
    desc.channels = channels;
    desc.layout = layout;
    return desc;
}

static inline clnorm_desc with_mods(uint64_t rows_per_mod, unsigned inputs)
{
    clnorm_desc desc = desc_of_kind(CLNORM_LAYER_NORM);
    desc.inputs = inputs;
    desc.rows_per_mod = rows_per_mod;
    desc.x_dtype = desc.y_dtype = CLNORM_F16;
    return desc;
}

static inline size_t whole_bytes(const call *c)
{
    size_t bytes = 0;
    for (int id = 0; id < TENSOR_COUNT; id++)
        if (clnorm_host_array(&c->args, (clnorm_tensor_id)id).data)
            bytes += c->bytes[id];
    return bytes;
}

#endif
