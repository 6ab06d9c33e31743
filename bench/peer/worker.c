/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MAP_POPULATE */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* ---- answers ------------------------------------------------------------------------------- */

_Noreturn void worker_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("error ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    exit(3);
}

double worker_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- words --------------------------------------------------------------------------------- */

const char *worker_value(const worker_case *c, const char *key)
{
    for (size_t i = 0; i < c->n_words; i++)
        if (strcmp(c->words[i].key, key) == 0)
            return c->words[i].value;
    return NULL;
}

double worker_number(const worker_case *c, const char *key)
{
    const char *value = worker_value(c, key);
    char *end = NULL;
    const double number = value ? strtod(value, &end) : 0;
    if (!value || end == value || *end != '\0')
        worker_fail("%s=%s is no number", key, value ? value : "(missing)");
    return number;
}

bool worker_is(const worker_case *c, const char *key, const char *value)
{
    const char *got = worker_value(c, key);
    return got && strcmp(got, value) == 0;
}

static void split(worker_case *c, char *line)
{
    char *rest = line;
    for (char *word; (word = strtok_r(rest, " \n", &rest)) != NULL;) {
        char *equals = strchr(word, '=');
        if (!equals || c->n_words == WORKER_WORDS)
            worker_fail("word '%s': it needs '=', and a line has at most %d", word, WORKER_WORDS);
        *equals = '\0';
        c->words[c->n_words++] = (worker_word){word, equals + 1};
    }
}

/* ---- tensors: in.NAME=DTYPE:ROWS:COLS:FILE and out.NAME=DTYPE:ROWS:COLS ---------------------- */

static size_t element_bytes(const char *dtype)
{
    static const struct {
        const char *name;
        size_t bytes;
    } dtypes[] = {{"f32", 4}, {"f16", 2}, {"bf16", 2}, {"i8", 1}};
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
        if (strcmp(dtype, dtypes[i].name) == 0)
            return dtypes[i].bytes;
    worker_fail("dtype '%s': f32, f16, bf16 and i8 are known", dtype);
}

