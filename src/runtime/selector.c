/* SPDX-License-Identifier: MIT */
#include "runtime/device.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define GRAMMAR "auto, all, gpu, acc, cpu, N, P:D, name=TEXT, platform=TEXT or uuid=HEX"

/* A selector taken apart. */
struct choice {
    bool (*matches)(const struct choice *choice, const clnorm_device *device);
    cl_device_type type; /* any bit of it */
    const char *text; /* part of a name, or of a platform's */
    char uuid[33]; /* part of a uuid */
    uint64_t index, platform, ordinal;
    bool only_first;
    bool with_aliases;
    bool is_exact; /* names one entry, usable or not */
};

/* ---- texts, without the locale ---- */

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* Does `text` begin with `start`? */
static bool begins(const char *text, const char *start)
{
    while (*start && lower(*text) == lower(*start)) {
        text++;
        start++;
    }
    return !*start;
}

static bool contains(const char *text, const char *part)
{
    for (; *text; text++) {
        if (begins(text, part))
            return true;
    }
    return false;
}

/* Digits up to `end`; a number that is too large becomes the largest, which no device has. */
static bool parse_number(const char *text, const char *end, uint64_t *number)
{
    *number = 0;
    for (const char *at = text; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        const uint64_t digit = (uint64_t)(*at - '0');
        *number = *number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *number * 10 + digit;
    }
    return end > text;
}

/* ---- matching ---- */

static bool matches_type(const struct choice *choice, const clnorm_device *device)
{
    return (device->type & choice->type) != 0;
}

static bool matches_any(const struct choice *choice, const clnorm_device *device)
{
    (void)choice;
    (void)device;
    return true;
}

static bool matches_name(const struct choice *choice, const clnorm_device *device)
{
    return contains(device->name, choice->text);
}

static bool matches_platform(const struct choice *choice, const clnorm_device *device)
{
    return contains(device->platform_name, choice->text);
}

static bool matches_uuid(const struct choice *choice, const clnorm_device *device)
{
    return contains(device->uuid, choice->uuid);
}

static bool matches_index(const struct choice *choice, const clnorm_device *device)
{
    return device->index == choice->index;
}

static bool matches_place(const struct choice *choice, const clnorm_device *device)
{
    return device->platform == choice->platform && device->ordinal == choice->ordinal;
}

/* ---- parsing ---- */

static const struct {
    const char *word;
    struct choice choice;
} words[] = {
    {"auto", {.matches = matches_any, .only_first = true}},
    {"all", {.matches = matches_any}},
    {"gpu", {.matches = matches_type, .type = CL_DEVICE_TYPE_GPU}},
    {"acc", {.matches = matches_type, .type = CL_DEVICE_TYPE_ACCELERATOR}},
    {"cpu", {.matches = matches_type, .type = CL_DEVICE_TYPE_CPU}},
};

static bool parse_word(const char *text, struct choice *choice)
{
    for (size_t i = 0; i < COUNT(words); i++) {
        if (begins(text, words[i].word) && !text[strlen(words[i].word)]) {
            *choice = words[i].choice;
            return true;
        }
    }
    return false;
}

/* Hex digits; the dashes that other tools print are skipped. */
static bool parse_uuid(const char *text, struct choice *choice)
{
    size_t length = 0;
    for (; *text; text++) {
        if (*text == '-')
            continue;
        if (!strchr("0123456789abcdef", lower(*text)) || length + 1 == sizeof(choice->uuid))
            return false;
        choice->uuid[length++] = lower(*text);
    }
    choice->matches = matches_uuid;
    choice->with_aliases = true;
    return length > 0;
}

static bool parse_field(const char *text, struct choice *choice)
{
    if (begins(text, "uuid="))
        return parse_uuid(text + strlen("uuid="), choice);
    const bool is_name = begins(text, "name=");
    if (!is_name && !begins(text, "platform="))
        return false;
    choice->matches = is_name ? matches_name : matches_platform;
    choice->text = strchr(text, '=') + 1;
    return choice->text[0] != '\0';
}

static bool parse_place(const char *text, struct choice *choice)
{
    const char *end = text + strlen(text), *colon = strchr(text, ':');
    choice->with_aliases = choice->is_exact = true;
    choice->matches = colon ? matches_place : matches_index;
    if (!colon)
        return parse_number(text, end, &choice->index);
    return parse_number(text, colon, &choice->platform) &&
           parse_number(colon + 1, end, &choice->ordinal);
}

static bool parse(const char *text, struct choice *choice)
{
    bool (*const forms[])(const char *, struct choice *) = {parse_word, parse_field, parse_place};
    for (size_t i = 0; i < COUNT(forms); i++) {
        *choice = (struct choice){0};
        if (forms[i](text, choice))
            return true;
    }
    return false;
}

/* ---- choosing ---- */

static const char *type_word(cl_device_type type)
{
    for (size_t i = 0; i < COUNT(words); i++) {
        if (words[i].choice.type & type)
            return words[i].word;
    }
    return "-";
}

static void list_devices(const clnorm_device *devices, size_t count, clnorm_error *error)
{
    clnorm_fail_more(error, count ? "; there are:" : "; there is no OpenCL device at all");
    for (size_t i = 0; i < count; i++) {
        const clnorm_device *device = &devices[i];
        clnorm_fail_more(error, "\n  %u  %s  %s (%s)", device->index, type_word(device->type),
                         device->name, device->platform_name);
        if (!device->usable)
            clnorm_fail_more(error, ", not usable: %s", device->problem);
        else if (device->alias_of >= 0)
            clnorm_fail_more(error, ", the same as %d", device->alias_of);
    }
}

clnorm_status clnorm_devices_select(const clnorm_device *devices, size_t count,
                                    const char *selector, size_t *chosen, size_t *n_chosen,
                                    clnorm_error *error)
{
    const char *const environment = getenv("CLNORM_DEVICE");
    const bool is_given = selector && selector[0];
    const char *const text = is_given                        ? selector
                             : environment && environment[0] ? environment
                                                             : "auto";
    const char *const source = text == environment ? "CLNORM_DEVICE" : "device selector";
    struct choice choice;
    if (!n_chosen || (count && (!devices || !chosen)))
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is NULL",
                           !n_chosen  ? "n_chosen"
                           : !devices ? "devices"
                                      : "chosen");
    *n_chosen = 0;
    if (!parse(text, &choice))
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s \"%.200s\" is none of " GRAMMAR, source,
                           text);
    for (size_t i = 0; i < count; i++) {
        const clnorm_device *device = &devices[i];
        if (!choice.matches(&choice, device) || (device->alias_of >= 0 && !choice.with_aliases))
            continue;
        if (choice.is_exact && !device->usable)
            return clnorm_fail(error, CLNORM_NO_DEVICE, "device %u (%.200s) is not usable: %s",
                               device->index, device->name, device->problem);
        if (device->usable)
            chosen[(*n_chosen)++] = i;
        if (*n_chosen && choice.only_first)
            break;
    }
    if (*n_chosen)
        return CLNORM_OK;
    const clnorm_status status = clnorm_fail(
        error, CLNORM_NO_DEVICE, "no usable device matches %s \"%.200s\"", source, text);
    list_devices(devices, count, error);
    return status;
}
