/* SPDX-License-Identifier: MIT */
#include "cli/interrupt.h"
#include "cli/report_page.h"
#include "cli/result/file.h"

struct wishes {
    struct cli_texts files;
    char *output, *title;
};

/* ---- the command --------------------------------------------------------------------------- */

static bool read_files(struct result_files *files, const struct cli_texts *paths,
                       clnorm_error *error)
{
    for (size_t i = 0; i < paths->n; i++)
        if (!result_files_read(files, paths->list[i], error))
            return false;
    return true;
}

static int report(const struct wishes *wishes)
{
    struct result_files files = {0};
    clnorm_error error = {.status = CLNORM_OK};
    if (!wishes->output) {
        complain("-o is missing: the file of the page, such as report.html");
        return CLI_USAGE;
    }
    const bool ok = result_output_allowed(wishes->output, &wishes->files, &error) &&
                    read_files(&files, &wishes->files, &error) &&
                    report_page_write(wishes->output, wishes->title, &files, &error);
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
