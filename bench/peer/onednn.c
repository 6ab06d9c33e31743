/* SPDX-License-Identifier: MIT */
/* The worker of oneDNN's own layer normalization, of version 2 and of version 3, whose C APIs
 * differ: it is compiled once with the headers of each. Scale and shift are f32. */
#define _POSIX_C_SOURCE 200809L
#include "worker.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_3 (DNNL_VERSION_MAJOR >= 3)

enum { MOST_ARGS = WORKER_TENSORS };

static struct {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[MOST_ARGS];
    int n_args;
    float *variance;

} state;

/* ---- descriptors --------------------------------------------------------------------------- */

#if VERSION_3
typedef dnnl_memory_desc_t layout;
#define REF(md) (md)
#else
typedef dnnl_memory_desc_t layout;
#define REF(md) (&(md))
#endif

static dnnl_data_type_t type_of(const char *dtype)
{
    return strcmp(dtype, "f32") == 0 ? dnnl_f32 : strcmp(dtype, "f16") == 0 ? dnnl_f16 : dnnl_bf16;
}

static layout layout_of(int n_dims, const dnnl_dims_t dims, const char *dtype)
{
    const dnnl_format_tag_t tag = n_dims == 2 ? dnnl_ab : dnnl_a;
    layout md;
#if VERSION_3
    WORKER_MUST(dnnl_memory_desc_create_with_tag(&md, n_dims, dims, type_of(dtype), tag));
#else
    WORKER_MUST(dnnl_memory_desc_init_by_tag(&md, n_dims, dims, type_of(dtype), tag));
#endif
    return md;
}

static void drop(layout md)
{
#if VERSION_3
    WORKER_MUST(dnnl_memory_desc_destroy(md));
#else
    (void)md;
#endif
}

static unsigned flags_of(const worker_case *c)
{
    unsigned flags = dnnl_use_scale;
#if VERSION_3
    if (worker_is(c, "op", "rms_norm"))
        flags |= dnnl_rms_norm;
#endif
    if (worker_is(c, "op", "layer_norm"))
        flags |= dnnl_use_shift;
    return flags;
}

typedef struct {
    layout data, stats, params;
    float eps;
    unsigned flags;
} problem;

#if VERSION_3
static dnnl_status_t forward_pd(dnnl_primitive_desc_t *pd, const problem *p, bool training)
{
    return dnnl_layer_normalization_forward_primitive_desc_create(
        pd, state.engine, training ? dnnl_forward_training : dnnl_forward_inference, p->data,
        p->data, p->stats, p->eps, p->flags, NULL);
}

static dnnl_status_t backward_pd(dnnl_primitive_desc_t *pd, const problem *p,
                                 dnnl_primitive_desc_t hint)
{
    return dnnl_layer_normalization_backward_primitive_desc_create(
        pd, state.engine, dnnl_backward, p->data, p->data, p->data, p->stats, p->eps, p->flags,
        hint, NULL);
}
#else
static dnnl_status_t forward_pd(dnnl_primitive_desc_t *pd, const problem *p, bool training)
{
    dnnl_layer_normalization_desc_t desc;
    const dnnl_status_t status = dnnl_layer_normalization_forward_desc_init(
        &desc, training ? dnnl_forward_training : dnnl_forward_inference, &p->data, &p->stats,
        p->eps, p->flags);
    return status ? status : dnnl_primitive_desc_create(pd, &desc, NULL, state.engine, NULL);
}

static dnnl_status_t backward_pd(dnnl_primitive_desc_t *pd, const problem *p,
                                 dnnl_primitive_desc_t hint)
{
    dnnl_layer_normalization_desc_t desc;
    const dnnl_status_t status = dnnl_layer_normalization_backward_desc_init(
        &desc, dnnl_backward, &p->data, &p->data, &p->stats, p->eps, p->flags);
    return status ? status : dnnl_primitive_desc_create(pd, &desc, NULL, state.engine, hint);
}
#endif

static dnnl_status_t make_pd(dnnl_primitive_desc_t *pd, const problem *p, bool backward)
{
    dnnl_primitive_desc_t hint;
    dnnl_status_t status = forward_pd(backward ? &hint : pd, p, backward);
    if (status || !backward)
        return status;
    status = backward_pd(pd, p, hint);
    WORKER_MUST(dnnl_primitive_desc_destroy(hint));
    return status;
}

/* ---- memory -------------------------------------------------------------------------------- */

typedef enum { FULL, STATS, PARAMS } shape;

typedef struct {
    const char *name;
    int arg;
    shape shape;
} argument;

static const argument arguments[] = {
    {"x", DNNL_ARG_SRC, FULL},
    {"y", DNNL_ARG_DST, FULL},
    {"dy", DNNL_ARG_DIFF_DST, FULL},
    {"dx", DNNL_ARG_DIFF_SRC, FULL},
    {"mean", DNNL_ARG_MEAN, STATS},
    {"rstd", DNNL_ARG_VARIANCE, STATS},
    {"weight", DNNL_ARG_SCALE, PARAMS},
    {"bias", DNNL_ARG_SHIFT, PARAMS},
    {"dweight", DNNL_ARG_DIFF_SCALE, PARAMS},
    {"dbias", DNNL_ARG_DIFF_SHIFT, PARAMS},
};

