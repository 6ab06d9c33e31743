/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "base/host_cpu.h"

#include <string.h>
#include <sys/utsname.h>

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#include <cpuid.h>

/* ebx of leaf 1 has the number of the core, so it is left out. That of leaf 13 tells which
 * registers the system saves: without it those of the CPU are not for use. */
static void add_instructions(clnorm_sha256 *hash)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    unsigned leaf_1[3] = {0}, leaf_7[3] = {0}, leaf_13 = 0;
    if (__get_cpuid(1, &a, &b, &c, &d))
        memcpy(leaf_1, (const unsigned[]){a, c, d}, sizeof(leaf_1));
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        memcpy(leaf_7, (const unsigned[]){b, c, d}, sizeof(leaf_7));
    if (__get_cpuid_count(13, 0, &a, &b, &c, &d))
        leaf_13 = b;
    clnorm_sha256_add(hash, leaf_1, sizeof(leaf_1));
    clnorm_sha256_add(hash, leaf_7, sizeof(leaf_7));
    clnorm_sha256_add(hash, &leaf_13, sizeof(leaf_13));
}
#elif defined(__linux__)
#include <sys/auxv.h>

static void add_instructions(clnorm_sha256 *hash)
{
    const unsigned long bits[] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
    clnorm_sha256_add(hash, bits, sizeof(bits));
}
#else
static void add_instructions(clnorm_sha256 *hash) { (void)hash; }
#endif

void clnorm_host_cpu_add(clnorm_sha256 *hash)
{
    struct utsname system;
    if (uname(&system) == 0) {
        clnorm_sha256_add(hash, system.sysname, strlen(system.sysname) + 1);
        clnorm_sha256_add(hash, system.machine, strlen(system.machine) + 1);
    }
    add_instructions(hash);
}
