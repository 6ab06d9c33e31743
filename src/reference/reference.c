/* SPDX-License-Identifier: MIT */
#include "reference/parts.h"

#include "base/desc.h"
#include "base/dtype.h"
#include "base/span.h"
#include "base/status.h"

#include <float.h>
#include <stdlib.h>

double clnorm_reference_unit(void) { return (double)(LDBL_EPSILON / 2); }

uint64_t clnorm_result_index(const clnorm_tensor_use *use, uint64_t stride, uint64_t rows,
                             uint64_t row, uint64_t col)
{
    if (use->has_stride)
        return row * (stride ? stride : use->cols) + col;
    return use->extent == CLNORM_ROWS ? row * (use->cols / rows) + col : col;
}

/* ---- evaluation ---------------------------------------------------------------------------- */

void clnorm_evaluation_init(clnorm_evaluation *e, const clnorm_desc *desc,
                            clnorm_direction direction, uint64_t rows, const clnorm_host_args *args)
{
    const clnorm_dtype type = clnorm_stats_dtype(desc);
    *e = (clnorm_evaluation){
        .desc = *desc,
        .kind = clnorm_kind_of(desc),
        .direction = direction,
        .rows = rows,
        .seed = args->seed,
        .first_row = args->first_row,
        .wide = type == CLNORM_F64,
        .unit = clnorm_dtype_unit(type),
        .floor = type == CLNORM_F64 ? 0x1p-1074 : 0x1p-124,
        .eps = clnorm_dtype_round(type, desc->eps),
        .alpha = clnorm_dtype_round(type, desc->alpha),
        .weight_offset = clnorm_dtype_round(type, desc->weight_offset),
        .scale_offset = clnorm_dtype_round(type, desc->scale_offset),
        .keep = desc->dropout < 1 ? clnorm_dtype_round(type, 1 / (1 - desc->dropout)) : 0,
    };
    clnorm_tensor_uses_of(desc, direction, rows, e->uses);
    for (int id = 0; id < TENSOR_COUNT; id++) {
        e->arrays[id] = clnorm_host_array(args, (clnorm_tensor_id)id);
    }
}

clnorm_status clnorm_evaluate(const clnorm_evaluation *e, clnorm_error *error)
{
    const clnorm_desc *d = &e->desc;
    clnorm_scope scope = {
        .e = e,
        .rows = e->kind.batch ? e->rows : 1,
        .count = e->kind.batch ? d->channels : d->groups,
    };
    scope.sets = calloc((size_t)scope.count, sizeof(*scope.sets));
    if (!scope.sets)
        return clnorm_fail(error, CLNORM_OUT_OF_MEMORY,
                           "no host memory for the statistics of %llu sets",
                           (unsigned long long)scope.count);
    const clnorm_status status = e->direction == CLNORM_FORWARD
                                     ? clnorm_forward_scopes(e, &scope, error)
                                     : clnorm_backward_scopes(e, &scope, error);
    free(scope.sets);
    return status;
}

/* ---- arguments ----------------------------------------------------------------------------- */

static clnorm_status check_arrays(const clnorm_desc *desc, clnorm_direction direction,
                                  uint64_t rows, const clnorm_host_args *args, clnorm_error *error)
{
    clnorm_status status = CLNORM_OK;
    for (int id = 0; status == CLNORM_OK && id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use use =
            clnorm_tensor_use_of(desc, direction, (clnorm_tensor_id)id, rows);
        const clnorm_output array = clnorm_host_array(args, (clnorm_tensor_id)id);
        uint64_t stride = use.has_stride ? array.stride : 0;
        if (array.data)
            status = clnorm_host_tensor_check(clnorm_tensor_name((clnorm_tensor_id)id), use.dtype,
                                              array.data, use.rows, use.cols, &stride, error);
    }
    return status;
}

