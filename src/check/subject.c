/* SPDX-License-Identifier: MIT */
#include "check/subject.h"

#include "base/dtype.h"
#include "base/random.h"
#include "base/sets.h"
#include "base/status.h"
#include "check/derived.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is given ------------------------------------------------------------------------- */

bool clnorm_subject_is_output(const clnorm_subject *subject)
{
    return subject->use.role == CLNORM_OUTPUT || subject->use.role == CLNORM_IN_OUT;
}

/* A result of the forward call that a backward call may be given. */
static bool is_of_forward_call(const clnorm_desc *desc, const clnorm_check_case *c,
                               clnorm_tensor_id id)
{
    return c->direction == CLNORM_BACKWARD &&
           clnorm_tensor_use_of(desc, CLNORM_BACKWARD, id, 1).role == CLNORM_INPUT &&
           clnorm_tensor_use_of(desc, CLNORM_FORWARD, id, 1).role == CLNORM_OUTPUT;
}

static bool draw_choice(const clnorm_check_case *c, const clnorm_desc *desc, clnorm_random *random,
                        bool all, bool given[TENSOR_COUNT])
{
    bool any_output = false;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use =
            clnorm_tensor_use_of(desc, c->direction, (clnorm_tensor_id)id, c->rows);
        const bool likely = clnorm_random_below(random, 4) > (use.role == CLNORM_INPUT);
        const bool wanted =
            is_of_forward_call(desc, c, (clnorm_tensor_id)id) ? c->saved : all || likely;
        given[id] = use.role != CLNORM_UNUSED && (use.required || wanted);
        any_output |= given[id] && use.role == CLNORM_OUTPUT;
    }
    return any_output &&
           clnorm_tensors_check(desc, c->direction, c->rows, given, NULL) == CLNORM_OK;
}

/* All tensors, or some that make sense together. */
static void choose(const clnorm_check_case *c, const clnorm_desc *desc, bool given[TENSOR_COUNT])
{
    enum { TRIES = 64 };
    clnorm_random random = clnorm_random_seed(c->seed, 1);
    bool all = c->all || c->input->exact_sums;
    for (int i = 0; i < TRIES; i++)
        if (draw_choice(c, desc, &random, all, given))
            return;
    draw_choice(c, desc, &random, true, given);
}

/* ---- where it is --------------------------------------------------------------------------- */

static void place(const clnorm_check_case *c, const clnorm_desc *desc, clnorm_tensor_id id,
                  clnorm_subject *s)
{
    clnorm_random random = clnorm_random_seed(c->seed, 100 + (uint64_t)id);
    const bool output = clnorm_subject_is_output(s);
    const bool dense = !s->use.has_stride ||
                       (s->use.extent == CLNORM_ROWS && clnorm_sets_of(desc, 1).needs_dense_rows);
    const uint64_t gap = !dense && clnorm_random_below(&random, 3) == 0 ? (output ? 3 : 5) : 0;
    /* nothing may rely on the alignment of more than an element */
    s->tensor.offset = (output ? CLNORM_GUARD : 0) + clnorm_random_below(&random, 3);
    s->tensor.stride = s->use.cols + gap;
    const uint64_t elements = s->tensor.offset + s->use.rows * s->tensor.stride + CLNORM_GUARD;
    s->bytes = (size_t)elements * clnorm_dtype_bytes(s->use.dtype);
}

void *clnorm_subject_begin(const clnorm_subject *subject, unsigned char *array)
{
    return array + (size_t)subject->tensor.offset * clnorm_dtype_bytes(subject->use.dtype);
}

void clnorm_subject_spread(const clnorm_subject *to, unsigned char *array, const void *from)
{
    const size_t bytes = clnorm_dtype_bytes(to->use.dtype), width = (size_t)to->use.cols * bytes;
    unsigned char *const begin = clnorm_subject_begin(to, array);
    for (uint64_t row = 0; row < to->use.rows; row++)
        memcpy(begin + (size_t)(row * to->tensor.stride) * bytes,
               (const unsigned char *)from + (size_t)row * width, width);
}

