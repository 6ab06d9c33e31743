/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* secure_getenv */
#include "base/user_path.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifndef _WIN32
#include <unistd.h>
#endif

/* NULL also in a process that has more rights than who started it. */
static const char *environment(const char *name)
{
#if defined(__GLIBC__)
    return secure_getenv(name);
#elif defined(_WIN32)
    (void)name;
    return NULL;
#else
    return getuid() == geteuid() && getgid() == getegid() ? getenv(name) : NULL;
#endif
}

char *clnorm_user_path(const char *variable, const char *under_home, const char *rest,
                       const char *what, clnorm_error *error)
{
    const char *own = environment(variable), *home = environment("HOME");
    const bool has_own = own && own[0] == '/';
    const char *base = has_own ? own : home;
    if (!base || base[0] != '/') {
        clnorm_fail(error, CLNORM_BAD_ARGS, "no %s: neither %s nor HOME is an absolute path", what,
                    variable);
        return NULL;
    }
    const size_t room = strlen(base) + strlen(under_home) + strlen(rest) + sizeof("//");
    char *path = malloc(room);
    if (!path)
        clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu bytes", room);
    else
        snprintf(path, room, "%s%s%s/%s", base, has_own ? "" : "/", has_own ? "" : under_home,
                 rest);
    return path;
}

char *clnorm_tuning_path(clnorm_error *error)
{
    return clnorm_user_path("XDG_CONFIG_HOME", ".config", "clnorm/tuning", "place for a table",
                            error);
}
