/* SPDX-License-Identifier: MIT */
#include "ops/tensors.h"

#define PLACE(name) offsetof(clnorm_args, name)
static const size_t places[] = {CLNORM_TENSORS(PLACE)};
#undef PLACE
_Static_assert(sizeof(places) / sizeof(places[0]) == CLNORM_TENSOR_COUNT, "a tensor is missing");

const clnorm_tensor *clnorm_args_tensor(const clnorm_args *args, clnorm_tensor_id id)
{
    return (const clnorm_tensor *)(const void *)((const char *)args + places[id]);
}

void clnorm_args_given(const clnorm_args *args, bool given[TENSOR_COUNT])
{
    for (int id = 0; id < TENSOR_COUNT; id++)
        given[id] = clnorm_args_tensor(args, (clnorm_tensor_id)id)->buffer != NULL;
}

void clnorm_args_set(clnorm_args *args, clnorm_tensor_id id, clnorm_tensor tensor)
{
    *(clnorm_tensor *)(void *)((char *)args + places[id]) = tensor;
}
