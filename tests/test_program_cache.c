/* SPDX-License-Identifier: MIT */
/* Programs from the cache: nothing is compiled, the results have the same bits, and whatever is
 * wrong with an entry costs a compilation, no more; a driver is given no damaged one. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cache_dir.h"
#include "device.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/wait.h>

/* ---- calls of the driver, which are counted and may fail ----------------------------------- */

static struct {
    int from_source, from_binary;
    cl_int create, build, kernels; /* what a program from a binary gives */
} driver;

static cl_program refused; /* the last program from a binary */

static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    assert_non_null(function);
    return function;
}

cl_program clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
                                     const size_t *lengths, cl_int *code)
{
    cl_program (*real)(cl_context, cl_uint, const char **, const size_t *, cl_int *);
    *(void **)&real = next("clCreateProgramWithSource");
    driver.from_source++;
    refused = NULL; /* its place in memory may be the new one's */
    return real(context, count, texts, lengths, code);
}

cl_program clCreateProgramWithBinary(cl_context context, cl_uint count, const cl_device_id *devices,
                                     const size_t *lengths, const unsigned char **binaries,
                                     cl_int *status, cl_int *code)
{
    cl_program (*real)(cl_context, cl_uint, const cl_device_id *, const size_t *,
                       const unsigned char **, cl_int *, cl_int *);
    *(void **)&real = next("clCreateProgramWithBinary");
    driver.from_binary++;
    *code = driver.create;
    if (driver.create)
        return NULL;
    refused = real(context, count, devices, lengths, binaries, status, code);
    return refused;
}

cl_int clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices,
                      const char *options, void (*notify)(cl_program, void *), void *user)
{
    cl_int (*real)(cl_program, cl_uint, const cl_device_id *, const char *,
                   void (*)(cl_program, void *), void *);
    *(void **)&real = next("clBuildProgram");
    if (driver.build && program == refused)
        return driver.build;
    return real(program, count, devices, options, notify, user);
}

cl_int clCreateKernelsInProgram(cl_program program, cl_uint room, cl_kernel *kernels,
                                cl_uint *count)
{
    cl_int (*real)(cl_program, cl_uint, cl_kernel *, cl_uint *);
    *(void **)&real = next("clCreateKernelsInProgram");
    if (driver.kernels && program == refused)
        return driver.kernels;
    return real(program, room, kernels, count);
}

/* ---- a context with a cache, as a process has it ------------------------------------------- */

enum { ROWS = 9, COLS = 65 };

typedef struct run {
    int from_source, from_binary; /* calls of the driver */
    int warnings, loaded, built; /* lines of the log */
    float y[ROWS * COLS];
} run;

static void take_line(void *user, clnorm_log_level level, const char *text)
{
    run *r = user;
    r->warnings += level == CLNORM_LOG_WARNING;
    r->loaded += strncmp(text, "loaded: ", 8) == 0;
    r->built += strncmp(text, "built: ", 7) == 0;
}

/* A forward pass in a new context; its result is compared with the reference. */
static run run_once(const fixture *f, const char *directory)
{
    run r = {.warnings = 0};
    fixture mine = *f;
    const int from_source = driver.from_source, from_binary = driver.from_binary;
    MUST(clnorm_context_wrap(f->cl, f->device, take_line, &r, &mine.context, error));
    if (directory)
        MUST(clnorm_context_set_cache(mine.context, directory, 0, error));
    problem p = problem_open(&mine, desc_of(COLS), ROWS, "normal");
    const cl_event written = after_writes(&mine);
    MUST(clnorm_forward(p.op, mine.queue, ROWS, &p.args, 1, &written, NULL, error));
    read_back(&mine, p.args.y.buffer, p.bytes, p.y);
    clReleaseEvent(written);
    expect_right(&p);
    memcpy(r.y, p.y, sizeof(r.y));
    problem_close(&p);
    clnorm_context_destroy(mine.context);
    r.from_source = driver.from_source - from_source;
    r.from_binary = driver.from_binary - from_binary;
    return r;
}

