/* SPDX-License-Identifier: MIT */
#include "runtime/mem_table.h"

#include "base/lock.h"

#include <stdint.h>
#include <stdlib.h>

enum { CHAINS = 256, MOST_KNOWN = 16 * CHAINS };

typedef struct known_mem {
    struct known_mem *next;
    clnorm_mem_table *table;
    cl_mem mem;
    clnorm_mem_info info;
} known_mem;

struct clnorm_mem_table {
    clnorm_lock lock; /* no OpenCL call is made while it is held: it may run `forget` */
    size_t users; /* the context, and each known buffer, whose end the driver will tell */
    bool trusted;
    known_mem *chains[CHAINS];
};

static known_mem **chain_of(clnorm_mem_table *table, cl_mem mem)
{
    const uint64_t bits = (uint64_t)(uintptr_t)mem >> 4;
    return &table->chains[(bits * 0x9e3779b97f4a7c15u) >> 56];
}
_Static_assert(CHAINS == 1 << (64 - 56), "chain_of takes the upper bits");

static void unlink_known(clnorm_mem_table *table, const known_mem *known)
{
    lock_take(&table->lock);
    known_mem **at = chain_of(table, known->mem);
    while (*at != known)
        at = &(*at)->next;
    *at = known->next;
    lock_give(&table->lock);
}

/* From any thread, even after the context is gone. */
static void CL_CALLBACK forget(cl_mem mem, void *user)
{
    known_mem *known = user;
    clnorm_mem_table *table = known->table;
    (void)mem;
    unlink_known(table, known);
    free(known);
    clnorm_mem_table_release(table);
}

bool clnorm_mem_table_find(clnorm_mem_table *table, cl_mem mem, clnorm_mem_info *info)
{
    lock_take(&table->lock);
    const known_mem *known = table->trusted ? *chain_of(table, mem) : NULL;
    while (known && known->mem != mem)
        known = known->next;
    if (known)
        *info = known->info;
    lock_give(&table->lock);
    return known != NULL;
}

/* Two threads may add the same buffer: each entry goes with it. */
static bool link_known(clnorm_mem_table *table, known_mem *known)
{
    lock_take(&table->lock);
    const bool room = table->trusted && table->users <= MOST_KNOWN;
    if (room) {
        known_mem **chain = chain_of(table, known->mem);
        known->next = *chain;
        *chain = known;
        table->users++;
    }
    lock_give(&table->lock);
    return room;
}

void clnorm_mem_table_add(clnorm_mem_table *table, cl_mem mem, const clnorm_mem_info *info)
{
    known_mem *known = malloc(sizeof(*known));
    if (!known)
        return;
    *known = (known_mem){.table = table, .mem = mem, .info = *info};
    if (!link_known(table, known)) {
        free(known);
        return;
    }
    if (clSetMemObjectDestructorCallback(mem, forget, known))
        forget(mem, known);
}

/* Whether `mem`, which is released here, is forgotten by then. */
static bool is_forgotten(clnorm_mem_table *table, cl_mem mem)
{
    clnorm_mem_info info = {.bytes = 0};
    clnorm_mem_table_add(table, mem, &info);
    clReleaseMemObject(mem);
    return !clnorm_mem_table_find(table, mem, &info);
}

/* Sub-buffers too. */
static bool forgets_in_time(clnorm_mem_table *table, cl_context context)
{
    const cl_buffer_region region = {0, 64};
    cl_int code;
    cl_mem mem = clCreateBuffer(context, CL_MEM_READ_WRITE, region.size, NULL, &code);
    if (code)
        return false;
    cl_mem part = clCreateSubBuffer(mem, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    const bool part_forgotten = code == CL_SUCCESS && is_forgotten(table, part);
    return is_forgotten(table, mem) && part_forgotten;
}

clnorm_mem_table *clnorm_mem_table_create(cl_context context)
{
    clnorm_mem_table *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    *table = (clnorm_mem_table){.lock = CLNORM_LOCK_INIT, .users = 1, .trusted = true};
    table->trusted = forgets_in_time(table, context);
    return table;
}

void clnorm_mem_table_release(clnorm_mem_table *table)
{
    if (!table)
        return;
    lock_take(&table->lock);
    const bool last = --table->users == 0;
    lock_give(&table->lock);
    if (last)
        free(table);
}
