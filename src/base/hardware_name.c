/* SPDX-License-Identifier: MIT */
#include "base/hardware_name.h"

#include <stdbool.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* PoCL's driver, and LLVM's name of the CPU: lower case, in front of the name that the CPU has. */
static const char *skip_prefix(const char *name)
{
    static const char *const drivers[] = {"pthread-", "basic-", "cpu-"};
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
        if (!begins(name, drivers[i]))
            continue;
        name += strlen(drivers[i]);
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
        if (!name[n])
            return name; /* it has no other */
        while (n > 0 && name[n - 1] != '-')
            n--;
        return name + n;
    }
    return name;
}

/* Length of a parenthesis that names versions; 0: it is none. */
static size_t version_length(const char *text)
{
    const size_t length = strcspn(text, ")");
    if (*text != '(' || !text[length])
        return 0;
    for (size_t i = 0; i < length; i++)
        if (begins(text + i, "LLVM ") || begins(text + i, "DRM "))
            return length + 1;
    return 0;
}

static size_t noise_length(const char *text)
{
    static const char *const marks[] = {"(R)", "(TM)", "(r)", "(tm)", "(C)"};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        if (begins(text, marks[i]))
            return strlen(marks[i]);
    return version_length(text);
}

void clnorm_hardware_name(const char *name, char *text, size_t bytes)
{
    size_t used = 0;
    bool space = false;
    for (name = skip_prefix(name); *name && used + 2 < bytes;) {
        const size_t noise = noise_length(name);
        if (noise > 0 || (unsigned char)*name <= ' ') {
            space = space || noise == 0;
            name += noise ? noise : 1;
            continue;
        }
        if (space && used > 0)
            text[used++] = ' ';
        space = false;
        text[used++] = *name++;
    }
    text[used] = '\0';
}