static void expect_run(const run *r, int from_source, int from_binary, int warnings)
{
    if (r->from_source != from_source || r->from_binary != from_binary || r->warnings != warnings)
        fail_msg("%d programs from source, %d from binaries, %d warnings; must be %d, %d, %d",
                 r->from_source, r->from_binary, r->warnings, from_source, from_binary, warnings);
    assert_int_equal(r->built, from_source);
    assert_int_equal(r->loaded, 1 - from_source);
}

/* src/runtime/program_cache.c says which platforms have no cache, and why. */
static bool has_no_cache(void) { return is_oclgrind(); }

static fixture *device; /* of all tests */

/* The file of the only entry. */
static int only_entry(const cache_fixture *files, char name[CLNORM_CACHE_NAME], int flags)
{
    clnorm_cache_item *items = NULL;
    size_t count = 0;
    assert_true(clnorm_cache_list(&files->dir, &items, &count));
    assert_int_equal(count, 1);
    assert_int_equal(items[0].kind, CLNORM_CACHE_ENTRY);
    memcpy(name, items[0].name, CLNORM_CACHE_NAME);
    free(items);
    const int fd = openat(files->dir.fd, name, flags);
    assert_true(fd >= 0);
    return fd;
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_off_unless_asked_for(void **state)
{
    const cache_fixture *files = *state;
    setenv("XDG_CACHE_HOME", files->root, 1);
    setenv("CLNORM_CACHE", "on", 1); /* the command's, not the library's */
    const run r = run_once(device, NULL);
    expect_run(&r, 1, 0, 0);
    char path[128];
    snprintf(path, sizeof(path), "%s/clnorm", files->root);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_a_warm_start_compiles_nothing(void **state)
{
    const cache_fixture *files = *state;
    const run cold = run_once(device, files->path);
    expect_run(&cold, 1, 0, 0);
    const run warm = run_once(device, files->path);
    if (has_no_cache()) {
        expect_run(&warm, 1, 0, 0);
        return;
    }
    expect_run(&warm, 0, 1, 0);
    assert_memory_equal(cold.y, warm.y, sizeof(cold.y));
    char name[CLNORM_CACHE_NAME];
    close(only_entry(files, name, O_RDONLY));
}

static void damage(const cache_fixture *files, int way)
{
    char name[CLNORM_CACHE_NAME];
    struct stat info;
    unsigned char byte = 0;
    const int fd = only_entry(files, name, O_RDWR);
    assert_int_equal(fstat(fd, &info), 0);
    if (way == 0) { /* the last byte of the payload */
        const off_t at = info.st_size - CLNORM_SHA256_BYTES - 1;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 4;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    } else {
        assert_int_equal(ftruncate(fd, way == 1 ? info.st_size - 1 : info.st_size / 2), 0);
    }
    close(fd);
}

static void test_no_damaged_entry_reaches_the_driver(void **state)
{
    const cache_fixture *files = *state;
    if (has_no_cache())
        skip();
    run_once(device, files->path);
    for (int way = 0; way < 3; way++) {
        damage(files, way);
        const run damaged = run_once(device, files->path);
        expect_run(&damaged, 1, 0, 1);
        const run after = run_once(device, files->path);
        expect_run(&after, 0, 1, 0);
    }
}

static void test_what_the_driver_refuses_is_compiled(void **state)
{
    const cache_fixture *files = *state;
    if (has_no_cache())
        skip();
    run_once(device, files->path);
    for (int call = 0; call < 3; call++) {
        driver.create = call == 0 ? CL_INVALID_BINARY : CL_SUCCESS;
        driver.build = call == 1 ? CL_BUILD_PROGRAM_FAILURE : CL_SUCCESS;
        driver.kernels = call == 2 ? CL_INVALID_PROGRAM_EXECUTABLE : CL_SUCCESS;
        const run r = run_once(device, files->path);
        driver.create = driver.build = driver.kernels = CL_SUCCESS;
        expect_run(&r, 1, 1, 1);
        const run after = run_once(device, files->path);
        expect_run(&after, 0, 1, 0);
    }
}

static void test_what_a_process_died_of_is_left_alone(void **state)
{
    const cache_fixture *files = *state;
    char name[CLNORM_CACHE_NAME], marker[2 * CLNORM_CACHE_NAME];
    if (has_no_cache())
        skip();
    run_once(device, files->path);
    close(only_entry(files, name, O_RDONLY));
    snprintf(marker, sizeof(marker), "%s.1-2-3-0.loading", name);
    close(openat(files->dir.fd, marker, O_CREAT | O_WRONLY, 0600));
    const run r = run_once(device, files->path);
    expect_run(&r, 1, 0, 1);
    assert_int_equal(count_kind(&files->dir, CLNORM_CACHE_ENTRY), 0);
    const run after = run_once(device, files->path);
    expect_run(&after, 1, 0, 0);
    assert_int_equal(count_kind(&files->dir, CLNORM_CACHE_ENTRY), 0);
}

static void test_a_bad_directory_is_no_error(void **state)
{
    const cache_fixture *files = *state;
    assert_int_equal(chmod(files->path, 0770), 0);
    const run r = run_once(device, files->path);
    expect_run(&r, 1, 0, has_no_cache() ? 0 : 1);
    assert_int_equal(count_kind(&files->dir, CLNORM_CACHE_ENTRY), 0);
    EXPECT_ERROR(clnorm_context_set_cache(NULL, NULL, 0, error), CLNORM_BAD_ARGS, "context",
                 "NULL");
    EXPECT_ERROR(clnorm_context_set_cache(device->context, "", 0, error), CLNORM_BAD_ARGS,
                 "directory", "empty");
}

/* Processes of this program: the parent's driver may not be used in a forked child. */
static pid_t start_process(const char *directory)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", "test_program_cache", directory, (char *)NULL);
        _exit(1);
    }
    return child;
}

