/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "base/dtype.h"
#include "cli/explain/explain.h"
#include "cli/files/idx.h"
#include "cli/files/input_file.h"
#include "cli/files/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- a matrix of any size, of which a part may be taken ------------------------------------ */

struct source {
    const char *name;
    uint64_t rows, cols;
    /* exactly one of them */
    const struct input_file *array;
    const double *numbers;
};

static double number_at(const struct source *source, uint64_t row, uint64_t col)
{
    const uint64_t index = row * source->cols + col;
    return source->array ? clnorm_load(source->array->dtype, source->array->data, index)
                         : source->numbers[index];
}

/* How many rows or columns are taken: all, or as many of the first as are asked for. */
static bool take_size(const struct source *source, const char *option, uint64_t size,
                      uint64_t wanted, unsigned most, unsigned *taken, clnorm_error *error)
{
    if (wanted != EXPLAIN_NOT_GIVEN && (wanted < 1 || wanted > size))
        return refuse(error, "--%s '%llu': %s has %llu x %llu numbers; must be 1 to %llu", option,
                      (unsigned long long)wanted, source->name, (unsigned long long)source->rows,
                      (unsigned long long)source->cols,
                      (unsigned long long)(size < most ? size : most));
    const uint64_t count = wanted == EXPLAIN_NOT_GIVEN ? size : wanted;
    if (count > most)
        return refuse(error,
                      "%s: has %llu x %llu numbers; must have at most %d x %d, or use --rows and "
                      "--cols to take the first of them",
                      source->name, (unsigned long long)source->rows,
                      (unsigned long long)source->cols, EXPLAIN_ROWS, EXPLAIN_COLS);
    *taken = (unsigned)count;
    return true;
}

static bool take_part(struct explain_problem *problem, const struct source *source,
                      const struct explain_wishes *wishes, clnorm_error *error)
{
    if (source->rows == 0 || source->cols == 0)
        return refuse(error, "%s: has %llu x %llu numbers; must have at least one", source->name,
                      (unsigned long long)source->rows, (unsigned long long)source->cols);
    if (!take_size(source, "rows", source->rows, wishes->rows, EXPLAIN_ROWS, &problem->rows,
                   error) ||
        !take_size(source, "cols", source->cols, wishes->cols, EXPLAIN_COLS, &problem->cols, error))
        return false;
    for (unsigned i = 0; i < problem->rows * problem->cols; i++) {
        const unsigned row = i / problem->cols, col = i % problem->cols;
        const double number = number_at(source, row, col);
        if (!explain_float(number, &problem->x[i]))
            return refuse(error,
                          "%s: row %u, column %u is %g; must be a finite number of float32, up to "
                          "%g",
                          source->name, row, col, number, FLT_MAX);
    }
    return true;
}

/* ---- files --------------------------------------------------------------------------------- */

static bool read_array(struct explain_problem *problem, const struct explain_wishes *wishes,
                       clnorm_error *error)
{
    struct input_file file;
    char text[SHAPE_TEXT];
    bool ok = input_file_open(&file, wishes->input, false, error);
    if (!ok)
        return false;
    shape_text(&file.shape, text);
    if (file.shape.rank != 2)
        ok = refuse(error, "%s: shape %s; must have two axes: samples and features", wishes->input,
                    text);
    const struct source source = {wishes->input, file.shape.dims[0], file.shape.dims[1], &file,
                                  NULL};
    ok = ok && take_part(problem, &source, wishes, error);
    input_file_close(&file);
    return ok;
}

static bool read_csv(struct explain_problem *problem, const struct explain_wishes *wishes,
                     const char *text, size_t bytes, clnorm_error *error)
{
    struct explain_csv csv;
    bool ok = explain_csv_parse(wishes->input, text, bytes, &csv, error);
    const struct source source = {wishes->input, csv.rows, csv.cols, NULL, csv.x};
    ok = ok && take_part(problem, &source, wishes, error);
    free(csv.x);
    return ok;
}

enum { CSV_BYTES = 1 << 20 }; /* larger ones are no small matrix */

/* Reads up to so many bytes and one more. Returns what was read, -1 with errno. */
static ssize_t read_start(int fd, char *text)
{
    ssize_t have = 0, n;
    while (have <= CSV_BYTES && (n = read(fd, text + have, (size_t)(CSV_BYTES + 1 - have))) != 0) {
        if (n < 0 && errno != EINTR)
            return -1;
        have += n > 0 ? n : 0;
    }
    text[have] = '\0';
    return have;
}

static bool read_file(struct explain_problem *problem, const struct explain_wishes *wishes,
                      char *text, clnorm_error *error)
{
    const char *name = wishes->input;
    struct stat info;
    /* O_NONBLOCK: opening a pipe must not wait for a writer */
    const int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t bytes = fd < 0 || fstat(fd, &info) != 0 ? -1 : 0;
    const bool is_file = bytes == 0 && S_ISREG(info.st_mode);
    if (is_file)
        bytes = read_start(fd, text);
    const int reason = errno;
    if (fd >= 0)
        close(fd);
    if (bytes < 0)
        return refuse(error, "%s: %s", name, strerror(reason));
    if (!is_file)
        return refuse(error, "%s: is %s; must be a .npy, idx or CSV file", name,
                      S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
    if (npy_is(text, (uint64_t)bytes) || idx_is(text, (uint64_t)bytes))
        return read_array(problem, wishes, error);
    if (bytes > CSV_BYTES)
        return refuse(error, "%s: has more than %d bytes; a CSV file must have at most so many",
                      name, CSV_BYTES);
    return read_csv(problem, wishes, text, (size_t)bytes, error);
}

bool explain_file_read(struct explain_problem *problem, const struct explain_wishes *wishes,
                       clnorm_error *error)
{
    char *text = malloc(CSV_BYTES + 2);
    const bool ok =
        text ? read_file(problem, wishes, text, error) : out_of_memory(error, CSV_BYTES + 2);
    free(text);
    return ok;
}
