/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "companion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A work-item moves `per` vectors of 64 bytes in a row. Streams that the case does not have are
 * other ones again, and not read or written. */
static const char *const source =
    "#ifdef __has_builtin\n"
    "#if __has_builtin(__builtin_nontemporal_store)\n"
    "#define STORE_NT(to, value) __builtin_nontemporal_store(value, to)\n"
    "#endif\n"
    "#endif\n"
    "#ifndef STORE_NT\n"
    "#define STORE_NT(to, value) (*(to) = (value))\n"
    "#endif\n"
    "#define STORE(to, value) (*(to) = (value))\n"
    "#if NARROW == 4\n"
    "typedef uchar16 narrow;\n"
    "#define OUT(v) convert_uchar16(v)\n"
    "#elif NARROW == 2\n"
    "typedef ushort16 narrow;\n"
    "#define OUT(v) convert_ushort16(v)\n"
    "#else\n"
    "typedef uint16 narrow;\n"
    "#define OUT(v) (v)\n"
    "#endif\n"
    "#define MOVE(name, STORE_)                                                           \\\n"
    "__kernel void name(__global const uint16 *restrict a, __global const uint16 *restrict b, \\\n"
    "                   __global narrow *restrict y, __global narrow *restrict z,             \\\n"
    "                   ulong n, ulong per)                                                   \\\n"
    "{                                                                                        \\\n"
    "    const size_t begin = get_global_id(0) * (size_t)per;                                 \\\n"
    "    const size_t end = min(begin + (size_t)per, (size_t)n);                              \\\n"
    "    for (size_t i = begin; i < end; i++) {                                               \\\n"
    "        const uint16 v = INS == 2 ? a[i] + b[i] : a[i];                                  \\\n"
    "        STORE_(y + i, OUT(v));                                                           \\\n"
    "        if (OUTS == 2)                                                                   \\\n"
    "            STORE_(z + i, OUT(v));                                                       \\\n"
    "    }                                                                                    \\\n"
    "}\n"
    "MOVE(move_plain, STORE)\n"
    "MOVE(move_nt, STORE_NT)\n"
    "__kernel void empty(void) {}\n";

typedef struct {
    cl_mem in[2], out[2];
    size_t n_in, n_out, vectors, narrow;
} streams;

static size_t add_streams(cl_mem *to, char *list, worker_case *c, const cl_mem *buffers,
                          size_t *bytes)
{
    size_t count = 0;
    for (char *name; (name = strtok_r(list, ",", &list)) != NULL;) {
        const worker_tensor *t = worker_find(c, name);
        if (!t || count == 2)
            worker_fail("stream '%s': no tensor of the case, or a third one", name);
        to[count++] = buffers[t - c->tensors];
        *bytes = t->bytes;
    }
    if (count == 1)
        to[1] = to[0];
    return count;
}

static streams streams_of(worker_case *c, const cl_mem *buffers)
{
    streams s = {.n_in = 0};
    size_t in_bytes = 0, out_bytes = 0;
    const char *value = worker_value(c, "streams");
    char *text = strdup(value ? value : ""), *rest = text;
    char *ins = strtok_r(rest, ":", &rest);
    s.n_in = ins ? add_streams(s.in, ins, c, buffers, &in_bytes) : 0;
    s.n_out = rest ? add_streams(s.out, rest, c, buffers, &out_bytes) : 0;
    free(text);
    if (s.n_in == 0 || s.n_out == 0)
        worker_fail("streams=%s: wanted INPUTS:OUTPUTS", value ? value : "");
    s.vectors = in_bytes / 64;
    s.narrow = in_bytes / out_bytes;
    return s;
}