static void *map_file(const char *path, size_t bytes)
{
    const int file = open(path, O_RDONLY);
    if (file < 0)
        worker_fail("%s: %s", path, strerror(errno));
    void *data = mmap(NULL, bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    if (data == MAP_FAILED)
        worker_fail("%s: %s", path, strerror(errno));
    close(file);
    return data;
}

static void add_tensor(worker_case *c, const char *name, const char *text, bool output)
{
    char *copy = strdup(text), *rest = copy, *part[4] = {NULL};
    if (c->n_tensors == WORKER_TENSORS || !copy)
        worker_fail("more than %d tensors", WORKER_TENSORS);
    for (int i = 0; i < 4; i++)
        part[i] = strtok_r(rest, ":", &rest);
    if (!part[2] || output == (part[3] != NULL))
        worker_fail("tensor %s=%s", name, text);
    worker_tensor *t = &c->tensors[c->n_tensors++];
    *t = (worker_tensor){.name = name, .dtype = copy, .output = output};
    t->rows = strtoull(part[1], NULL, 10);
    t->cols = strtoull(part[2], NULL, 10);
    t->row_bytes = (size_t)t->cols * element_bytes(t->dtype);
    t->bytes = (size_t)t->rows * t->row_bytes;
    if (!output)
        t->data = map_file(part[3], t->bytes);
}

worker_tensor *worker_find(worker_case *c, const char *name)
{
    for (size_t i = 0; i < c->n_tensors; i++)
        if (strcmp(c->tensors[i].name, name) == 0)
            return &c->tensors[i];
    return NULL;
}

static void add_tensors(worker_case *c)
{
    for (size_t i = 0; i < c->n_words; i++) {
        if (strncmp(c->words[i].key, "in.", 3) == 0)
            add_tensor(c, c->words[i].key + 3, c->words[i].value, false);
        if (strncmp(c->words[i].key, "out.", 4) == 0)
            add_tensor(c, c->words[i].key + 4, c->words[i].value, true);
    }
}

static void free_tensors(worker_case *c)
{
    for (size_t i = 0; i < c->n_tensors; i++) {
        if (!c->tensors[i].output)
            munmap(c->tensors[i].data, c->tensors[i].bytes);
        free((char *)c->tensors[i].dtype);
    }
}

/* ---- commands ------------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of calls that are waited for one by one. */
static double seconds_of_each(const worker_peer *peer, const char *what, size_t calls)
{
    double *seconds = calloc(calls, sizeof(*seconds));
    if (!seconds)
        worker_fail("no memory for %zu times", calls);
    for (size_t i = 0; i < calls; i++) {
        const double begin = worker_seconds();
        peer->call(what);
        peer->finish();
        seconds[i] = worker_seconds() - begin;
    }
    qsort(seconds, calls, sizeof(*seconds), ascending);
    const double median = seconds[calls / 2];
    free(seconds);
    return median;
}

static double seconds_queued(const worker_peer *peer, const char *what, size_t calls)
{
    const double begin = worker_seconds();
    for (size_t i = 0; i < calls; i++)
        peer->call(what);
    peer->finish();
    return (worker_seconds() - begin) / (double)calls;
}

static void serve_time(const worker_peer *peer, const worker_case *request)
{
    const char *what = worker_value(request, "what");
    const size_t calls = (size_t)worker_number(request, "calls");
    const bool each = worker_is(request, "each", "1");
    if (!what || calls == 0)
        worker_fail("time needs what= and calls= of at least 1");
    printf("ok %.0f\n", 1e9 * (each ? seconds_of_each : seconds_queued)(peer, what, calls));
}

static void write_sample(const worker_peer *peer, const worker_tensor *t, uint64_t n,
                         const char *folder)
{
    char path[512];
    void *row = malloc(t->row_bytes);
    snprintf(path, sizeof(path), "%s/%s", folder, t->name);
    FILE *file = fopen(path, "wb");
    if (!file || !row)
        worker_fail("%s: %s", path, strerror(errno));
    if (n > t->rows)
        n = t->rows;
    for (uint64_t i = 0; i < n; i++) {
        peer->read_row(t, n > 1 ? i * (t->rows - 1) / (n - 1) : 0, row);
        if (fwrite(row, 1, t->row_bytes, file) != t->row_bytes)
            worker_fail("%s: %s", path, strerror(errno));
    }
    if (fclose(file))
        worker_fail("%s: %s", path, strerror(errno));
    free(row);
}

/* n rows of each output, from the first to the last. */
static void serve_sample(const worker_peer *peer, const worker_case *c, const worker_case *request)
{
    const uint64_t n = (uint64_t)worker_number(request, "rows");
    const char *folder = worker_value(request, "folder");
    for (size_t i = 0; i < c->n_tensors; i++)
        if (c->tensors[i].output)
            write_sample(peer, &c->tensors[i], n, folder);
    printf("ok\n");
}

static void serve_free(const worker_peer *peer, worker_case *c, char **text)
{
    if (*text) {
        peer->release(c);
        free_tensors(c);
        free(*text);
        *text = NULL;
    }
    *c = (worker_case){.n_words = 0};
}

static void serve_prepare(const worker_peer *peer, worker_case *c, char **text, const char *line)
{
    serve_free(peer, c, text);
    *text = strdup(line);
    if (!*text)
        worker_fail("no memory for a line");
    split(c, *text);
    add_tensors(c);
    const char *lacks = peer->prepare(c);
    printf("%s%s\n", lacks ? "lacks " : "ok", lacks ? lacks : "");
}

static void serve_versions(const worker_peer *peer)
{
    printf("ok");
    peer->versions();
    printf("\n");
}

static void serve_line(const worker_peer *peer, worker_case *c, char **text, char *line)
{
    char *rest = line, *command = strtok_r(rest, " \n", &rest);
    worker_case request = {.n_words = 0};
    if (!command)
        worker_fail("an empty line");
    if (strcmp(command, "prepare") == 0) {
        serve_prepare(peer, c, text, rest);
        return;
    }
    split(&request, rest);
    if (strcmp(command, "time") == 0)
        serve_time(peer, &request);
    else if (strcmp(command, "sample") == 0)
        serve_sample(peer, c, &request);
    else if (strcmp(command, "versions") == 0)
        serve_versions(peer);
    else if (strcmp(command, "free") == 0)
        serve_free(peer, c, text), printf("ok\n");
    else if (strcmp(command, "open") == 0)
        peer->open ? peer->open() : (void)0, printf("ok\n");
    else
        worker_fail("command '%s'", command);
}

int worker_serve(const worker_peer *peer)
{
    worker_case c = {.n_words = 0};
    char *line = NULL, *text = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        serve_line(peer, &c, &text, line);
        fflush(stdout);
    }
    serve_free(peer, &c, &text);
    free(line);
    return 0;
}