clnorm_status clnorm_reference_check(const clnorm_desc *desc, clnorm_direction direction,
                                     uint64_t rows, const clnorm_host_args *args,
                                     clnorm_desc *resolved, clnorm_error *error)
{
    bool given[TENSOR_COUNT];
    clnorm_status status = clnorm_desc_resolve(desc, resolved, error);
    if (status != CLNORM_OK)
        return status;
    if (!args || args->struct_size != sizeof(*args))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "args->struct_size is %zu; allowed is %zu: use CLNORM_HOST_ARGS_INIT",
                           args ? args->struct_size : 0, sizeof(*args));
    for (int id = 0; id < TENSOR_COUNT; id++)
        given[id] = clnorm_host_array(args, (clnorm_tensor_id)id).data != NULL;
    if (direction != CLNORM_FORWARD && direction != CLNORM_BACKWARD)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "direction is %d; allowed are 0 (forward) and 1 (backward)",
                           (int)direction);
    status = clnorm_tensors_check(resolved, direction, rows, given, error);
    if (status == CLNORM_OK)
        status = check_arrays(resolved, direction, rows, args, error);
    return status;
}

/* ---- overlaps ------------------------------------------------------------------------------ */

typedef struct {
    clnorm_tensor_id id;
    bool written;
    clnorm_span span;
} place;

/* Outputs are doubles here, whatever the tensor's dtype. Shapes have been checked. */
static size_t find_places(const clnorm_evaluation *e, place places[TENSOR_COUNT])
{
    size_t count = 0;
    for (int id = 0; id < TENSOR_COUNT; id++) {
        const clnorm_tensor_use *use = &e->uses[id];
        const clnorm_output array = e->arrays[id];
        const bool written = use->role == CLNORM_OUTPUT || use->role == CLNORM_IN_OUT;
        const uint64_t stride =
            use->has_stride && array.stride && !written ? array.stride : use->cols;
        if (!array.data || use->rows == 0 || use->cols == 0)
            continue;
        places[count] = (place){.id = (clnorm_tensor_id)id, .written = written};
        clnorm_span_make((uintptr_t)array.data, use->rows, use->cols, stride,
                         written ? sizeof(double) : clnorm_dtype_bytes(use->dtype),
                         &places[count++].span);
    }
    return count;
}

/* Each element is read before it is written. */
static bool in_place(clnorm_direction direction, const place *a, const place *b)
{
    const bool may =
        clnorm_may_alias(direction, a->id, b->id) || clnorm_may_alias(direction, b->id, a->id);
    return may && a->span.begin == b->span.begin && a->span.stride == b->span.stride &&
           a->span.width == b->span.width;
}

static clnorm_status check_overlaps(const clnorm_evaluation *e, clnorm_error *error)
{
    place places[TENSOR_COUNT];
    const size_t count = find_places(e, places);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if ((places[i].written || places[j].written) &&
                clnorm_spans_overlap(&places[i].span, &places[j].span) &&
                !in_place(e->direction, &places[i], &places[j]))
                return clnorm_fail(error, CLNORM_BAD_ARGS, "%s overlaps %s",
                                   clnorm_tensor_name(places[j].id),
                                   clnorm_tensor_name(places[i].id));
    return CLNORM_OK;
}

/* ---- the public function ------------------------------------------------------------------- */

/* Outputs of the reference have no gaps and are doubles. */
static void store(void *user, const clnorm_results *results)
{
    const clnorm_evaluation *e = user;
    const uint64_t at =
        clnorm_result_index(&e->uses[results->tensor], 0, e->rows, results->row, results->col);
    double *to = (double *)e->arrays[results->tensor].data + at;
    for (size_t i = 0; i < results->n; i++)
        to[i] = results->code[i];
}

clnorm_status clnorm_reference(const clnorm_desc *desc, clnorm_direction direction, uint64_t rows,
                               const clnorm_host_args *args, clnorm_error *error)
{
    clnorm_desc resolved;
    clnorm_evaluation e;
    clnorm_status status = clnorm_reference_check(desc, direction, rows, args, &resolved, error);
    if (status != CLNORM_OK)
        return status;
    clnorm_evaluation_init(&e, &resolved, direction, rows, args);
    for (int id = 0; id < TENSOR_COUNT; id++) /* what is updated is read as it is written */
        if (e.uses[id].role == CLNORM_IN_OUT)
            e.uses[id].dtype = CLNORM_F64;
    e.emit = store;
    e.user = &e;
    status = check_overlaps(&e, error);
    return status == CLNORM_OK ? clnorm_evaluate(&e, error) : status;
}