static void build(companion *k, cl_context context, cl_device_id device, const streams *s)
{
    static const char *const names[] = {"move_plain", "move_nt"};
    char options[96];
    cl_int code;
    cl_program program = clCreateProgramWithSource(context, 1, (const char **)&source, NULL, &code);
    WORKER_MUST(code);
    snprintf(options, sizeof(options), "-cl-std=CL1.2 -w -DINS=%zu -DOUTS=%zu -DNARROW=%zu",
             s->n_in, s->n_out, s->narrow);
    WORKER_MUST(clBuildProgram(program, 1, &device, options, NULL, NULL));
    for (size_t i = 0; i < COMPANION_KERNELS; i++) {
        k->move[i] = clCreateKernel(program, names[i], &code);
        WORKER_MUST(code);
    }
    k->empty = clCreateKernel(program, "empty", &code);
    WORKER_MUST(code);
    WORKER_MUST(clReleaseProgram(program));
}

static void launch(const companion *k, cl_kernel kernel, size_t items)
{
    WORKER_MUST(clEnqueueNDRangeKernel(k->queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL));
}

static double seconds(const companion *k, cl_kernel kernel, size_t items, int calls)
{
    double best = 1e9;
    launch(k, kernel, items); /* drivers compile on first use */
    WORKER_MUST(clFinish(k->queue));
    for (int round = 0; round < 3; round++) {
        const double begin = worker_seconds();
        for (int i = 0; i < calls; i++)
            launch(k, kernel, items);
        WORKER_MUST(clFinish(k->queue));
        const double time = worker_seconds() - begin;
        best = time < best ? time : best;
    }
    return best;
}

static void set_block(cl_kernel kernel, const streams *s, cl_ulong vectors, cl_ulong per)
{
    const cl_mem buffers[COMPANION_STREAMS] = {s->in[0], s->in[1], s->out[0], s->out[1]};
    for (cl_uint i = 0; i < COMPANION_STREAMS; i++)
        WORKER_MUST(clSetKernelArg(kernel, i, sizeof(cl_mem), &buffers[i]));
    WORKER_MUST(clSetKernelArg(kernel, COMPANION_STREAMS, sizeof(vectors), &vectors));
    WORKER_MUST(clSetKernelArg(kernel, COMPANION_STREAMS + 1, sizeof(per), &per));
}

static size_t items_of(size_t vectors, size_t per) { return (vectors + per - 1) / per; }

/* The search goes over so many vectors: enough to leave every cache. */
static void tune(companion *k, size_t i, const streams *s)
{
    static const size_t blocks[] = {1, 16, 128, 1024, 8192};
    const size_t most = (size_t)256 << 14; /* 256 MiB */
    const size_t vectors = s->vectors < most ? s->vectors : most;
    size_t best_block = blocks[0];
    double best = 1e9;
    for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++) {
        if (b > 0 && items_of(vectors, blocks[b]) < 2)
            break;
        set_block(k->move[i], s, vectors, blocks[b]);
        const double time =
            seconds(k, k->move[i], items_of(vectors, blocks[b]), vectors < 1 << 16 ? 50 : 1);
        if (time < best)
            best = time, best_block = blocks[b];
    }
    set_block(k->move[i], s, s->vectors, best_block);
    k->items[i] = items_of(s->vectors, best_block);
}

void companion_make(companion *k, cl_context context, cl_device_id device, cl_command_queue queue,
                    worker_case *c, const cl_mem *buffers)
{
    const streams s = streams_of(c, buffers);
    k->queue = queue;
    build(k, context, device, &s);
    for (size_t i = 0; i < COMPANION_KERNELS; i++)
        tune(k, i, &s);
    k->ready = true;
}

void companion_call(const companion *k, const char *what)
{
    if (strcmp(what, "empty") == 0)
        launch(k, k->empty, 1);
    else if (strcmp(what, "copy") == 0)
        launch(k, k->move[0], k->items[0]);
    else if (strcmp(what, "copy_nt") == 0)
        launch(k, k->move[1], k->items[1]);
    else
        worker_fail("what=%s: op, copy, copy_nt or empty", what);
}

void companion_release(companion *k)
{
    if (!k->ready)
        return;
    for (size_t i = 0; i < COMPANION_KERNELS; i++)
        WORKER_MUST(clReleaseKernel(k->move[i]));
    WORKER_MUST(clReleaseKernel(k->empty));
    *k = (companion){.ready = false};
}
