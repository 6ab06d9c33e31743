/* SPDX-License-Identifier: MIT */
#include "base/gemm_tuning.h"

#include <stdio.h>
#include <string.h>

enum { MOST_NUMBER = 65536 };

static bool take_number(char **at, size_t *value)
{
    const size_t digits = strspn(*at, "0123456789");
    *value = 0;
    if (digits == 0 || digits > 5 || ((*at)[digits] && (*at)[digits] != ' '))
        return false;
    for (size_t i = 0; i < digits; i++)
        *value = 10 * *value + (size_t)((*at)[i] - '0');
    *at += digits;
    return true;
}

bool clnorm_gemm_parameters_parse(const char *text, clnorm_gemm_parameters *p)
{
    p->count = 0;
    if (strlen(text) >= sizeof(p->text))
        return false;
    strcpy(p->text, text);
    for (char *at = p->text + strspn(p->text, " "); *at; at += strspn(at, " ")) {
        const size_t length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        if (length == 0 || at[length] != '=' || p->count == CLNORM_MOST_GEMM_PARAMETERS)
            return false;
        p->names[p->count] = at;
        at[length] = '\0';
        at += length + 1;
        if (!take_number(&at, &p->values[p->count++]))
            return false;
    }
    return true;
}

static bool set_parameters(char to[CLNORM_GEMM_TEXT], const char *text)
{
    clnorm_gemm_parameters parameters;
    if (!clnorm_gemm_parameters_parse(text, &parameters))
        return false;
    strcpy(to, text);
    return true;
}

static bool set_indirect(clnorm_gemm_tuning *tuning, const char *text)
{
    return set_parameters(tuning->indirect, text);
}

static bool set_direct(clnorm_gemm_tuning *tuning, const char *text)
{
    return set_parameters(tuning->direct, text);
}

static bool set_number(unsigned *to, const char *text)
{
    uint64_t value;
    if (!clnorm_field_count(text, &value) || value > MOST_NUMBER)
        return false;
    *to = (unsigned)value;
    return true;
}

static bool set_min_indirect(clnorm_gemm_tuning *tuning, const char *text)
{
    return set_number(&tuning->min_indirect, text);
}

static bool set_gemv_rows(clnorm_gemm_tuning *tuning, const char *text)
{
    return set_number(&tuning->gemv_rows, text);
}

static const struct {
    const char *name;
    bool (*set)(clnorm_gemm_tuning *tuning, const char *text);
    const char *allowed;
} fields[] = {
    {"gemm", set_indirect, "NAME=VALUE NAME=VALUE in quotes, values up to 99999"},
    {"gemm_direct", set_direct, "NAME=VALUE NAME=VALUE in quotes, values up to 99999"},
    {"min_indirect", set_min_indirect, "a number from 1 to 65536"},
    {"gemv_rows", set_gemv_rows, "a number from 1 to 65536"},
};

bool clnorm_gemm_tuning_field(const clnorm_field *field, clnorm_gemm_tuning *tuning,
                              clnorm_status *status, clnorm_error *error)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(field->name, fields[i].name) != 0)
            continue;
        *status = CLNORM_OK;
        if (!fields[i].set(tuning, field->value))
            *status = clnorm_fail(error, CLNORM_BAD_ARGS, "%s is '%s'; allowed is %s", field->name,
                                  field->value, fields[i].allowed);
        return true;
    }
    return false;
}

void clnorm_gemm_tuning_text(const clnorm_gemm_tuning *t, char text[CLNORM_GEMM_TUNING_TEXT])
{
    size_t used = 0;
#define ADD(...) used += (size_t)snprintf(text + used, CLNORM_GEMM_TUNING_TEXT - used, __VA_ARGS__)
    ADD("gemm=\"%s\"", t->indirect);
    if (*t->direct)
        ADD(" gemm_direct=\"%s\"", t->direct);
    if (t->min_indirect)
        ADD(" min_indirect=%u", t->min_indirect);
    if (t->gemv_rows)
        ADD(" gemv_rows=%u", t->gemv_rows);
#undef ADD
}
