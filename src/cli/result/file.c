/* SPDX-License-Identifier: MIT */
#include "cli/result/file.h"
#include "cli/files/output_file.h"
#include "cli/result/about.h"
#include "cli/result/check.h"
#include "cli/result/page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const size_t most_bytes = (size_t)256 << 20;
static const char spaces[] = " \t\r\n";

struct source {
    const char *name;
    char *text; /* ends in a 0 that is not counted */
    size_t bytes;
};

/* ---- the bytes ----------------------------------------------------------------------------- */

static bool grow(struct source *source, size_t *room, clnorm_error *error)
{
    *room *= 2;
    char *larger = realloc(source->text, *room);
    if (!larger)
        return out_of_memory(error, *room);
    source->text = larger;
    return true;
}

static bool read_stream(struct source *source, FILE *stream, clnorm_error *error)
{
    size_t room = 1 << 15, got;
    bool ok = grow(source, &room, error);
    while (ok && (got = fread(source->text + source->bytes, 1, room - 1 - source->bytes, stream))) {
        source->bytes += got;
        if (source->bytes > most_bytes)
            ok = refuse(error, "%s: has more than %zu bytes", source->name, most_bytes);
        else if (room - 1 == source->bytes)
            ok = grow(source, &room, error);
    }
    if (ok && ferror(stream))
        ok = refuse(error, "%s: cannot be read: %s", source->name, strerror(errno));
    if (ok)
        source->text[source->bytes] = '\0';
    return ok;
}

static bool read_source(struct source *source, const char *path, clnorm_error *error)
{
    const bool is_input = !strcmp(path, "-");
    *source = (struct source){.name = is_input ? "standard input" : path};
    FILE *stream = is_input ? stdin : fopen(path, "rb");
    if (!stream)
        return refuse(error, "%s: cannot be read: %s", path, strerror(errno));
    const bool ok = read_stream(source, stream, error);
    if (!is_input)
        fclose(stream);
    if (ok && memchr(source->text, '\0', source->bytes))
        return refuse(error, "%s: is not text", source->name);
    return ok;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

/* line: what is added to the lines that the parser counts. */
static json_t *parse(const char *name, const char *text, size_t bytes, size_t flags, size_t line,
                     size_t *used, clnorm_error *error)
{
    json_error_t reason;
    json_t *value = json_loadb(text, bytes, JSON_REJECT_DUPLICATES | flags, &reason);
    if (!value)
        refuse(error, "%s: line %zu, column %d: %s", name, line + (size_t)reason.line,
               reason.column, reason.text);
    else if (used)
        *used = (size_t)reason.position;
    return value;
}

/* Takes `document`. */
static bool add(struct result_files *files, const char *name, json_t *document, clnorm_error *error)
{
    const size_t room = strlen(name) + 1, bytes = (files->n + 1) * sizeof(files->list[0]);
    struct result_file *larger = realloc(files->list, bytes);
    char *copy = malloc(room);
    if (larger)
        files->list = larger;
    if (!larger || !copy) {
        json_decref(document);
        free(copy);
        return out_of_memory(error, bytes + room);
    }
    memcpy(copy, name, room);
    files->list[files->n++] = (struct result_file){copy, document};
    return true;
}

/* ---- JSONL --------------------------------------------------------------------------------- */

/* What a line says of the document that it is of. */
static const char *const document_keys[] = {"schema", "complete", "created", "command",
                                            "title",  "tool",     "host",    "settings"};

static bool is_line(const json_t *object)
{
    return json_object_get(object, "case") && !json_object_get(object, "results");
}

static json_t *document_of(const json_t *line)
{
    json_t *document =
        json_pack("{s:b, s:{}, s:[], s:[]}", "complete", 1, "settings", "devices", "results");
    for (size_t i = 0; i < sizeof(document_keys) / sizeof(document_keys[0]); i++)
        if (json_object_get(line, document_keys[i]))
            json_object_set(document, document_keys[i], json_object_get(line, document_keys[i]));
    return document;
}

/* The place of this device in the array, where it is put if it is not in there yet. */
static json_int_t place_of(json_t *devices, json_t *device)
{
    size_t i = 0;
    while (i < json_array_size(devices) && !json_equal(json_array_get(devices, i), device))
        i++;
    if (i == json_array_size(devices))
        json_array_append(devices, device);
    return (json_int_t)i;
}

static void add_line(json_t *document, json_t *line)
{
    /* lines of several runs may be in one file */
    json_t *device =
        result_device_in(document, result_run_whole(line, json_object_get(line, "device"), NULL));
    const json_int_t place = place_of(json_object_get(document, "devices"), device);
    json_decref(device);
    if (json_object_get(line, "complete")) /* the last line knows */
        json_object_set(document, "complete", json_object_get(line, "complete"));
    for (size_t i = 0; i < sizeof(document_keys) / sizeof(document_keys[0]); i++)
        json_object_del(line, document_keys[i]);
    json_object_set_new(line, "device", json_integer(place));
    json_array_append(json_object_get(document, "results"), line);
}

/* NULL where a line is no JSON, or no result. */
static json_t *parse_line(const struct source *source, const char *text, size_t bytes,
                          size_t number, clnorm_error *error)
{
    json_t *line = parse(source->name, text, bytes, 0, number, NULL, error);
    const json_t *device = json_object_get(line, "device");
    if (!line || (is_line(line) && json_is_object(device)))
        return line;
    json_decref(line);
    refuse(error, "%s: line %zu: must be a result with its case, and its device as an object",
           source->name, number + 1);
    return NULL;
}

static bool read_lines(struct result_files *files, const struct source *source, const char *text,
                       clnorm_error *error)
{
    json_t *document = NULL;
    for (size_t number = 0; *text; number++) {
        const size_t bytes = strcspn(text, "\n");
        const bool is_whole = text[bytes] == '\n';
        if (strspn(text, spaces) < bytes) {
            json_t *line = parse_line(source, text, bytes, number, error);
            if (!line && document && !is_whole) {
                complain("%s: line %zu was cut short, and is left out", source->name, number + 1);
                json_object_set_new(document, "complete", json_false());
                break;
            }
            if (!line) {
                json_decref(document);
                return false;
            }
            document = document ? document : document_of(line);
            add_line(document, line);
            json_decref(line);
        }
        text += bytes + is_whole;
    }
    return add(files, source->name, document, error);
}

/* ---- pages --------------------------------------------------------------------------------- */

static bool add_of_page(struct result_files *files, const struct source *source,
                        const json_t *entry, bool is_only, clnorm_error *error)
{
    char name[512];
    const char *inner = json_string_value(json_object_get(entry, "name"));
    json_t *document = json_object_get(entry, "data");
    if (!inner || !document)
        return refuse(error,
                      "%s: its data are not those of clnorm report: a file without a name "
                      "or data",
                      source->name);
    snprintf(name, sizeof(name), "%s%s%s", source->name, is_only ? "" : ":", is_only ? "" : inner);
    return add(files, name, json_incref(document), error);
}

static bool read_page(struct result_files *files, const struct source *source, clnorm_error *error)
{
    const char *text;
    size_t bytes;
    if (!result_page_data(source->text, &text, &bytes))
        return refuse(error, "%s: has no data of clnorm report: no <script id=\"%s\">",
                      source->name, RESULT_PAGE_ID);
    size_t line = 0;
    for (const char *at = source->text; at < text; at++)
        line += *at == '\n';
    json_t *data = parse(source->name, text, bytes, 0, line, NULL, error);
    const json_t *list = json_object_get(data, "files");
    const size_t n = json_array_size(list);
    bool ok = data != NULL;
    if (data && n == 0)
        ok = refuse(error, "%s: its data are not those of clnorm report: no files", source->name);
    for (size_t i = 0; ok && i < n; i++)
        ok = add_of_page(files, source, json_array_get(list, i), n == 1, error);
    json_decref(data);
    return ok;
}

/* ---- all of them --------------------------------------------------------------------------- */

static bool read_document(struct result_files *files, const struct source *source, const char *text,
                          clnorm_error *error)
{
    size_t used = 0;
    json_t *document =
        parse(source->name, text, strlen(text), JSON_DISABLE_EOF_CHECK, 0, &used, error);
    if (!document)
        return false;
    if (is_line(document)) {
        json_decref(document);
        return read_lines(files, source, text, error);
    }
    if (text[used + strspn(text + used, spaces)]) {
        json_decref(document);
        return refuse(error, "%s: there is more behind the document, which ends at byte %zu",
                      source->name, used);
    }
    return add(files, source->name, document, error);
}

bool result_files_load(struct result_files *files, const char *path, clnorm_error *error)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, as some editors put it there */
    struct source source;
    bool ok = read_source(&source, path, error);
    if (ok) {
        const char *text = source.text;
        text += strncmp(text, mark, strlen(mark)) ? 0 : strlen(mark);
        text += strspn(text, spaces);
        if (!*text)
            ok = refuse(error, "%s: is empty; must be what clnorm bench or clnorm report wrote",
                        source.name);
        else if (*text == '<')
            ok = read_page(files, &source, error);
        else
            ok = read_document(files, &source, text, error);
    }
    free(source.text);
    return ok;
}

