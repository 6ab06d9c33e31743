/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cli/devices/doctor.h"
#include "base/cache_upkeep.h"
#include "cli/cache_setting.h"
#include "cli/findings.h"
#include "cli/devices/probe.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { MAX_PATH = 1024 };

/* ---- environment ---- */

static const struct {
    const char *name, *meaning;
} variables[] = {
    {"CLNORM_DEVICE", "the device that clnorm uses when none is asked for"},
    {"CLNORM_CACHE", "on or off: whether clnorm keeps compiled programs"},
    {"CLNORM_CACHE_DIR", "where clnorm keeps them"},
    {"OCL_ICD_VENDORS", "where the loader looks for drivers: a folder, an .icd file or a library"},
    {"OCL_ICD_FILENAMES", "more drivers (Khronos loader)"},
    {"OPENCL_VENDOR_PATH", "where ocl-icd looks for drivers"},
    {"OCL_ICD_PLATFORM_SORT", "order of platforms (ocl-icd)"},
    {"OCL_ICD_DEFAULT_PLATFORM", "the platform for programs that ask for none (ocl-icd)"},
    {"OCL_ICD_ENABLE_TRACE", "the loader prints what it does (Khronos loader)"},
    {"OCL_ICD_DISABLE_DYNAMIC_LIBRARY_UNLOADING", "drivers stay loaded (Khronos loader)"},
    {"OPENCL_LAYERS", "libraries between the program and the drivers"},
    {"OPENCL_LAYER_PATH", "where layers are looked for"},
    {"POCL_DEVICES", "the devices that PoCL offers"},
    {"POCL_CACHE_DIR", "where PoCL keeps compiled kernels: must exist"},
    {"POCL_MAX_PTHREAD_COUNT", "compute units of PoCL's CPU device"},
    {"POCL_CPU_MAX_CU_COUNT", "compute units of PoCL's CPU device (new versions)"},
    {"POCL_MAX_WORK_GROUP_SIZE", "largest work-group of PoCL"},
    {"POCL_MEMORY_LIMIT", "GiB that PoCL offers"},
    {"POCL_WORK_GROUP_SPECIALIZATION", "0: PoCL does not compile for each work-group size"},
    {"POCL_KERNEL_CACHE", "0: PoCL forgets compiled kernels"},
    {"POCL_BUILDING", "PoCL uses files of its build folder"},
    {"RUSTICL_ENABLE", "the drivers that rusticl offers, such as radeonsi,iris,llvmpipe"},
    {"RUSTICL_FEATURES", "features that rusticl hides otherwise, such as fp16,fp64"},
    {"CUDA_VISIBLE_DEVICES", "the NVIDIA devices that are shown"},
    {"LD_LIBRARY_PATH", "may put another OpenCL loader before the system's"},
};

static void add_environment(json_t *findings)
{
    for (size_t i = 0; i < COUNT(variables); i++) {
        const char *value = getenv(variables[i].name);
        if (value)
            findings_add(findings, "environment", true, variables[i].name, "\"%s\": %s", value,
                         variables[i].meaning);
    }
}

/* ---- loader ---- */

/* ocl-icd tells its version to who asks; other loaders do not know the question. It may load the
 * drivers to answer. */
static bool probe_loader(const char *argument, char *text, size_t capacity)
{
    enum { OPENCL = 1, VERSION = 2, NAME = 3 };
    typedef void *(*address_fn)(const char *name);
    typedef cl_int (*info_fn)(cl_uint param, size_t bytes, void *value, size_t *needed);
    (void)argument;
    char opencl[64] = "", version[64] = "", name[64] = "";
    address_fn address = NULL;
    info_fn info = NULL;
    *(void **)&address = dlsym(RTLD_DEFAULT, "clGetExtensionFunctionAddress");
    if (address)
        *(void **)&info = address("clGetICDLoaderInfoOCLICD");
    if (!info)
        return false;
    info(OPENCL, sizeof(opencl) - 1, opencl, NULL);
    info(VERSION, sizeof(version) - 1, version, NULL);
    info(NAME, sizeof(name) - 1, name, NULL);
    snprintf(text, capacity, "%s %s, %s", name, version, opencl);
    return true;
}

static void add_loader(json_t *findings)
{
    Dl_info about;
    struct probe_answer answer;
    void *entry = dlsym(RTLD_DEFAULT, "clGetPlatformIDs");
    if (!entry || !dladdr(entry, &about)) {
        findings_add(findings, "loader", true, "OpenCL", "is linked into clnorm");
        return;
    }
    char *path = realpath(about.dli_fname, NULL);
    probe_run(probe_loader, NULL, &answer);
    findings_add(findings, "loader", true, path ? path : about.dli_fname, "%s",
                 answer.ok ? answer.text : "does not tell its version");
    free(path);
}

/* ---- device nodes ---- */

static const char *const nodes[] = {"/dev/dri/renderD*", "/dev/kfd",   "/dev/nvidia[0-9]*",
                                    "/dev/nvidiactl",    "/dev/mali*", "/dev/kgsl-3d0",
                                    "/dev/dxg"};

static void add_node(json_t *findings, const char *path)
{
    struct stat about;
    if (access(path, R_OK | W_OK) == 0) {
        findings_add(findings, "device nodes", true, path, "may be read and written");
        return;
    }
    const int reason = errno;
    const struct group *group = stat(path, &about) == 0 ? getgrgid(about.st_gid) : NULL;
    if (reason == EACCES && group)
        findings_add(findings, "device nodes", false, path,
                     "no permission: ask to be added to the group %s", group->gr_name);
    else
        findings_add(findings, "device nodes", false, path, "cannot be used: %s", strerror(reason));
}

