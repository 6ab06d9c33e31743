/* SPDX-License-Identifier: MIT */
#include "cli/report_page.h"
#include "cli/html/page.h"

#include <string.h>

static const json_t *devices_of(const struct result_file *file)
{
    return json_object_get(file->document, "devices");
}

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

bool report_page_write(const char *path, const char *title, const struct result_files *files,
                       clnorm_error *error)
{
    char usual[512];
    default_title(files, usual, sizeof(usual));
    const char *const chosen = title ? title : usual;
    return page_write(path, PAGE_REPORT, chosen, page_data(files, chosen), error);
}
