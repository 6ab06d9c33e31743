/* SPDX-License-Identifier: MIT */
#include "ops/host_arrays.h"

#include "base/kind.h"
#include "base/span.h"

/* ---- one array ----------------------------------------------------------------------------- */

/* Tensors without a stride that go with rows have the same number of elements for each. */
static void set_shape(clnorm_host_tensor *t, const clnorm_tensor_use *use, uint64_t rows,
                      uint64_t rows_per_mod)
{
    const bool of_rows = use->extent == CLNORM_ROWS && !use->has_stride;
    t->rows = of_rows ? rows : use->rows;
    t->width = of_rows ? use->cols / rows : use->cols;
    t->rows_per_row = use->extent == CLNORM_WHOLE  ? 0
                      : use->extent == CLNORM_ROWS ? 1
                                                   : rows_per_mod;
}

static clnorm_status set_stride(clnorm_host_tensor *t, uint64_t stride, clnorm_error *error)
{
    t->stride = t->width;
    if (!t->has_stride || stride == 0)
        return CLNORM_OK;
    if (stride < t->width)
        return clnorm_fail(
            error, CLNORM_BAD_ARGS, "%s.stride is %llu: rows of %llu elements would overlap",
            clnorm_tensor_name(t->id), (unsigned long long)stride, (unsigned long long)t->width);
    if (t->rows > 1)
        t->stride = stride;
    return CLNORM_OK;
}

static clnorm_status find(const clnorm_op *op, clnorm_direction direction, clnorm_tensor_id id,
                          uint64_t rows, clnorm_output array, clnorm_host_tensor *t,
                          clnorm_error *error)
{
    const clnorm_tensor_use use = clnorm_tensor_use_of(&op->desc, direction, id, rows);
    *t = (clnorm_host_tensor){.id = id,
                              .role = use.role,
                              .extent = use.extent,
                              .has_stride = use.has_stride,
                              .data = array.data,
                              .element = clnorm_dtype_bytes(use.dtype),
                              .same = -1};
    set_shape(t, &use, rows, op->desc.rows_per_mod);
    if ((uintptr_t)t->data % t->element)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is at %p, not aligned to %s",
                           clnorm_tensor_name(id), (void *)t->data, clnorm_dtype_name(use.dtype));
    return set_stride(t, array.stride, error);
}

static clnorm_status make_span(const clnorm_host_tensor *t, clnorm_span *span, clnorm_error *error)
{
    if (clnorm_span_make((uintptr_t)t->data, t->rows, t->width, t->stride, t->element, span))
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_BAD_ARGS, "%s: %llu rows of %llu elements exceed 64 bits",
                       clnorm_tensor_name(t->id), (unsigned long long)t->rows,
                       (unsigned long long)t->stride);
}

/* ---- two arrays ---------------------------------------------------------------------------- */

static bool same_place(const clnorm_op *op, clnorm_direction direction, const clnorm_host_tensor *a,
                       const clnorm_host_tensor *b)
{
    const clnorm_dtype a_dtype = clnorm_tensor_use_of(&op->desc, direction, a->id, 1).dtype;
    const clnorm_dtype b_dtype = clnorm_tensor_use_of(&op->desc, direction, b->id, 1).dtype;
    return a->data == b->data && a->stride == b->stride && a->rows == b->rows &&
           a->width == b->width && a_dtype == b_dtype;
}

static clnorm_status check_pair(clnorm_direction direction, const clnorm_host_tensor *a,
                                const clnorm_host_tensor *b, bool same, clnorm_error *error)
{
    const bool a_writes = clnorm_is_output(a);
    if (!a_writes && !clnorm_is_output(b))
        return CLNORM_OK;
    const char *output = clnorm_tensor_name(a_writes ? a->id : b->id);
    const char *other = clnorm_tensor_name(a_writes ? b->id : a->id);
    const bool may = a_writes ? clnorm_may_alias(direction, a->id, b->id)
                              : clnorm_may_alias(direction, b->id, a->id);
    if (may && same)
        return CLNORM_OK;
    if (may)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s overlaps %s; it may be %s, with the same pointer, stride and dtype",
                           output, other, other);
    return clnorm_fail(error, CLNORM_BAD_ARGS, "%s overlaps %s; it must not", output, other);
}

static clnorm_status compare(const clnorm_op *op, clnorm_host_arrays *arrays,
                             const clnorm_span *spans, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (size_t i = 0; i < arrays->count; i++)
        for (size_t j = 0; j < i; j++) {
            clnorm_host_tensor *a = &arrays->tensors[i], *b = &arrays->tensors[j];
            if (spans[i].end <= spans[j].begin || spans[j].end <= spans[i].begin)
                continue;
            const bool same = same_place(op, arrays->direction, a, b);
            if (clnorm_spans_overlap(&spans[i], &spans[j]))
                TRY(check_pair(arrays->direction, a, b, same, error));
            if (same && a->same < 0)
                a->same = (int)j;
            arrays->entangled = arrays->entangled || !same;
        }
fail:
    return status;
}

/* ---- all ----------------------------------------------------------------------------------- */

static clnorm_status check_given(const clnorm_op *op, clnorm_direction direction, uint64_t rows,
                                 const clnorm_host_args *args, clnorm_error *error)
{
    bool given[TENSOR_COUNT];
    for (int id = 0; id < TENSOR_COUNT; id++)
        given[id] = clnorm_host_array(args, (clnorm_tensor_id)id).data != NULL;
    return clnorm_tensors_check(&op->desc, direction, rows, given, error);
}

clnorm_status clnorm_host_arrays_find(const clnorm_op *op, clnorm_direction direction,
                                      uint64_t rows, const clnorm_host_args *args,
                                      clnorm_host_arrays *arrays, clnorm_error *error)
{
    clnorm_span spans[TENSOR_COUNT];
    clnorm_status status;
    *arrays = (clnorm_host_arrays){.direction = direction, .rows = rows};
    TRY(check_given(op, direction, rows, args, error));
    for (int i = 0; rows > 0 && i < TENSOR_COUNT; i++) {
        const clnorm_tensor_id id = (clnorm_tensor_id)i;
        const clnorm_output array = clnorm_host_array(args, id);
        if (!array.data)
            continue;
        clnorm_host_tensor *t = &arrays->tensors[arrays->count];
        TRY(find(op, direction, id, rows, array, t, error));
        TRY(make_span(t, &spans[arrays->count++], error));
    }
    TRY(compare(op, arrays, spans, error));
fail:
    return status;
}
