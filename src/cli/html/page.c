/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/html/page.h"
#include "cli/html/texts.h"
#include "cli/files/output_file.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *script, *library; /* library: what draws charts; empty: none */
    const char *style; /* beside what all have; may be empty */
} kinds[] = {
    [PAGE_REPORT] = {page_text_report, page_text_library, ""},
    [PAGE_CHECK] = {page_text_check, page_text_library, ""},
    [PAGE_EXPLAIN] = {page_text_explain, "", page_text_explain_style},
};

/* ---- texts, each with what must not stand in its place ------------------------------------- */

static void put_plain(FILE *out, const char *text) { fputs(text, out); }

static void put_escaped(FILE *out, const char *text)
{
    for (; *text; text++)
        if (strchr("<>&\"'", *text))
            fprintf(out, "&#%d;", *text);
        else
            putc(*text, out);
}

/* Nothing in it can end the script element, or begin a comment. */
static void put_json(FILE *out, const char *json)
{
    for (; *json; json++)
        if (*json == '<')
            fputs("\\u003c", out);
        else
            putc(*json, out);
}

/* ---- the page ------------------------------------------------------------------------------ */

struct part {
    const char *name, *text;
    void (*put)(FILE *out, const char *text);
};

/* Writes `skeleton`, with each {{NAME}} replaced by the part of that name. */
static void put_parts(FILE *out, const char *skeleton, const struct part *parts, size_t n)
{
    for (const char *mark; (mark = strstr(skeleton, "{{")) != NULL;) {
        const char *const name = mark + 2;
        const size_t length = strcspn(name, "}");
        fwrite(skeleton, 1, (size_t)(mark - skeleton), out);
        for (size_t i = 0; i < n; i++)
            if (strlen(parts[i].name) == length && !strncmp(parts[i].name, name, length))
                parts[i].put(out, parts[i].text);
        skeleton = name + length + strlen("}}");
    }
    fputs(skeleton, out);
}

static void put_page(FILE *out, enum page_kind kind, const char *title, const char *json)
{
    const struct part parts[] = {
        {"title", title, put_escaped},
        {"version", clnorm_version(), put_escaped},
        {"style", page_text_style, put_plain},
        {"own-style", kinds[kind].style, put_plain},
        {"data", json, put_json},
        {"library", kinds[kind].library, put_plain},
        {"shared", page_text_shared, put_plain},
        {"script", kinds[kind].script, put_plain},
    };
    put_parts(out, page_text_page, parts, sizeof(parts) / sizeof(parts[0]));
}

/* What was read from a file comes out with the digits that it had: up to 15, doubles keep. */
static char *data_text(const json_t *data)
{
    return data ? json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
}

bool page_write(const char *path, enum page_kind kind, const char *title, json_t *data,
                clnorm_error *error)
{
    char *text = NULL;
    size_t bytes = 0;
    char *json = data_text(data);
    json_t *const name = json_text(title);
    FILE *out = json && name ? open_memstream(&text, &bytes) : NULL;
    if (out)
        put_page(out, kind, json_string_value(name), json);
    const bool is_put = out && !ferror(out);
    const bool is_complete = out && fclose(out) == 0 && is_put;
    const bool ok =
        (is_complete || out_of_memory(error, bytes)) && output_file_write(path, text, bytes, error);
    free(text);
    free(json);
    json_decref(name);
    json_decref(data);
    return ok;
}
