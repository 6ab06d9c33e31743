/* SPDX-License-Identifier: MIT */
/* Searches that write into one table at the same time: no record is lost, each is there once. */
#define _DEFAULT_SOURCE
#include "cli/tune/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WRITERS = 4, RECORDS = 12 };

static clnorm_tuning_record record_of(int writer, int i)
{
    clnorm_tuning_record record = {.key = clnorm_tuning_any(), .names = CLNORM_TUNES_KERNEL};
    record.key.units = (unsigned)(1 + writer);
    record.key.least_cols = record.key.most_cols = (uint64_t)(1 + i);
    record.tuning = (clnorm_tuning){.form = CLNORM_FORM_SEQUENTIAL, .vec = 4};
    return record;
}

/* Each record twice: the second takes the place of the first. */
static int write_all(const char *path, int writer)
{
    clnorm_error error;
    for (int i = 0; i < 2 * RECORDS; i++) {
        const clnorm_tuning_record record = record_of(writer, i % RECORDS);
        if (!tune_file_put(path, &record, &error)) {
            fprintf(stderr, "writer %d: %s\n", writer, error.text);
            return 1;
        }
    }
    return 0;
}

static int count_lines(const char *path, const char *begin)
{
    char line[CLNORM_TUNING_LINE];
    int count = 0;
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        count += strncmp(line, begin, strlen(begin)) == 0;
    fclose(file);
    return count;
}

static void test_no_record_is_lost(void **state)
{
    (void)state;
    char path[] = "/tmp/clnorm-test-tune-XXXXXX";
    pid_t writers[WRITERS];
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && close(fd) == 0);
    unlink(path); /* the first one makes it */
    for (int w = 0; w < WRITERS; w++) {
        writers[w] = fork();
        assert_true(writers[w] >= 0);
        if (writers[w] == 0)
            _exit(write_all(path, w));
    }
    for (int w = 0; w < WRITERS; w++) {
        int status = -1;
        assert_int_equal(waitpid(writers[w], &status, 0), writers[w]);
        assert_int_equal(status, 0);
    }
    for (int w = 0; w < WRITERS; w++)
        for (int i = 0; i < RECORDS; i++) {
            const clnorm_tuning_record wanted = record_of(w, i);
            clnorm_tuning_record found;
            if (!tune_file_find(path, &wanted, &found))
                fail_msg("record %d of writer %d is not in the table", i, w);
        }
    assert_int_equal(count_lines(path, "units="), WRITERS * RECORDS);
    assert_int_equal(count_lines(path, "# Kernel parameters"), 1);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_record_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
