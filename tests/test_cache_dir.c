/* SPDX-License-Identifier: MIT */
/* The cache's directory: who may write there, what is read from it, and what is left of it when
 * processes are killed and disks are full. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { NOBODY = 65534 };

static const clnorm_cache_key key = {{0xab, 1, 2, 3}};

/* A payload whose every byte follows from `seed`, so that a mixture of two is seen. */
enum { MOST_PAYLOAD = 200000 };

static bool write_entry(const clnorm_cache_dir *dir, const clnorm_cache_key *of, unsigned seed,
                        size_t bytes, clnorm_error *error)
{
    static unsigned char payload[MOST_PAYLOAD];
    memset(payload, (int)seed, bytes);
    const clnorm_cache_content content = {"platform\ndevice", payload, 15, bytes};
    return clnorm_cache_write(dir, of, &content, error);
}

static void must_write(const clnorm_cache_dir *dir, const clnorm_cache_key *of, size_t bytes)
{
    clnorm_error error = {.text = ""};
    if (!write_entry(dir, of, 7, bytes, &error))
        fail_msg("%s", error.text);
}

static clnorm_cache_found read_entry(const clnorm_cache_dir *dir, const clnorm_cache_key *of)
{
    char name[CLNORM_CACHE_NAME];
    clnorm_cache_blob blob;
    clnorm_cache_name(of, "", name);
    const clnorm_cache_found found = clnorm_cache_read(dir, name, of, &blob);
    for (size_t i = 1; found == CLNORM_CACHE_GOOD && i < blob.content.payload_bytes; i++)
        assert_int_equal(blob.content.payload[i], blob.content.payload[0]);
    free(blob.file);
    return found;
}

/* ---- where --------------------------------------------------------------------------------- */

static void expect_refused(const char *path, const char *word)
{
    clnorm_cache_dir dir;
    clnorm_error error = {.text = ""};
    for (int make = 0; make < 2; make++)
        if (clnorm_cache_open(&dir, path, make, &error) || !strstr(error.text, word))
            fail_msg("%s: '%s', must be refused with '%s'", path ? path : "default", error.text,
                     word);
}

static void expect_default(const char *cache, const char *home, const char *path)
{
    clnorm_cache_dir dir;
    clnorm_error error = {.text = ""};
    struct stat info;
    setenv("HOME", home, 1);
    setenv("XDG_CACHE_HOME", cache, 1);
    if (!path) {
        expect_refused(NULL, "XDG_CACHE_HOME");
        return;
    }
    assert_true(clnorm_cache_open(&dir, NULL, false, &error));
    assert_string_equal(dir.path, path);
    assert_int_equal(dir.fd, -1);
    clnorm_cache_close(&dir);
    assert_true(clnorm_cache_open(&dir, NULL, true, &error));
    assert_int_equal(fstat(dir.fd, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    clnorm_cache_close(&dir);
}

static void test_default_directory(void **state)
{
    const cache_fixture *f = *state;
    char xdg[128], home[128], wanted[192];
    snprintf(xdg, sizeof(xdg), "%s/x/dg", f->root);
    snprintf(home, sizeof(home), "%s/home", f->root);
    snprintf(wanted, sizeof(wanted), "%s/clnorm", xdg);
    expect_default(xdg, home, wanted);
#ifdef __APPLE__
    snprintf(wanted, sizeof(wanted), "%s/Library/Caches/clnorm", home);
#else
    snprintf(wanted, sizeof(wanted), "%s/.cache/clnorm", home);
#endif
    expect_default("relative", home, wanted);
    remove_tree(home);
    expect_default("", home, wanted);
    expect_default("", "", NULL);
    expect_default("relative", "home", NULL);
}

static void test_directories_of_others(void **state)
{
    const cache_fixture *f = *state;
    char path[128];
    static const mode_t modes[] = {0720, 0702, 0777, 01777};
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        assert_int_equal(chmod(f->path, modes[i]), 0);
        expect_refused(f->path, "writable by nobody else");
    }
    assert_int_equal(chmod(f->path, 0700), 0);
    expect_refused("/tmp", "must belong to user");
    snprintf(path, sizeof(path), "%s/link", f->root);
    assert_int_equal(symlink(f->path, path), 0);
    expect_refused(path, "no link");
    strcat(path, "//");
    expect_refused(path, "no link");
    snprintf(path, sizeof(path), "%s/file", f->root);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    expect_refused(path, "must be a directory");
    if (geteuid() == 0) {
        assert_int_equal(chown(f->path, NOBODY, NOBODY), 0);
        expect_refused(f->path, "belongs to user 65534");
    }
}

static void test_a_missing_directory_is_an_empty_one(void **state)
{
    const cache_fixture *f = *state;
    clnorm_cache_dir dir;
    clnorm_cache_stat stat;
    clnorm_error error;
    char path[128];
    snprintf(path, sizeof(path), "%s/missing", f->root);
    assert_true(clnorm_cache_open(&dir, path, false, &error));
    assert_int_equal(read_entry(&dir, &key), CLNORM_CACHE_ABSENT);
    assert_true(clnorm_cache_count(&dir, &stat));
    assert_int_equal(stat.entries, 0);
    assert_int_not_equal(access(path, F_OK), 0);
    clnorm_cache_close(&dir);
    snprintf(path, sizeof(path), "%s/missing/deep", f->root); /* a slip of the pen makes no tree */
    assert_false(clnorm_cache_open(&dir, path, true, &error));
}

/* ---- reading ------------------------------------------------------------------------------- */

static void test_entries_that_are_not_ours(void **state)
{
    const cache_fixture *f = *state;
    const int fd = f->dir.fd;
    char name[CLNORM_CACHE_NAME];
    const clnorm_cache_key other = {{0xcd}};
    clnorm_cache_name(&key, "", name);
    assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_ABSENT);
    must_write(&f->dir, &key, 1000);
    assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_GOOD);
    assert_int_equal(fchmodat(fd, name, 0620, 0), 0);
    assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_BAD);
    assert_int_equal(fchmodat(fd, name, 0600, 0), 0);
    assert_int_equal(renameat(fd, name, fd, "elsewhere"), 0);
    assert_int_equal(symlinkat("elsewhere", fd, name), 0);
    assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_BAD);
    assert_true(clnorm_cache_remove(&f->dir, name)); /* the link, not the file */
    assert_int_equal(mkfifoat(fd, name, 0600), 0);
    assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_BAD);
    assert_true(clnorm_cache_remove(&f->dir, name));
    assert_int_equal(renameat(fd, "elsewhere", fd, name), 0);
    assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_GOOD);
    if (geteuid() == 0) {
        assert_int_equal(fchownat(fd, name, NOBODY, NOBODY, 0), 0);
        assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_BAD);
        assert_int_equal(fchownat(fd, name, 0, 0, 0), 0);
    }
    char renamed[CLNORM_CACHE_NAME];
    clnorm_cache_name(&other, "", renamed);
    assert_int_equal(renameat(fd, name, fd, renamed), 0);
    assert_int_equal(read_entry(&f->dir, &other), CLNORM_CACHE_BAD);
}

