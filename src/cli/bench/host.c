/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/bench/report.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* What stands behind `key` in a file of lines such as "NAME=value" or "name : value", without
 * quotes; "?" if there is no such file or line. */
static void read_line(const char *path, const char *key, char *value, size_t bytes)
{
    char line[512];
    FILE *file = fopen(path, "r");
    snprintf(value, bytes, "?");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, key, strlen(key)))
            continue;
        const char *begin = line + strlen(key) + strspn(line + strlen(key), " \t:=\"");
        snprintf(value, bytes, "%.*s", (int)strcspn(begin, "\"\n"), begin);
        break;
    }
    if (file)
        fclose(file);
}

/* ---- power --------------------------------------------------------------------------------- */

/* Whether the file DIRECTORY/SUPPLY/KEY has this word. */
static bool power_is(const char *directory, const char *supply, const char *key, const char *word)
{
    char path[512], value[64] = "";
    snprintf(path, sizeof(path), "%s/%s/%s", directory, supply, key);
    FILE *file = fopen(path, "r");
    const bool is = file && fscanf(file, "%63s", value) == 1 && !strcmp(value, word);
    if (file)
        fclose(file);
    return is;
}

bool bench_on_battery(const char *directory)
{
    DIR *list = opendir(directory);
    bool discharges = false, plugged = false;
    for (const struct dirent *entry; list && (entry = readdir(list));) {
        const char *const supply = entry->d_name;
        if (power_is(directory, supply, "scope", "Device"))
            continue;
        plugged |= power_is(directory, supply, "type", "Mains") &&
                   power_is(directory, supply, "online", "1");
        discharges |= power_is(directory, supply, "type", "Battery") &&
                      power_is(directory, supply, "status", "Discharging");
    }
    if (list)
        closedir(list);
    return discharges && !plugged;
}

/* ---- the machine --------------------------------------------------------------------------- */

void bench_host_look(struct bench_host *host)
{
    *host = (struct bench_host){.created = time(NULL),
                                .load = -1,
                                .cpus = sysconf(_SC_NPROCESSORS_ONLN),
                                .on_battery = bench_on_battery("/sys/class/power_supply")};
    if (getloadavg(&host->load, 1) != 1)
        host->load = -1;
}

json_t *bench_host_facts(const struct bench_host *host)
{
    struct utsname name = {.sysname = "?"};
    char os[128], cpu[128];
    uname(&name);
    read_line("/etc/os-release", "PRETTY_NAME", os, sizeof(os));
    read_line("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "os",
                     json_text(os[0] == '?' ? name.sysname : os), "kernel", json_text(name.release),
                     "arch", json_text(name.machine), "cpu", json_text(cpu), "cpus",
                     (json_int_t)host->cpus, "mem_bytes", (json_int_t)pages * page, "load",
                     host->load < 0 ? json_null() : json_finite(host->load));
}

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " TEXT(__GNUC__) "." TEXT(__GNUC_MINOR__) "." TEXT(__GNUC_PATCHLEVEL__)
#else
#define COMPILER "?"
#endif

json_t *bench_tool(void)
{
#if defined(__SANITIZE_ADDRESS__)
    const char *const build = "sanitized";
#elif defined(__OPTIMIZE__)
    const char *const build = "release";
#else
    const char *const build = "debug";
#endif
    return json_pack("{s:s, s:s?, s:s, s:s}", "version", clnorm_version(), "commit", build_commit(),
                     "build", build, "compiler", COMPILER);
}
