/* SPDX-License-Identifier: MIT */
#include "base/cache_upkeep.h"
#include "cli/cache_setting.h"
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

struct wishes {
    char *action;
    bool json, no_color;
};

static double mib(uint64_t bytes) { return (double)bytes / (1 << 20); }

/* ---- stat ---------------------------------------------------------------------------------- */

/* The device of a label that is "PLATFORM\nDEVICE", which becomes the platform. */
static const char *split(char *label)
{
    char *newline = strchr(label, '\n');
    if (!newline)
        return "";
    *newline = '\0';
    return newline + 1;
}

static int print_groups(clnorm_cache_stat *stat, bool color)
{
    static const struct table_column columns[] = {
        {.title = "platform", .shrinks = 1},
        {.title = "device", .shrinks = 1},
        {.title = "programs", .right = true},
        {.title = "MiB", .right = true},
    };
    struct table table = {.columns = columns, .n_columns = sizeof(columns) / sizeof(columns[0])};
    for (size_t i = 0; i < stat->n_groups; i++) {
        clnorm_cache_group *group = &stat->groups[i];
        const char *device = split(group->label);
        table_add(&table, TONE_PLAIN, "%s", group->label);
        table_add(&table, TONE_PLAIN, "%s", device);
        table_add(&table, TONE_PLAIN, "%zu", group->entries);
        table_add(&table, TONE_PLAIN, "%.2f", mib(group->bytes));
    }
    const int code =
        stat->n_groups ? table_print(&table, stdout, terminal_width(stdout), color) : CLI_OK;
    table_release(&table);
    return code;
}

static int print_stat(const clnorm_cache_dir *dir, bool on, clnorm_cache_stat *stat, bool color)
{
    printf("%s: %s, %zu program%s, %.2f of at most %.0f MiB\n", dir->path,
           !on           ? "off"
           : dir->fd < 0 ? "on, not made yet"
                         : "on",
           stat->entries, stat->entries == 1 ? "" : "s", mib(stat->bytes),
           mib(CLNORM_CACHE_DEFAULT_BYTES));
    if (stat->damaged)
        printf("%zu damaged: compiled anew when they are needed\n", stat->damaged);
    if (stat->quarantined)
        printf("%zu left out for a day: a process ended while its driver loaded it\n",
               stat->quarantined);
    return print_groups(stat, color);
}

static int print_stat_json(const clnorm_cache_dir *dir, bool on, clnorm_cache_stat *stat)
{
    json_t *devices = json_array();
    for (size_t i = 0; i < stat->n_groups; i++) {
        clnorm_cache_group *group = &stat->groups[i];
        const char *device = split(group->label);
        json_array_append_new(
            devices, json_pack("{s:o, s:o, s:I, s:I}", "platform", json_text(group->label),
                               "device", json_text(device), "programs", (json_int_t)group->entries,
                               "bytes", (json_int_t)group->bytes));
    }
    return print_json(
        json_pack("{s:s, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "version", clnorm_version(),
                  "directory", json_text(dir->path), "on", on, "programs",
                  (json_int_t)stat->entries, "damaged", (json_int_t)stat->damaged, "quarantined",
                  (json_int_t)stat->quarantined, "bytes", (json_int_t)stat->bytes, "max_bytes",
                  (json_int_t)CLNORM_CACHE_DEFAULT_BYTES, "devices", devices));
}

static int show(const clnorm_cache_dir *dir, const struct cache_setting *setting,
                const struct wishes *wishes)
{
    clnorm_cache_stat stat;
    if (!clnorm_cache_count(dir, &stat)) {
        complain("%s: cannot be read", dir->path);
        return CLI_USAGE;
    }
    const int code = wishes->json
                         ? print_stat_json(dir, setting->on, &stat)
                         : print_stat(dir, setting->on, &stat, use_color(stdout, wishes->no_color));
    free(stat.groups);
    return code;
}

/* ---- clear --------------------------------------------------------------------------------- */

static int clear(const clnorm_cache_dir *dir, const struct cache_setting *setting,
                 const struct wishes *wishes)
{
    size_t programs = 0;
    uint64_t bytes = 0;
    (void)setting;
    if (!clnorm_cache_clear(dir, &programs, &bytes)) {
        complain("%s: not all of it can be removed", dir->path);
        return CLI_USAGE;
    }
    if (wishes->json)
        return print_json(json_pack("{s:s, s:o, s:I, s:I}", "version", clnorm_version(),
                                    "directory", json_text(dir->path), "programs",
                                    (json_int_t)programs, "bytes", (json_int_t)bytes));
    printf("%s: removed %zu program%s, %.2f MiB\n", dir->path, programs, programs == 1 ? "" : "s",
           mib(bytes));
    return CLI_OK;
}

/* ---- the command --------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(const clnorm_cache_dir *dir, const struct cache_setting *setting,
               const struct wishes *wishes);
} actions[] = {{"stat", show}, {"clear", clear}};

static int act(const struct wishes *wishes)
{
    struct cache_setting setting;
    clnorm_cache_dir dir;
    clnorm_error error;
    size_t i = 0;
    while (i < sizeof(actions) / sizeof(actions[0]) && strcmp(wishes->action, actions[i].name) != 0)
        i++;
    if (i == sizeof(actions) / sizeof(actions[0])) {
        complain("clnorm cache '%s': must be stat or clear", wishes->action);
        return CLI_USAGE;
    }
    if (!cache_setting_read(&setting, &error) ||
        !clnorm_cache_open(&dir, setting.directory, false, &error))
        return complain_error(&error);
    const int code = actions[i].run(&dir, &setting, wishes);
    clnorm_cache_close(&dir);
    return code;
}

int cmd_cache(int argc, const char **argv)
{
    struct wishes wishes = {0};
    const struct cli_option options[] = {
        {"stat|clear", 0, OPTION_OPERAND, &wishes.action, NULL, NULL},
        {"json", 0, OPTION_FLAG, &wishes.json, NULL, "print JSON"},
        {"no-color", 0, OPTION_FLAG, &wishes.no_color, NULL, "no colours"},
        {.type = OPTION_END},
    };
    static const struct cli_usage usage = {
        .summary = "stat|clear [OPTION...]",
        .examples =
            "Compiled programs are kept in files, so that the next run need not wait for the\n"
            "compiler. stat: where, how many, for which devices; clear: remove them.\n"
            "\n"
            "Environment:\n"
            "  CLNORM_CACHE      on (the default) or off\n"
            "  CLNORM_CACHE_DIR  instead of $XDG_CACHE_HOME/clnorm or ~/.cache/clnorm\n"
            "\n"
            "Examples:\n"
            "  clnorm cache stat\n"
            "  clnorm cache clear\n",
    };
    int code = options_parse(argc, argv, options, &usage, NULL);
    if (code == CLI_GO_ON)
        code = act(&wishes);
    options_release(options);
    return code;
}
