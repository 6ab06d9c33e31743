/* SPDX-License-Identifier: MIT */
#include "cli/compare/compare.h"
#include "cli/files/output_file.h"
#include "cli/result/about.h"
#include "cli/result/check.h"
#include "cli/result/merge.h"

#include <stdlib.h>
#include <string.h>

/* ---- validate ------------------------------------------------------------------------------ */

static void print_problem(void *user, const char *path, const char *text)
{
    char line[1024];
    snprintf(line, sizeof(line), "%s: %s%s%s", (const char *)user, path, *path ? ": " : "", text);
    make_printable(line);
    puts(line);
}

static size_t problems_of(const struct result_file *file)
{
    size_t n = result_check_form(file->document, print_problem, file->name);
    if (n == 0)
        n = result_check_numbers(file->document, print_problem, file->name);
    if (n == 0)
        printf("%s: ok, %zu results of %zu devices\n", file->name,
               json_array_size(json_object_get(file->document, "results")),
               json_array_size(json_object_get(file->document, "devices")));
    return n;
}

int compare_validate(const struct cli_texts *paths)
{
    size_t problems = 0;
    for (size_t i = 0; i < paths->n; i++) {
        struct result_files files = {0};
        clnorm_error error;
        if (!result_files_load(&files, paths->list[i], &error)) {
            complain_error(&error);
            problems++;
        }
        for (size_t k = 0; k < files.n; k++)
            problems += problems_of(&files.list[k]);
        result_files_release(&files);
    }
    return problems ? CLI_USAGE : CLI_OK;
}

/* ---- merge --------------------------------------------------------------------------------- */

static const char *base_name(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

static bool has_model(const json_t *document, json_int_t model)
{
    const json_t *results = json_object_get(document, "results");
    bool ok = true;
    for (size_t i = 0; ok && i < json_array_size(results); i++)
        ok = result_traffic_model(result_fact(document, json_array_get(results, i), "settings")) ==
             model;
    return ok;
}

static bool merge_all(struct result_merge *merge, const struct result_files *files, bool force,
                      clnorm_error *error)
{
    bool ok = true;
    json_t *names = json_array();
    const json_int_t model =
        result_traffic_model(json_object_get(files->list[0].document, "settings"));
    for (size_t i = 0; ok && i < files->n; i++) {
        const struct result_file *file = &files->list[i], *first = &files->list[0];
        if (!force && !has_model(file->document, model))
            ok = refuse(error,
                        "%s counts bytes by another traffic model than %s: their rates mean "
                        "other things; measure again, or give --force",
                        file->name, first->name);
        ok = ok && result_merge_add(merge, file->document, file->name, error);
        json_array_append_new(names, json_text(base_name(file->name)));
    }
    ok = ok && result_merge_finish(merge, error);
    json_object_set_new(merge->document, "merged", names);
    return ok;
}

static bool write_text(const char *path, const char *text, clnorm_error *error)
{
    if (path)
        return output_file_write(path, text, strlen(text), error);
    fputs(text, stdout);
    return true;
}

int compare_merge(const struct result_files *files, const char *output, bool force)
{
    struct result_merge merge = {0};
    clnorm_error error;
    bool ok = merge_all(&merge, files, force, &error);
    char *text = ok ? result_file_text(merge.document) : NULL;
    if (ok)
        ok = text ? write_text(output, text, &error) : out_of_memory(&error, 0);
    free(text);
    result_merge_release(&merge);
    return ok ? CLI_OK : complain_error(&error);
}
