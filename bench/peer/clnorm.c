/* SPDX-License-Identifier: MIT */
/* The worker of clnorm and of its companions: any descriptor, through the public API, on the first
 * device that OpenCL shows. */
#include "companion.h"
#include "worker.h"

#include <clnorm/clnorm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    clnorm_context *context;
    cl_command_queue queue;
    clnorm_op *op;
    clnorm_direction direction;
    clnorm_args args;
    uint64_t rows;
    cl_mem buffers[WORKER_TENSORS]; /* as in the case */
    companion companion;
    worker_case *prepared;
} state;

static void must(clnorm_status status, const clnorm_error *error)
{
    if (status != CLNORM_OK)
        worker_fail("%s", error->text);
}

/* ---- words of the descriptor: set.FIELD=VALUE ---------------------------------------------- */

static const struct {
    const char *name;
    int value;
} names[] = {
    {"layer_norm", CLNORM_LAYER_NORM},
    {"rms_norm", CLNORM_RMS_NORM},
    {"group_norm", CLNORM_GROUP_NORM},
    {"instance_norm", CLNORM_INSTANCE_NORM},
    {"batch_norm", CLNORM_BATCH_NORM},
    {"lp_norm", CLNORM_LP_NORM},
    {"weight_norm", CLNORM_WEIGHT_NORM},
    {"mvn", CLNORM_MVN},
    {"f32", CLNORM_F32},
    {"f16", CLNORM_F16},
    {"bf16", CLNORM_BF16},
    {"i8", CLNORM_I8},
    {"residual", CLNORM_WITH_RESIDUAL},
    {"modulation", CLNORM_WITH_MODULATION},
    {"row", CLNORM_QUANT_ROW},
};

static double value_of(const worker_case *c, const worker_word *word)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].name, word->value) == 0)
            return names[i].value;
    return worker_number(c, word->key);
}

typedef enum { NUMBER, COUNT, CHOICE } field_type;

#define FIELD(name, type)                                                                          \
    {                                                                                              \
#name, offsetof(clnorm_desc, name), type                                                   \
    }
static const struct {
    const char *name;
    size_t at;
    field_type type;
} fields[] = {
    FIELD(kind, CHOICE),        FIELD(cols, COUNT),           FIELD(x_dtype, CHOICE),
    FIELD(y_dtype, CHOICE),     FIELD(param_dtype, CHOICE),   FIELD(residual_dtype, CHOICE),
    FIELD(eps, NUMBER),         FIELD(form, CHOICE),          FIELD(channels, COUNT),
    FIELD(groups, COUNT),       FIELD(layout, CHOICE),        FIELD(inputs, CHOICE),
    FIELD(rows_per_mod, COUNT), FIELD(scale_offset, NUMBER),  FIELD(act_gate, CHOICE),
    FIELD(dropout, NUMBER),     FIELD(weight_offset, NUMBER), FIELD(quant, CHOICE),
    FIELD(quant_group, COUNT),  FIELD(stats_cols, COUNT),     FIELD(p, NUMBER),
};
#undef FIELD

static void set_field(clnorm_desc *desc, const worker_case *c, const worker_word *word)
{
    const double value = value_of(c, word);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char *at = (char *)desc + fields[i].at;
        if (strcmp(fields[i].name, word->key + 4) != 0)
            continue;
        if (fields[i].type == NUMBER)
            memcpy(at, &value, sizeof(value));
        else if (fields[i].type == COUNT)
            memcpy(at, &(uint64_t){(uint64_t)value}, sizeof(uint64_t));
        else
            memcpy(at, &(int){(int)value}, sizeof(int));
        return;
    }
    worker_fail("descriptor has no '%s' that can be set here", word->key + 4);
}

static clnorm_desc desc_of(const worker_case *c)
{
    clnorm_desc desc = CLNORM_DESC_INIT;
    for (size_t i = 0; i < c->n_words; i++)
        if (strncmp(c->words[i].key, "set.", 4) == 0)
            set_field(&desc, c, &c->words[i]);
    return desc;
}

/* ---- tensors ------------------------------------------------------------------------------- */

#define ARG(name)                                                                                  \
    {                                                                                              \
#name, offsetof(clnorm_args, name)                                                         \
    }
static const struct {
    const char *name;
    size_t at;
} args_of[] = {
    ARG(y),     ARG(sum),      ARG(mean),   ARG(rstd),    ARG(qscale),
    ARG(x),     ARG(residual), ARG(weight), ARG(bias),    ARG(scale),
    ARG(shift), ARG(dy),       ARG(dx),     ARG(dweight), ARG(dbias),
};
#undef ARG

