/* SPDX-License-Identifier: MIT */
/* An entry that a process died of is not tried again; one that others are loading stays. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cache_guard.h"
#include "cache_dir.h"

#include <signal.h>
#include <sys/wait.h>

static const clnorm_cache_key key = {{0xab, 1, 2, 3}}, other = {{0xab, 1, 2, 4}};

static void write_both(const clnorm_cache_dir *dir)
{
    const clnorm_cache_content content = {"", key.bytes, 0, sizeof(key.bytes)};
    assert_true(clnorm_cache_write(dir, &key, &content, NULL));
    assert_true(clnorm_cache_write(dir, &other, &content, NULL));
}

static bool has_entry(const clnorm_cache_dir *dir, const clnorm_cache_key *of)
{
    char name[CLNORM_CACHE_NAME];
    clnorm_cache_name(of, "", name);
    return clnorm_cache_has(dir, name);
}

/* A process that is loading the entry when this returns, until it is killed. */
static pid_t start_loading(const clnorm_cache_dir *dir)
{
    int tube[2];
    char byte = 0;
    assert_int_equal(pipe(tube), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        clnorm_cache_guard guard;
        byte = clnorm_cache_guard_begin(dir, &key, &guard) ? 'y' : 'n';
        if (write(tube[1], &byte, 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(tube[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(tube[0]);
    close(tube[1]);
    return child;
}

static void end(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_a_marker_is_there_as_long_as_the_load(void **state)
{
    const cache_fixture *f = *state;
    clnorm_cache_guard guard, second;
    write_both(&f->dir);
    assert_true(clnorm_cache_guard_begin(&f->dir, &key, &guard));
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_LOADING), 1);
    assert_true(clnorm_cache_guard_begin(&f->dir, &key, &second)); /* another thread */
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_LOADING), 2);
    clnorm_cache_guard_end(&f->dir, &guard);
    clnorm_cache_guard_end(&f->dir, &second);
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_LOADING), 0);
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_TEMPORARY), 0);
    assert_true(has_entry(&f->dir, &key));
}

static void test_an_entry_that_kills_is_quarantined(void **state)
{
    const cache_fixture *f = *state;
    clnorm_cache_guard guard;
    char mark[CLNORM_CACHE_NAME];
    write_both(&f->dir);
    end(start_loading(&f->dir));
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_LOADING), 1);
    assert_true(clnorm_cache_guard_begin(&f->dir, &other, &guard)); /* not this one's */
    clnorm_cache_guard_end(&f->dir, &guard);
    assert_true(has_entry(&f->dir, &key));
    assert_false(clnorm_cache_guard_begin(&f->dir, &key, &guard));
    assert_int_equal(guard.fd, -1);
    assert_false(has_entry(&f->dir, &key));
    assert_true(has_entry(&f->dir, &other));
    assert_true(clnorm_cache_is_quarantined(&f->dir, &key));
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_LOADING), 0);
    write_both(&f->dir); /* by a process that did not know: not tried, but not removed either */
    assert_false(clnorm_cache_guard_begin(&f->dir, &key, &guard));
    clnorm_cache_name(&key, ".quarantined", mark);
    make_older(&f->dir, mark, CLNORM_CACHE_QUARANTINE_SECONDS + 60);
    assert_true(clnorm_cache_guard_begin(&f->dir, &key, &guard));
    clnorm_cache_guard_end(&f->dir, &guard);
    assert_true(has_entry(&f->dir, &key));
}

static void test_processes_that_load_at_once(void **state)
{
    const cache_fixture *f = *state;
    enum { PROCESSES = 4, LOADS = 1000 };
    pid_t children[PROCESSES];
    write_both(&f->dir);
    const pid_t slow = start_loading(&f->dir);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        for (int n = 0; children[i] == 0 && n < LOADS; n++) {
            clnorm_cache_guard guard;
            if (!clnorm_cache_guard_begin(&f->dir, &key, &guard) || !has_entry(&f->dir, &key))
                _exit(1);
            clnorm_cache_guard_end(&f->dir, &guard);
        }
        if (children[i] == 0)
            _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0); /* else it took a live process for a dead one */
    }
    end(slow);
    assert_true(has_entry(&f->dir, &key));
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, cache_fixture_open, cache_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_a_marker_is_there_as_long_as_the_load),
        EACH(test_an_entry_that_kills_is_quarantined),
        EACH(test_processes_that_load_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
