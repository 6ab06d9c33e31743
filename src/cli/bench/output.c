/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "cli/bench/output.h"
#include "cli/files/output_file.h"
#include "cli/interrupt.h"
#include "cli/report_page.h"

#include <stdlib.h>
#include <string.h>

/* ---- files --------------------------------------------------------------------------------- */

typedef bool write_fn(json_t *document, const char *path, enum bench_format format,
                      clnorm_error *error);

static bool write_text(json_t *document, const char *path, enum bench_format format,
                       clnorm_error *error)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    if (!stream)
        return out_of_memory(error, 1);
    const struct bench_view view = {.stream = stream};
    bool ok = bench_print(document, format, &view) == CLI_OK || out_of_memory(error, 1);
    ok = fclose(stream) == 0 && ok && output_file_write(path, text, bytes, error);
    free(text);
    return ok;
}

static bool write_page(json_t *document, const char *path, enum bench_format format,
                       clnorm_error *error)
{
    struct result_file file = {(char *)(uintptr_t)path, document};
    const struct result_files files = {&file, 1};
    (void)format;
    return report_page_write(path, NULL, &files, error);
}

static const struct {
    const char *extension;
    write_fn *write;
    enum bench_format format; /* of a text */
} extensions[] = {
    {".json", write_text, BENCH_JSON},   {".jsonl", write_text, BENCH_JSONL},
    {".csv", write_text, BENCH_CSV},     {".sql", write_text, BENCH_SQL},
    {".md", write_text, BENCH_MARKDOWN}, {".txt", write_text, BENCH_TABLE},
    {".html", write_page, BENCH_JSON},
};
enum { EXTENSIONS = sizeof(extensions) / sizeof(extensions[0]) };

/* EXTENSIONS: it has none of them. */
static size_t extension_of(const char *path)
{
    const char *const dot = strrchr(path, '.');
    size_t i = 0;
    while (i < EXTENSIONS && (!dot || strcmp(dot, extensions[i].extension)))
        i++;
    return i;
}

bool bench_files_check(const struct cli_texts *paths, clnorm_error *error)
{
    for (size_t i = 0; i < paths->n; i++) {
        const char *const path = paths->list[i];
        if (extension_of(path) == EXTENSIONS)
            return refuse(error,
                          "--out '%s': must end with .json, .jsonl, .csv, .sql, .md, .txt or .html",
                          path);
        if (!output_file_allowed(path, NULL, 0, error))
            return false;
    }
    return true;
}

bool bench_file_write(json_t *document, const char *path, clnorm_error *error)
{
    const size_t i = extension_of(path);
    return extensions[i].write(document, path, extensions[i].format, error);
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Only the last line of a run says that the run is complete: whoever has not seen it yet has not
 * seen all. */
void bench_stream_tell(void *user, size_t row)
{
    struct bench_stream *s = user;
    const struct bench_view view = {.stream = stdout};
    s->report->complete = ++s->told == s->rows && !interrupt_pending();
    if (s->code != CLI_OK)
        return;
    json_t *document = bench_document(s->report, row, 1);
    const bool ok = document && bench_print(document, BENCH_JSONL, &view) == CLI_OK;
    json_decref(document);
    if (ok && fflush(stdout) == 0)
        return;
    complain("out of memory, or standard output cannot be written");
    s->code = CLI_DEVICE;
    interrupt_ask(); /* nobody reads what else would be measured */
}
