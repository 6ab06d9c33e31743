/* SPDX-License-Identifier: MIT */
#include "base/cache_upkeep.h"
#include "base/cache_guard.h"

#include <stdlib.h>
#include <string.h>

/* ---- counting ------------------------------------------------------------------------------ */

static bool is_labelled(const clnorm_cache_group *group, const clnorm_cache_content *content)
{
    return strlen(group->label) == content->label_bytes &&
           memcmp(group->label, content->label, content->label_bytes) == 0;
}

static bool count_entry(clnorm_cache_stat *stat, const clnorm_cache_content *content,
                        uint64_t bytes)
{
    size_t i = 0;
    while (i < stat->n_groups && !is_labelled(&stat->groups[i], content))
        i++;
    if (i == stat->n_groups) {
        clnorm_cache_group *more = realloc(stat->groups, (i + 1) * sizeof(*more));
        if (!more)
            return false;
        stat->groups = more;
        stat->n_groups++;
        more[i] = (clnorm_cache_group){.entries = 0};
        memcpy(more[i].label, content->label, content->label_bytes);
    }
    stat->groups[i].entries++;
    stat->groups[i].bytes += bytes;
    return true;
}

static bool count_item(const clnorm_cache_dir *dir, const clnorm_cache_item *item,
                       clnorm_cache_stat *stat)
{
    clnorm_cache_blob blob;
    stat->bytes += item->bytes;
    stat->quarantined += item->kind == CLNORM_CACHE_QUARANTINED;
    if (item->kind != CLNORM_CACHE_ENTRY)
        return true;
    const clnorm_cache_found found = clnorm_cache_read(dir, item->name, NULL, &blob);
    stat->entries += found == CLNORM_CACHE_GOOD;
    stat->damaged += found == CLNORM_CACHE_BAD;
    const bool ok = found != CLNORM_CACHE_GOOD || count_entry(stat, &blob.content, item->bytes);
    free(blob.file);
    return ok;
}

static int by_label(const void *a, const void *b)
{
    return strcmp(((const clnorm_cache_group *)a)->label, ((const clnorm_cache_group *)b)->label);
}

bool clnorm_cache_count(const clnorm_cache_dir *dir, clnorm_cache_stat *stat)
{
    clnorm_cache_item *items = NULL;
    size_t count = 0;
    *stat = (clnorm_cache_stat){.groups = NULL};
    bool ok = clnorm_cache_list(dir, &items, &count);
    for (size_t i = 0; ok && i < count; i++)
        ok = count_item(dir, &items[i], stat);
    free(items);
    if (ok && stat->n_groups > 0)
        qsort(stat->groups, stat->n_groups, sizeof(*stat->groups), by_label);
    if (ok)
        return true;
    free(stat->groups);
    *stat = (clnorm_cache_stat){.groups = NULL};
    return false;
}

/* ---- removing ------------------------------------------------------------------------------ */

bool clnorm_cache_clear(const clnorm_cache_dir *dir, size_t *entries, uint64_t *bytes)
{
    clnorm_cache_item *items = NULL;
    size_t count = 0;
    bool all = clnorm_cache_list(dir, &items, &count);
    *entries = 0;
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const bool gone = clnorm_cache_remove(dir, items[i].name);
        *entries += gone && items[i].kind == CLNORM_CACHE_ENTRY;
        *bytes += gone ? items[i].bytes : 0;
        all &= gone || !clnorm_cache_has(dir, items[i].name);
    }
    free(items);
    return all;
}

static int by_time(const void *a, const void *b)
{
    const time_t first = ((const clnorm_cache_item *)a)->time;
    const time_t second = ((const clnorm_cache_item *)b)->time;
    return (first > second) - (first < second);
}

/* Seconds after which nobody needs it any more; entries stay. */
static const time_t longest_life[] = {
    [CLNORM_CACHE_LOADING] = 30 * (time_t)CLNORM_CACHE_QUARANTINE_SECONDS,
    [CLNORM_CACHE_QUARANTINED] = CLNORM_CACHE_QUARANTINE_SECONDS,
    [CLNORM_CACHE_TEMPORARY] = 3600,
};

void clnorm_cache_trim(const clnorm_cache_dir *dir, uint64_t max_bytes)
{
    clnorm_cache_item *items = NULL;
    size_t count = 0;
    uint64_t bytes = 0;
    const time_t now = time(NULL);
    if (!clnorm_cache_list(dir, &items, &count) || count == 0)
        return;
    qsort(items, count, sizeof(*items), by_time);
    for (size_t i = 0; i < count; i++)
        bytes += items[i].kind == CLNORM_CACHE_ENTRY ? items[i].bytes : 0;
    for (size_t i = 0; i < count; i++) {
        const bool is_entry = items[i].kind == CLNORM_CACHE_ENTRY;
        if (is_entry ? bytes <= max_bytes : now - items[i].time <= longest_life[items[i].kind])
            continue;
        if (clnorm_cache_remove(dir, items[i].name) && is_entry)
            bytes -= items[i].bytes;
    }
    free(items);
}