/* ---- writing ------------------------------------------------------------------------------- */

/* As when the disk is full: the write is cut short, the next one fails. */
static void test_no_room(void **state)
{
    const cache_fixture *f = *state;
    clnorm_error error = {.text = ""};
    struct rlimit before, small;
    must_write(&f->dir, &key, 2000);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const bool ok = write_entry(&f->dir, &key, 8, 100000, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_false(ok);
    assert_non_null(strstr(error.text, f->path));
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_TEMPORARY), 0);
    assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_GOOD);
}

static void test_no_right_to_write(void **state)
{
    const cache_fixture *f = *state;
    clnorm_error error = {.text = ""};
    const uid_t user = geteuid();
    assert_int_equal(chmod(f->path, 0500), 0);
    if (user == 0) { /* whom modes do not bind */
        assert_int_equal(chown(f->path, NOBODY, NOBODY), 0);
        assert_int_equal(chmod(f->root, 0711), 0);
        assert_int_equal(seteuid(NOBODY), 0);
    }
    const bool ok = write_entry(&f->dir, &key, 8, 1000, &error);
    if (user == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(f->path, 0700), 0);
    assert_false(ok);
    assert_non_null(strstr(error.text, "Permission denied"));
}

/* Ends by being killed. */
static pid_t start_writer(const clnorm_cache_dir *dir, unsigned seed)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    for (unsigned i = 0;; i++)
        if (!write_entry(dir, &key, seed + i, 1000 + 37 * (i % 5000), NULL))
            _exit(1);
}

static void test_killed_writers(void **state)
{
    const cache_fixture *f = *state;
    enum { ROUNDS = 20, READS = 20 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        const pid_t writers[] = {start_writer(&f->dir, round), start_writer(&f->dir, 100 + round)};
        for (unsigned good = 0; good < READS;) {
            const clnorm_cache_found found = read_entry(&f->dir, &key);
            if (found == CLNORM_CACHE_BAD)
                fail_msg("round %u, after %u good ones: a torn entry", round, good);
            good += found == CLNORM_CACHE_GOOD;
        }
        usleep(311 * round); /* so that they are hit at all places */
        for (int i = 0; i < 2; i++) {
            int status = 0;
            assert_int_equal(kill(writers[i], SIGKILL), 0);
            assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
            assert_true(WIFSIGNALED(status)); /* else it could not write */
        }
    }
    assert_int_equal(read_entry(&f->dir, &key), CLNORM_CACHE_GOOD);
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_ENTRY), 1);
    printf("%zu left behind\n", count_kind(&f->dir, CLNORM_CACHE_TEMPORARY));
}