static const argument *argument_of(const char *name)
{
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++)
        if (strcmp(arguments[i].name, name) == 0)
            return &arguments[i];
    worker_fail("there is no tensor '%s' here", name);
}

/* oneDNN takes the variance where others take rstd = 1 / sqrt(variance + eps). */
static float *variance_of(const worker_tensor *rstd, double eps)
{
    const float *from = rstd->data;
    float *variance = malloc(rstd->bytes);
    if (!variance)
        worker_fail("no memory for the variances");
    for (uint64_t i = 0; i < rstd->cols; i++)
        variance[i] = (float)(1.0 / ((double)from[i] * from[i]) - eps);
    return variance;
}

static void *output_memory(worker_tensor *t)
{
    t->data = aligned_alloc(4096, (t->bytes + 4095) / 4096 * 4096);
    if (!t->data)
        worker_fail("no memory for %zu bytes", t->bytes);
    memset(t->data, 0, t->bytes);
    return t->data;
}

static void add_arg(worker_tensor *t, const problem *p, double eps)
{
    const argument *known = argument_of(t->name);
    const layout *layouts[] = {[FULL] = &p->data, [STATS] = &p->stats, [PARAMS] = &p->params};
    dnnl_exec_arg_t *arg = &state.args[state.n_args++];
    void *data = t->output ? output_memory(t) : t->data;
    if (known->arg == DNNL_ARG_VARIANCE)
        data = state.variance = variance_of(t, eps);
    arg->arg = known->arg;
    WORKER_MUST(dnnl_memory_create(&arg->memory, REF(*layouts[known->shape]), state.engine, data));
}

/* ---- the peer ------------------------------------------------------------------------------ */

static void open_engine(void)
{
    if (state.engine)
        return;
    WORKER_MUST(dnnl_engine_create(&state.engine, dnnl_cpu, 0));
    WORKER_MUST(dnnl_stream_create(&state.stream, state.engine, dnnl_stream_default_flags));
}

static void versions(void)
{
    const dnnl_version_t *v = dnnl_version();
    printf(" onednn=%d.%d.%d runtime=%u", v->major, v->minor, v->patch, v->cpu_runtime);
}

static const char *lacks(const worker_case *c)
{
    if (!worker_is(c, "extra", "-"))
        return "no fused form of it";
    if (!VERSION_3 && worker_is(c, "op", "rms_norm"))
        return "no RMSNorm in version 2";
    return NULL;
}

static problem problem_of(worker_case *c)
{
    const worker_tensor *x = worker_find(c, "x");
    const dnnl_dims_t data = {(dnnl_dim_t)x->rows, (dnnl_dim_t)x->cols}, stats = {data[0]},
                      params = {data[1]};
    return (problem){layout_of(2, data, x->dtype), layout_of(1, stats, "f32"),
                     layout_of(1, params, "f32"), (float)worker_number(c, "eps"), flags_of(c)};
}

static const char *prepare(worker_case *c)
{
    const bool backward = worker_is(c, "direction", "backward");
    dnnl_primitive_desc_t pd;
    if (lacks(c))
        return lacks(c);
    open_engine();
    const problem p = problem_of(c);
    const bool has = make_pd(&pd, &p, backward) == dnnl_success;
    if (has) {
        WORKER_MUST(dnnl_primitive_create(&state.primitive, pd));
        WORKER_MUST(dnnl_primitive_desc_destroy(pd));
        for (size_t i = 0; i < c->n_tensors; i++)
            add_arg(&c->tensors[i], &p, p.eps);
    }
    drop(p.data);
    drop(p.stats);
    drop(p.params);
    return has ? NULL : "no primitive for it";
}

static void call(const char *what)
{
    if (strcmp(what, "op") != 0)
        worker_fail("what=%s: only op", what);
    WORKER_MUST(dnnl_primitive_execute(state.primitive, state.stream, state.n_args, state.args));
}

static void finish(void) { WORKER_MUST(dnnl_stream_wait(state.stream)); }

static void read_row(const worker_tensor *t, uint64_t row, void *to)
{
    memcpy(to, (const char *)t->data + row * t->row_bytes, t->row_bytes);
}

static void release(worker_case *c)
{
    for (int i = 0; i < state.n_args; i++)
        WORKER_MUST(dnnl_memory_destroy(state.args[i].memory));
    state.n_args = 0;
    if (state.primitive)
        WORKER_MUST(dnnl_primitive_destroy(state.primitive));
    state.primitive = NULL;
    free(state.variance);
    state.variance = NULL;
    for (size_t i = 0; i < c->n_tensors; i++)
        if (c->tensors[i].output)
            free(c->tensors[i].data);
}

int main(void)
{
    const worker_peer peer = {open_engine, versions, prepare, call, finish, read_row, release};
    return worker_serve(&peer);
}
