/* SPDX-License-Identifier: MIT */
#include "ops/form.h"

#include "base/checked.h"
#include "base/sets.h"
#include "ops/op.h"

#include <stdio.h>
#include <string.h>

/* CPU runtimes whose OpenCL compiler is clang, down to the machine code: the built-ins of
 * CPU_HINTS gain a quarter out of cache there. rusticl is clang too, but goes through SPIR-V. */
static const char *const clang_cpu_platforms[] = {
    "Portable Computing Language",
    "Intel(R) OpenCL",
    "Intel(R) FPGA Emulation Platform for OpenCL(TM)",
};

static int has_cpu_hints(const clnorm_device *device)
{
    const size_t count = sizeof(clang_cpu_platforms) / sizeof(clang_cpu_platforms[0]);
    if (device->type & CL_DEVICE_TYPE_GPU)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (!strcmp(device->platform_name, clang_cpu_platforms[i]))
            return 1;
    return 0;
}

/* llvmpipe ends the loops of a work-item after 65535 iterations in all, without a word
 * (LP_MAX_TGSI_LOOP_ITERATIONS of Mesa). */
static uint64_t most_iterations(const clnorm_device *device)
{
    const char *const name = "llvmpipe";
    return strncmp(device->name, name, strlen(name)) ? UINT64_MAX : 65535;
}

/* At most three passes by its group forward and four backward, two to rescue the set alone; every
 * pass has its blocks, and a few more are for the loop over sets and the sums. */
uint64_t clnorm_iterations_of(const clnorm_geometry *geometry, const clnorm_sets *sets)
{
    const uint64_t alone = sets->run / geometry->vec + 1;
    const uint64_t shared = alone / geometry->group_size + 1;
    const uint64_t vectors = sets->segments * (4 * (shared + 1) + 2 * (alone + 1));
    return vectors + vectors / 64 + 64;
}

/* Work-items that share a row pay where local memory is memory of its own. */
static clnorm_form best_form(const clnorm_device *device)
{
    const int gpu = (device->type & CL_DEVICE_TYPE_GPU) != 0;
    return gpu && !device->local_is_global ? CLNORM_FORM_COOPERATIVE : CLNORM_FORM_SEQUENTIAL;
}

static clnorm_geometry sequential(const clnorm_context *context)
{
    /* Two registers at once hide the latency of an addition. */
    const unsigned width = 2 * context->float_width;
    return (clnorm_geometry){.form = CLNORM_FORM_SEQUENTIAL,
                             .vec = width >= 16  ? 16
                                    : width >= 8 ? 8
                                                 : 4,
                             .group_size = 1};
}

static clnorm_geometry cooperative(const clnorm_context *context, uint64_t run)
{
    clnorm_geometry geometry = {
        .form = CLNORM_FORM_COOPERATIVE, .vec = 4, .group_size = run <= 1024 ? 64 : 256};
    while (geometry.group_size > 2 && geometry.group_size > context->device.max_work_group)
        geometry.group_size /= 2;
    return geometry;
}

/* Devices report anything from their L2 to all of L3 here, so it is a first guess only. */
static uint64_t stream_bytes(const clnorm_device *device)
{
    const uint64_t least = (uint64_t)32 << 20;
    return device->cache_bytes > least ? device->cache_bytes : least;
}

/* Segments may be shorter than a vector, or than the vectors of a group. */
static void shrink(clnorm_geometry *geometry, uint64_t run)
{
    while (geometry->vec > 2 && geometry->vec > run)
        geometry->vec /= 2;
    while (geometry->group_size > 2 && geometry->group_size / 2 * geometry->vec >= run)
        geometry->group_size /= 2;
}

static clnorm_geometry geometry_of(const clnorm_context *context, const clnorm_desc *desc,
                                   clnorm_form form)
{
    const int one_item = context->device.max_work_group < 2;
    const clnorm_sets sets = clnorm_sets_of(desc, 1);
    clnorm_geometry geometry = form == CLNORM_FORM_COOPERATIVE && !one_item
                                   ? cooperative(context, sets.run)
                                   : sequential(context);
    if (desc->x_dtype == CLNORM_F64 && geometry.vec > 8)
        geometry.vec = 8;
    if (!sets.plain)
        shrink(&geometry, sets.run);
    geometry.cpu_hints = has_cpu_hints(&context->device);
    geometry.stream_bytes = stream_bytes(&context->device);
    geometry.most_iterations = most_iterations(&context->device);
    return geometry;
}