static void set_arg(const char *name, cl_mem buffer)
{
    const clnorm_tensor tensor = {buffer, 0, 0};
    for (size_t i = 0; i < sizeof(args_of) / sizeof(args_of[0]); i++)
        if (strcmp(args_of[i].name, name) == 0) {
            memcpy((char *)&state.args + args_of[i].at, &tensor, sizeof(tensor));
            return;
        }
    worker_fail("there is no tensor '%s' here", name);
}

static void make_buffers(worker_case *c)
{
    const cl_context context = clnorm_context_cl(state.context);
    state.args = (clnorm_args)CLNORM_ARGS_INIT;
    for (size_t i = 0; i < c->n_tensors; i++) {
        const worker_tensor *t = &c->tensors[i];
        const cl_mem_flags flags =
            t->output ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR;
        cl_int code;
        state.buffers[i] = clCreateBuffer(context, flags, t->bytes, t->data, &code);
        WORKER_MUST(code);
        set_arg(t->name, state.buffers[i]);
    }
}

static void read_row(const worker_tensor *t, uint64_t row, void *to)
{
    const cl_mem buffer = state.buffers[t - state.prepared->tensors];
    WORKER_MUST(clEnqueueReadBuffer(state.queue, buffer, CL_TRUE, (size_t)row * t->row_bytes,
                                    t->row_bytes, to, 0, NULL, NULL));
}

/* ---- the peer ------------------------------------------------------------------------------ */

/* With CLNORM_CACHE_DIR compiled programs are kept there. */
static void open_driver(void)
{
    const char zero = 0, *cache = getenv("CLNORM_CACHE_DIR");
    clnorm_error error;
    cl_int code;
    if (state.queue)
        return;
    must(clnorm_context_create("0", NULL, NULL, &state.context, &error), &error);
    if (cache)
        must(clnorm_context_set_cache(state.context, cache, 0, &error), &error);
    const cl_context context = clnorm_context_cl(state.context);
    state.queue =
        clCreateCommandQueue(context, clnorm_context_device(state.context)->device_id, 0, &code);
    WORKER_MUST(code);
    /* drivers put their start off until the first command */
    cl_mem buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, 1, NULL, &code);
    WORKER_MUST(code);
    WORKER_MUST(clEnqueueWriteBuffer(state.queue, buffer, CL_TRUE, 0, 1, &zero, 0, NULL, NULL));
    WORKER_MUST(clReleaseMemObject(buffer));
}

static void print_word(const char *key, const char *value)
{
    printf(" %s=", key);
    for (; *value; value++)
        putchar(*value == ' ' ? '_' : *value);
}

static void versions(void)
{
    open_driver();
    const clnorm_device *device = clnorm_context_device(state.context);
    print_word("clnorm", clnorm_version());
    print_word("platform", device->platform_name);
    print_word("version", device->version);
    print_word("driver", device->driver);
    print_word("device", device->name);
}

static const char *prepare(worker_case *c)
{
    const clnorm_desc desc = desc_of(c);
    clnorm_error error;
    open_driver();
    state.prepared = c;
    state.rows = (uint64_t)worker_number(c, "rows");
    state.direction = worker_is(c, "direction", "backward") ? CLNORM_BACKWARD : CLNORM_FORWARD;
    must(clnorm_op_create(state.context, &desc, &state.op, &error), &error);
    make_buffers(c);
    return NULL;
}

static void call_op(void)
{
    clnorm_error error;
    must((state.direction == CLNORM_BACKWARD ? clnorm_backward : clnorm_forward)(
             state.op, state.queue, state.rows, &state.args, 0, NULL, NULL, &error),
         &error);
}

static void call(const char *what)
{
    if (strcmp(what, "op") == 0) {
        call_op();
        return;
    }
    if (!state.companion.ready)
        companion_make(&state.companion, clnorm_context_cl(state.context),
                       clnorm_context_device(state.context)->device_id, state.queue, state.prepared,
                       state.buffers);
    companion_call(&state.companion, what);
}

static void finish(void) { WORKER_MUST(clFinish(state.queue)); }

static void release(worker_case *c)
{
    companion_release(&state.companion);
    for (size_t i = 0; i < c->n_tensors; i++)
        if (state.buffers[i])
            WORKER_MUST(clReleaseMemObject(state.buffers[i]));
    memset(state.buffers, 0, sizeof(state.buffers));
    clnorm_op_destroy(state.op);
    state.op = NULL;
}

int main(void)
{
    const worker_peer peer = {open_driver, versions, prepare, call, finish, read_row, release};
    const int code = worker_serve(&peer);
    if (state.queue)
        WORKER_MUST(clReleaseCommandQueue(state.queue));
    clnorm_context_destroy(state.context); /* writes the cache */
    return code;
}