struct first_problem {
    bool is_there;
    char path[256], text[512];
};

static void keep_first(void *user, const char *path, const char *text)
{
    struct first_problem *first = user;
    if (first->is_there)
        return;
    first->is_there = true;
    snprintf(first->path, sizeof(first->path), "%s", path);
    snprintf(first->text, sizeof(first->text), "%s", text);
}

bool result_files_read(struct result_files *files, const char *path, clnorm_error *error)
{
    struct first_problem first = {.is_there = false};
    const size_t before = files->n;
    if (!result_files_load(files, path, error))
        return false;
    for (size_t i = before; i < files->n; i++)
        if (result_check_form(files->list[i].document, keep_first, &first) > 0)
            return refuse(error, "%s: %s%s%s", files->list[i].name, first.path,
                          *first.path ? ": " : "", first.text);
    return true;
}

bool result_output_allowed(const char *path, const struct cli_texts *inputs, clnorm_error *error)
{
    const size_t n = inputs ? inputs->n : 0;
    const char **paths = malloc((n + 1) * sizeof(*paths));
    if (!paths)
        return out_of_memory(error, (n + 1) * sizeof(*paths));
    for (size_t i = 0; i < n; i++)
        paths[i] = strcmp(inputs->list[i], "-") ? inputs->list[i] : "/dev/stdin";
    const bool ok = output_file_allowed(path, paths, n, error);
    free(paths);
    return ok;
}

void result_files_release(struct result_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        free(files->list[i].name);
        json_decref(files->list[i].document);
    }
    free(files->list);
    *files = (struct result_files){0};
}
