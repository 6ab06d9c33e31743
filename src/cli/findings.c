/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/findings.h"
#include "cli/devices/probe.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_PATH = 1024, MAX_PLATFORMS = 32 };

/* File names need not be UTF-8, which JSON is. */
static json_t *text_of(const char *bytes)
{
    char text[2048];
    snprintf(text, sizeof(text), "%s", bytes);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    json_t *value = json_string(text);
    for (char *c = text; !value && *c; c++)
        if ((unsigned char)*c > 127)
            *c = '?';
    return value ? value : json_string(text);
}

void findings_add(json_t *findings, const char *topic, bool ok, const char *name,
                  const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    json_array_append_new(findings, json_pack("{s:s, s:o, s:o, s:b}", "topic", topic, "name",
                                              text_of(name), "text", text_of(text), "ok", ok));
}

/* ---- drivers ---- */

/* Loaders skip a library without these, and say nothing. */
static const char *const entry_points[] = {"clGetExtensionFunctionAddress", "clGetPlatformInfo",
                                           "clIcdGetPlatformIDsKHR"};

static bool probe_library(const char *path, char *text, size_t capacity)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(text, capacity, "does not load: %s", dlerror());
        return false;
    }
    for (size_t i = 0; i < COUNT(entry_points); i++) {
        if (dlsym(library, entry_points[i])) {
            snprintf(text, capacity, "loads");
            return true;
        }
    }
    snprintf(text, capacity, "loads, but is no OpenCL driver: it lacks %s", entry_points[0]);
    return false;
}

static void add_library(json_t *findings, const char *name, const char *library)
{
    struct probe_answer answer;
    probe_run(probe_library, library, &answer);
    findings_add(findings, "drivers", answer.ok, name, "%s %s", library, answer.text);
}

static void add_icd_file(json_t *findings, const char *path)
{
    char library[MAX_PATH] = "";
    FILE *file = fopen(path, "r");
    if (!file) {
        findings_add(findings, "drivers", false, path, "cannot be read: %s", strerror(errno));
        return;
    }
    if (!fgets(library, sizeof(library), file))
        library[0] = '\0';
    fclose(file);
    library[strcspn(library, "\r\n")] = '\0';
    if (library[0])
        add_library(findings, path, library);
    else
        findings_add(findings, "drivers", false, path, "is empty: it must name a library");
}

static bool is_icd(const char *name)
{
    const size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".icd") == 0;
}

static int keep_icd(const struct dirent *entry) { return is_icd(entry->d_name); }

static void add_folder(json_t *findings, const char *folder)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, keep_icd, alphasort);
    if (count < 0)
        findings_add(findings, "drivers", false, folder, "cannot be read: %s", strerror(errno));
    if (count == 0)
        findings_add(findings, "drivers", false, folder, "has no .icd file");
    for (int i = 0; i < count; i++) {
        char path[MAX_PATH];
        snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        add_icd_file(findings, path);
        free(entries[i]);
    }
    free(entries);
}

/* A folder, an .icd file or, for ocl-icd, a library. */
static void add_place(json_t *findings, const char *place)
{
    struct stat about;
    if (stat(place, &about) == 0 && S_ISDIR(about.st_mode))
        add_folder(findings, place);
    else if (is_icd(place))
        add_icd_file(findings, place);
    else if (strstr(place, ".so"))
        add_library(findings, place, place);
    else
        add_folder(findings, place);
}

void findings_drivers(json_t *findings)
{
#ifdef __APPLE__
    findings_add(findings, "drivers", true, "OpenCL.framework", "is part of macOS");
#else
    const char *vendors = getenv("OCL_ICD_VENDORS"), *more = getenv("OCL_ICD_FILENAMES");
    if (!vendors || !vendors[0])
        vendors = getenv("OPENCL_VENDOR_PATH");
    add_place(findings, vendors && vendors[0] ? vendors : "/etc/OpenCL/vendors");
    while (more && *more) {
        char place[MAX_PATH];
        const size_t length = strcspn(more, ":");
        snprintf(place, sizeof(place), "%.*s", (int)length, more);
        if (place[0])
            add_place(findings, place);
        more += length + (more[length] == ':');
    }
#endif
}

/* ---- platforms ---- */

/* Appends the line "NAME<tab>what it has". */
static bool describe_platform(cl_platform_id platform, char *text, size_t capacity)
{
    char name[128] = "?";
    cl_uint count = 0;
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof(name), name, NULL);
    const cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count);
    if (code == CL_SUCCESS)
        snprintf(text, capacity, "%s\t%u device%s\n", name, (unsigned)count, count == 1 ? "" : "s");
    else if (code == CL_DEVICE_NOT_FOUND)
        snprintf(text, capacity, "%s\tno device\n", name);
    else
        snprintf(text, capacity, "%s\tclGetDeviceIDs failed: %d\n", name, (int)code);
    return code == CL_SUCCESS && count > 0;
}

static bool probe_platforms(const char *argument, char *text, size_t capacity)
{
    (void)argument;
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint count = 0;
    bool any = false;
    if (clGetPlatformIDs(MAX_PLATFORMS, platforms, &count) != CL_SUCCESS)
        count = 0;
    for (cl_uint i = 0; i < count && i < MAX_PLATFORMS; i++) {
        const size_t used = strlen(text);
        any |= describe_platform(platforms[i], text + used, capacity - used);
    }
    return any;
}

bool findings_platforms(json_t *findings)
{
    struct probe_answer answer;
    probe_run(probe_platforms, NULL, &answer);
    if (!answer.survived)
        findings_add(findings, "platforms", false, "a driver", "%s: remove its .icd file",
                     answer.text);
    else if (!answer.text[0])
        findings_add(findings, "platforms", false, "none", "the loader finds no driver that works");
    for (char *line = answer.text, *end; answer.survived && (end = strchr(line, '\n'));
         line = end + 1) {
        *end = '\0';
        char *what = line + strcspn(line, "\t");
        const bool has_device = what[0] && what[1] >= '1' && what[1] <= '9';
        if (*what)
            *what++ = '\0';
        findings_add(findings, "platforms", has_device, line, "%s", what);
    }
    return answer.survived;
}
