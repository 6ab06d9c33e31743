/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"
#include "cli/files/output_file.h"
#include "cli/html/page.h"
#include "cli/result/file.h"

#include <string.h>

struct wishes {
    struct cli_texts files;
    char *output, *title;
};

static const json_t *devices_of(const struct result_file *file)
{
    return json_object_get(file->document, "devices");
}

/* ---- what the page holds ------------------------------------------------------------------- */

static const char *without_directory(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* Where a file was is nobody's business, unless two files differ in nothing else. */
static const char *shown_name(const struct result_files *files, size_t place)
{
    const char *const name = without_directory(files->list[place].name);
    for (size_t i = 0; i < files->n; i++)
        if (i != place && !strcmp(without_directory(files->list[i].name), name))
            return files->list[place].name;
    return name;
}

static json_t *page_data(const struct result_files *files, const char *title)
{
    json_t *list = json_array();
    for (size_t i = 0; i < files->n; i++)
        json_array_append_new(list, json_pack("{s:o, s:O}", "name", json_text(shown_name(files, i)),
                                              "data", files->list[i].document));
    return json_pack("{s:o, s:o}", "title", json_text(title), "files", list);
}

static void default_title(const struct result_files *files, char *title, size_t room)
{
    const json_t *const own = json_object_get(files->list[0].document, "title");
    const json_t *const first = json_array_get(devices_of(&files->list[0]), 0);
    size_t count = 0;
    for (size_t i = 0; i < files->n; i++)
        count += json_array_size(devices_of(&files->list[i]));
    if (files->n == 1 && json_is_string(own))
        snprintf(title, room, "%s", json_string_value(own));
    else if (count == 1)
        snprintf(title, room, "Normalization on %s",
                 json_string_value(json_object_get(first, "name")));
    else
        snprintf(title, room, "Normalization on %zu devices", count);
}

/* ---- the command --------------------------------------------------------------------------- */

static bool read_files(struct result_files *files, const struct cli_texts *paths,
                       clnorm_error *error)
{
    for (size_t i = 0; i < paths->n; i++)
        if (!result_files_read(files, paths->list[i], error))
            return false;
    return true;
}

static bool write_page(const struct result_files *files, const struct wishes *wishes,
                       clnorm_error *error)
{
    char title[512];
    default_title(files, title, sizeof(title));
    const char *const chosen = wishes->title ? wishes->title : title;
    return page_write(wishes->output, PAGE_REPORT, chosen, page_data(files, chosen), error);
}

static int report(const struct wishes *wishes)
{
    struct result_files files = {0};
    clnorm_error error = {.status = CLNORM_OK};
    if (!wishes->output) {
        complain("-o is missing: the file of the page, such as report.html");
        return CLI_USAGE;
    }
    const bool ok = output_file_allowed(wishes->output, &error) &&
                    read_files(&files, &wishes->files, &error) &&
                    write_page(&files, wishes, &error);
    const int code = ok ? CLI_OK : complain_error(&error);
    result_files_release(&files);
    return code;
}

int cmd_report(int argc, const char **argv)
{
    struct wishes wishes = {.output = NULL};
    const struct cli_option options[] = {
        {"output", 'o', OPTION_FILE, &wishes.output, "FILE", "the page, such as report.html"},
        {"title", 0, OPTION_TEXT, &wishes.title, "TEXT",
         "of the page (the file's own, or the devices)"},
        {"FILE", 0, OPTION_OPERANDS, &wishes.files, NULL, NULL},
        {0},
    };
    static const struct cli_usage usage = {
        .summary = "FILE... -o OUT.html [OPTION...]",
        .examples =
            "Write one page about the devices of these files, with tables, charts and the numbers\n"
            "themselves. It opens in any browser and loads nothing. A file is what clnorm bench\n"
            "wrote, as JSON or JSONL, or such a page; '-' is standard input.\n"
            "\n"
            "Examples:\n"
            "  clnorm report gpu.json -o gpu.html\n"
            "  clnorm report laptop.json server.jsonl -o report.html --title 'Laptop and server'\n",
    };
    int code = options_parse(argc, argv, options, &usage, NULL);
    if (code == CLI_GO_ON)
        code = report(&wishes);
    options_release(options);
    return code;
}