static void test_two_cold_processes(void **state)
{
    const cache_fixture *files = *state;
    char name[CLNORM_CACHE_NAME];
    pid_t children[2];
    if (has_no_cache())
        skip();
    fflush(NULL);
    for (int i = 0; i < 2; i++)
        children[i] = start_process(files->path);
    for (int i = 0; i < 2; i++) {
        int status = -1;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    close(only_entry(files, name, O_RDONLY));
    const run r = run_once(device, files->path);
    expect_run(&r, 0, 1, 0);
}

static int open_device(void **state)
{
    const int code = fixture_open(state);
    device = *state;
    return code;
}

static int close_device(void **state)
{
    void *opened = device;
    (void)state;
    return fixture_close(&opened);
}

/* The two processes: fails if it cannot run; what it finds in the cache is as it comes. */
static void test_as_a_process(void **state)
{
    const char *directory = getenv("CLNORM_TEST_DIRECTORY");
    (void)state;
    const run r = run_once(device, directory);
    assert_int_equal(r.warnings, 0);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, cache_fixture_open, cache_fixture_close)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        EACH(test_off_unless_asked_for),
        EACH(test_a_warm_start_compiles_nothing),
        EACH(test_no_damaged_entry_reaches_the_driver),
        EACH(test_what_the_driver_refuses_is_compiled),
        EACH(test_what_a_process_died_of_is_left_alone),
        EACH(test_a_bad_directory_is_no_error),
        EACH(test_two_cold_processes),
    };
    const struct CMUnitTest process[] = {cmocka_unit_test(test_as_a_process)};
    if (argc > 1) {
        setenv("CLNORM_TEST_DIRECTORY", argv[1], 1);
        return cmocka_run_group_tests(process, open_device, close_device);
    }
    return cmocka_run_group_tests(tests, open_device, close_device);
}