const char *clnorm_subject_stray(const clnorm_subject *s)
{
    const size_t bytes = clnorm_dtype_bytes(s->use.dtype);
    const size_t pitch = (size_t)s->tensor.stride * bytes, width = (size_t)s->use.cols * bytes;
    const size_t begin = (size_t)s->tensor.offset * bytes;
    const size_t end = begin + (s->use.rows ? (size_t)(s->use.rows - 1) * pitch + width : 0);
    for (size_t at = 0; at < s->bytes; at++) {
        const bool result = at >= begin && at < end && (at - begin) % pitch < width;
        if (!result && s->first[at] != CLNORM_POISON)
            return at < begin ? "before" : at < end ? "between rows of" : "after";
    }
    return NULL;
}

/* ---- what it holds ------------------------------------------------------------------------- */

static clnorm_status make_arrays(clnorm_subject *s, clnorm_error *error)
{
    const bool output = clnorm_subject_is_output(s);
    s->before = malloc(s->bytes);
    s->first = output ? malloc(s->bytes) : NULL;
    s->again = output ? malloc(s->bytes) : NULL;
    if (!s->before || (output && (!s->first || !s->again)))
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", s->bytes);
    memset(s->before, CLNORM_POISON, s->bytes);
    return CLNORM_OK;
}

/* All of it is written: Oclgrind loses track of a write that begins inside of a buffer. */
static clnorm_status upload(const clnorm_context *context, cl_command_queue queue,
                            clnorm_subject *s, clnorm_error *error)
{
    const cl_mem_flags access = clnorm_subject_is_output(s) ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY;
    clnorm_status status;
    cl_int code;
    s->tensor.buffer = clCreateBuffer(context->cl, access, s->bytes, NULL, &code);
    TRY(clnorm_cl_check(code, "clCreateBuffer", error));
    TRY_CL(clEnqueueWriteBuffer(queue, s->tensor.buffer, CL_TRUE, 0, s->bytes, s->before, 0, NULL,
                                NULL));
fail:
    return status;
}

static clnorm_status make_one(const clnorm_context *context, cl_command_queue queue,
                              clnorm_subject *s, const void *dense, clnorm_error *error)
{
    clnorm_status status;
    TRY(make_arrays(s, error));
    if (clnorm_role_reads(s->use.role))
        clnorm_subject_spread(s, s->before, dense);
    TRY(upload(context, queue, s, error));
fail:
    return status;
}

clnorm_status clnorm_subjects_make(const clnorm_context *context, cl_command_queue queue,
                                   const clnorm_check_case *c, const clnorm_desc *desc,
                                   clnorm_subjects *subjects, clnorm_error *error)
{
    bool given[TENSOR_COUNT];
    clnorm_status status;
    choose(c, desc, given);
    subjects->seed = c->seed * 0x9e3779b97f4a7c15u;
    subjects->first_row = c->seed % 3 ? c->seed % 1000 : ((uint64_t)1 << 32) - 3;
    TRY(clnorm_derived_fill(c, desc, given, subjects->seed, subjects->first_row, subjects->dense,
                            error));
    for (int id = 0; id < TENSOR_COUNT; id++) {
        clnorm_subject *s = &subjects->of[id];
        if (!given[id])
            continue;
        s->use = clnorm_tensor_use_of(desc, c->direction, (clnorm_tensor_id)id, c->rows);
        place(c, desc, (clnorm_tensor_id)id, s);
        TRY(make_one(context, queue, s, subjects->dense[id], error));
    }
fail:
    return status;
}

void clnorm_subjects_release(clnorm_subjects *subjects)
{
    for (int id = 0; id < TENSOR_COUNT; id++) {
        clnorm_subject *s = &subjects->of[id];
        if (s->tensor.buffer)
            clReleaseMemObject(s->tensor.buffer);
        free(s->before);
        free(s->first);
        free(s->again);
        free(subjects->dense[id]);
    }
}