static void add_nodes(json_t *findings)
{
    size_t found = 0;
    for (size_t i = 0; i < COUNT(nodes); i++) {
        glob_t paths = {0};
        if (glob(nodes[i], 0, NULL, &paths) == 0) {
            for (size_t k = 0; k < paths.gl_pathc; k++)
                add_node(findings, paths.gl_pathv[k]);
            found += paths.gl_pathc;
        }
        globfree(&paths);
    }
    if (!found)
        findings_add(findings, "device nodes", true, "none",
                     "no GPU driver of the kernel's is here");
}

/* ---- caches ---- */

/* Without a place to write PoCL shows no device, and it ends the process when the disk is full. */
static void add_pocl_cache(json_t *findings)
{
    const char *given = getenv("POCL_CACHE_DIR"), *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char path[MAX_PATH];
    struct statvfs space;
    if (given)
        snprintf(path, sizeof(path), "%s", given);
    else if (cache && cache[0])
        snprintf(path, sizeof(path), "%s/pocl/kcache", cache);
    else
        snprintf(path, sizeof(path), "%s/.cache/pocl/kcache", home ? home : "/tmp");
    /* PoCL makes the missing folders of its own default, not the one that was given. */
    char *slash;
    while (!given && access(path, F_OK) != 0 && (slash = strrchr(path, '/')) && slash != path)
        *slash = '\0';
    if (access(path, W_OK | X_OK) != 0 || statvfs(path, &space) != 0) {
        findings_add(findings, "PoCL's cache", false, path,
                     "%s: PoCL shows no device; set POCL_CACHE_DIR", strerror(errno));
        return;
    }
    const double mib = (double)space.f_bavail * (double)space.f_frsize / (1 << 20);
    findings_add(findings, "PoCL's cache", mib >= 64, path, "can be written, %.0f MiB free", mib);
}

static void add_clnorm_cache(json_t *findings)
{
    static const char topic[] = "clnorm's cache";
    struct cache_setting setting;
    clnorm_cache_dir dir;
    clnorm_cache_stat stat;
    clnorm_error error;
    if (!cache_setting_read(&setting, &error) ||
        !clnorm_cache_open(&dir, setting.directory, false, &error)) {
        findings_add(findings, topic, false, "not used", "%s", error.text);
        return;
    }
    if (!setting.on || dir.fd < 0)
        findings_add(findings, topic, true, dir.path, setting.on ? "is not made yet" : "is off");
    else if (faccessat(dir.fd, ".", W_OK, AT_EACCESS) != 0 || !clnorm_cache_count(&dir, &stat))
        findings_add(findings, topic, false, dir.path, "%s: programs are compiled in each run",
                     strerror(errno));
    else {
        findings_add(findings, topic, true, dir.path, "%zu programs, %.2f MiB", stat.entries,
                     (double)stat.bytes / (1 << 20));
        free(stat.groups);
    }
    clnorm_cache_close(&dir);
}

/* ---- all of it ---- */

static const struct {
    const char *system, *packages;
} packages[] = {
    {"Debian, Ubuntu", "apt install pocl-opencl-icd (CPU), mesa-opencl-icd (AMD; with "
                       "RUSTICL_ENABLE=radeonsi), intel-opencl-icd, "
                       "nvidia-opencl-icd"},
    {"Fedora", "dnf install pocl (CPU), mesa-libOpenCL (AMD), rocm-opencl (AMD), "
               "intel-compute-runtime; NVIDIA's driver brings its own"},
    {"Arch", "pacman -S pocl (CPU), opencl-mesa (AMD), rocm-opencl-runtime (AMD), "
             "intel-compute-runtime, opencl-nvidia"},
    {"macOS", "OpenCL is part of it; brew install pocl (CPU)"},
};

void doctor_advise(json_t *findings)
{
    for (size_t i = 0; i < COUNT(packages); i++)
        findings_add(findings, "to install", true, packages[i].system, "%s", packages[i].packages);
}

json_t *doctor_examine(bool *is_safe)
{
    json_t *findings = json_array();
    if (!findings)
        return NULL;
    add_environment(findings);
    add_loader(findings);
    findings_drivers(findings);
    *is_safe = findings_platforms(findings);
    add_nodes(findings);
    add_pocl_cache(findings);
    add_clnorm_cache(findings);
    return findings;
}

static const char *member(const json_t *finding, const char *key)
{
    const char *text = json_string_value(json_object_get(finding, key));
    return text ? text : "";
}

/* Of the findings from `first` on that have its topic. */
static int name_width(const json_t *findings, size_t first)
{
    const char *topic = member(json_array_get(findings, first), "topic");
    size_t width = 0;
    for (size_t i = first; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        if (strcmp(topic, member(finding, "topic")) != 0)
            break;
        if (strlen(member(finding, "name")) > width)
            width = strlen(member(finding, "name"));
    }
    return (int)width;
}

void doctor_print(const json_t *findings, bool color)
{
    const char *topic = "";
    int width = 0;
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        const bool ok = json_is_true(json_object_get(finding, "ok"));
        if (strcmp(topic, member(finding, "topic")) != 0) {
            topic = member(finding, "topic");
            width = name_width(findings, i);
            printf("\n%s\n", topic);
        }
        const char *tone = !color ? "" : ok ? "\033[32m" : "\033[1;31m";
        printf("  %s%-3s%s  %-*s  %s\n", tone, ok ? "ok" : "BAD", color ? "\033[0m" : "", width,
               member(finding, "name"), member(finding, "text"));
    }
}