clnorm_status clnorm_iterations_allow(const clnorm_context *context,
                                      const clnorm_geometry *geometry, const clnorm_sets *sets,
                                      uint64_t iterations, clnorm_error *error)
{
    if (iterations <= geometry->most_iterations)
        return CLNORM_OK;
    return clnorm_fail(error, CLNORM_UNSUPPORTED,
                       "%llu times %llu columns take a work-item %llu iterations in this form, and "
                       "%s ends its loops after %llu",
                       (unsigned long long)sets->segments, (unsigned long long)sets->run,
                       (unsigned long long)iterations, context->device.name,
                       (unsigned long long)geometry->most_iterations);
}

clnorm_status clnorm_geometry_choose(const clnorm_context *context, const clnorm_desc *desc,
                                     clnorm_geometry *geometry, clnorm_error *error)
{
    const clnorm_sets sets = clnorm_sets_of(desc, 1);
    *geometry = geometry_of(context, desc, desc->form ? desc->form : best_form(&context->device));
    if (clnorm_iterations_of(geometry, &sets) > geometry->most_iterations &&
        desc->form == CLNORM_FORM_AUTO)
        *geometry = geometry_of(context, desc, CLNORM_FORM_COOPERATIVE);
    return clnorm_iterations_allow(context, geometry, &sets, clnorm_iterations_of(geometry, &sets),
                                   error);
}

static unsigned log2_of(unsigned power)
{
    unsigned result = 0;
    while (power >>= 1)
        result++;
    return result;
}

unsigned clnorm_geometry_depth(const clnorm_geometry *geometry, uint64_t cols)
{
    const uint64_t at_once = (uint64_t)geometry->vec * geometry->group_size;
    const uint64_t run = ceil_div(cols, at_once);
    const unsigned block = run < 64 ? (unsigned)run : 64; /* BLOCK_LENGTH of row_reduce.cl */
    const unsigned fold = 2;
    return block + fold + log2_of(geometry->vec) + log2_of(geometry->group_size);
}

uint64_t clnorm_most_rows(const clnorm_op *op)
{
    const clnorm_sets sets = clnorm_sets_of(&op->desc, 1);
    const uint64_t row = clnorm_iterations_of(&op->geometry, &sets) * sets.count;
    return op->geometry.most_iterations / row > 0 ? op->geometry.most_iterations / row : 1;
}

uint64_t clnorm_sets_per_group(const clnorm_op *op, uint64_t sets, uint64_t set_bytes, uint64_t all)
{
    const clnorm_geometry *geometry = &op->geometry;
    const clnorm_sets shape = clnorm_sets_of(&op->desc, all);
    const uint64_t units =
        op->context->device.compute_units ? op->context->device.compute_units : 1;
    const uint64_t most_groups = (uint64_t)1 << 22; /* some drivers count work-items in 32 bits */
    const uint64_t allowed = geometry->most_iterations / clnorm_iterations_of(geometry, &shape);
    if (geometry->form == CLNORM_FORM_COOPERATIVE)
        return sets / most_groups + 1;
    /* the first set of a group has nothing to overlap with */
    const uint64_t worth_a_launch = 65536 / set_bytes + 1, few_firsts = sets / (16 * units);
    const uint64_t balanced = sets / (4 * units) + 1;
    const uint64_t wanted = worth_a_launch > few_firsts ? worth_a_launch : few_firsts;
    return min_u64(min_u64(wanted, balanced), allowed > 0 ? allowed : 1);
}

int clnorm_geometry_defines(const clnorm_geometry *geometry, char *text, size_t bytes)
{
    const int used = snprintf(text, bytes, "-DCPU_HINTS=%d -DGROUP_SIZE=%u -DVEC=%u",
                              geometry->cpu_hints, geometry->group_size, geometry->vec);
    return used > 0 && (size_t)used < bytes;
}
