/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/bench/report.h"

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

json_t *bench_host(void)
{
    struct utsname name = {.sysname = "?"};
    char os[128], cpu[128];
    double load = 0;
    uname(&name);
    read_line("/etc/os-release", "PRETTY_NAME", os, sizeof(os));
    read_line("/proc/cpuinfo", "model name", cpu, sizeof(cpu));
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const bool known = getloadavg(&load, 1) == 1;
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:o}", "os",
                     json_text(os[0] == '?' ? name.sysname : os), "kernel", json_text(name.release),
                     "arch", json_text(name.machine), "cpu", json_text(cpu), "cpus",
                     (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "mem_bytes",
                     (json_int_t)pages * page, "load", known ? json_finite(load) : json_null());
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
