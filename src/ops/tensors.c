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

void clnorm_args_set(clnorm_args *args, clnorm_tensor_id id, clnorm_tensor tensor)
{
    *(clnorm_tensor *)(void *)((char *)args + places[id]) = tensor;
}