/* ---- upkeep -------------------------------------------------------------------------------- */

static void touch(const clnorm_cache_dir *dir, const char *name, long age)
{
    const int fd = openat(dir->fd, name, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    make_older(dir, name, age);
}

static void test_left_overs_are_swept_by_age(void **state)
{
    const cache_fixture *f = *state;
    char name[CLNORM_CACHE_NAME];
    must_write(&f->dir, &key, 1000);
    clnorm_cache_name(&key, "", name);
    make_older(&f->dir, name, 1000000000);
    touch(&f->dir, "12-34-000000000-0.tmp", 3 * 3600);
    touch(&f->dir, "12-35-000000000-0.tmp", 60); /* of a writer that is at work */
    clnorm_cache_name(&key, ".quarantined", name);
    touch(&f->dir, name, 2 * 24 * 3600);
    touch(&f->dir, "notes.tmp", 1000000000);
    clnorm_cache_trim(&f->dir, 1 << 20);
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_TEMPORARY), 1);
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_QUARANTINED), 0);
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_ENTRY), 1);
    assert_true(clnorm_cache_has(&f->dir, "notes.tmp"));
}

static void test_the_longest_unused_go_first(void **state)
{
    const cache_fixture *f = *state;
    enum { COUNT = 5, BYTES = 1000 };
    char name[COUNT][CLNORM_CACHE_NAME];
    for (int i = 0; i < COUNT; i++) {
        const clnorm_cache_key of = {{(unsigned char)i}};
        must_write(&f->dir, &of, BYTES);
        clnorm_cache_name(&of, "", name[i]);
        make_older(&f->dir, name[i], 100 * (1 + (i + 2) % COUNT)); /* 300 400 500 100 200 */
    }
    clnorm_cache_touch(&f->dir, name[2]); /* used: the newest now */
    clnorm_cache_trim(&f->dir, 3 * (BYTES + 200));
    assert_true(clnorm_cache_has(&f->dir, name[2]));
    assert_true(clnorm_cache_has(&f->dir, name[3]));
    assert_true(clnorm_cache_has(&f->dir, name[4]));
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_ENTRY), 3);
    clnorm_cache_trim(&f->dir, 0);
    assert_int_equal(count_kind(&f->dir, CLNORM_CACHE_ENTRY), 0);
}

static void test_count_and_clear(void **state)
{
    const cache_fixture *f = *state;
    const clnorm_cache_content other = {"another\ndevice", key.bytes, 14, 20};
    clnorm_cache_key keys[4] = {{{1}}, {{2}}, {{3}}, {{4}}};
    char name[CLNORM_CACHE_NAME];
    clnorm_cache_stat stat;
    size_t entries = 0;
    uint64_t bytes = 0;
    for (int i = 0; i < 3; i++)
        must_write(&f->dir, &keys[i], 1000);
    assert_true(clnorm_cache_write(&f->dir, &keys[3], &other, NULL));
    clnorm_cache_name(&keys[0], "", name);
    const int fd = openat(f->dir.fd, name, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    close(fd);
    touch(&f->dir, "notes", 0);
    assert_true(clnorm_cache_count(&f->dir, &stat));
    assert_int_equal(stat.entries, 3);
    assert_int_equal(stat.damaged, 1);
    assert_int_equal(stat.n_groups, 2);
    const size_t one = strcmp(stat.groups[0].label, "another\ndevice") != 0;
    assert_string_equal(stat.groups[one].label, "another\ndevice");
    assert_int_equal(stat.groups[one].entries, 1);
    assert_int_equal(stat.groups[1 - one].entries, 2);
    assert_true(stat.groups[1 - one].bytes > 2000);
    free(stat.groups);
    assert_true(clnorm_cache_clear(&f->dir, &entries, &bytes));
    assert_int_equal(entries, 4);
    assert_int_equal(bytes, stat.bytes);
    assert_true(clnorm_cache_has(&f->dir, "notes"));
    assert_true(clnorm_cache_count(&f->dir, &stat));
    assert_int_equal(stat.entries + stat.damaged + stat.bytes, 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, cache_fixture_open, cache_fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_default_directory),
        EACH(test_directories_of_others),
        EACH(test_a_missing_directory_is_an_empty_one),
        EACH(test_entries_that_are_not_ours),
        EACH(test_no_room),
        EACH(test_no_right_to_write),
        EACH(test_killed_writers),
        EACH(test_left_overs_are_swept_by_age),
        EACH(test_the_longest_unused_go_first),
        EACH(test_count_and_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
