/* SPDX-License-Identifier: MIT */
/* What tests of the cache share: a directory of the test's own, with a cache in it. Included after
 * cmocka.h. */
#ifndef CLNORM_TESTS_CACHE_DIR_H
#define CLNORM_TESTS_CACHE_DIR_H

#include "base/cache_upkeep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct cache_fixture {
    char root[64], path[80]; /* the test's directory; that of the cache, which is in it */
    clnorm_cache_dir dir;
} cache_fixture;

static inline void remove_tree(const char *path)
{
    char command[192];
    snprintf(command, sizeof(command), "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static inline int cache_fixture_open(void **state)
{
    cache_fixture *f = calloc(1, sizeof(*f));
    clnorm_error error;
    snprintf(f->root, sizeof(f->root), "/tmp/clnorm-test-XXXXXX");
    assert_non_null(mkdtemp(f->root));
    snprintf(f->path, sizeof(f->path), "%s/cache", f->root);
    if (!clnorm_cache_open(&f->dir, f->path, true, &error))
        fail_msg("%s", error.text);
    *state = f;
    return 0;
}

static inline int cache_fixture_close(void **state)
{
    cache_fixture *f = *state;
    clnorm_cache_close(&f->dir);
    remove_tree(f->root);
    free(f);
    return 0;
}

/* Files of that kind. */
static inline size_t count_kind(const clnorm_cache_dir *dir, clnorm_cache_kind kind)
{
    clnorm_cache_item *items = NULL;
    size_t count = 0, n = 0;
    assert_true(clnorm_cache_list(dir, &items, &count));
    for (size_t i = 0; i < count; i++)
        n += items[i].kind == kind;
    free(items);
    return n;
}

/* Makes a file look as if it was last used so many seconds ago. */
static inline void make_older(const clnorm_cache_dir *dir, const char *name, long seconds)
{
    const struct timespec then = {time(NULL) - seconds, 0};
    assert_int_equal(utimensat(dir->fd, name, (struct timespec[]){then, then}, 0), 0);
}

#endif
