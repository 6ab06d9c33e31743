/* SPDX-License-Identifier: MIT */
#include "base/gemm_tuning.h"

#include <stddef.h>
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
        const size_t length = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
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

/* ---- fields -------------------------------------------------------------------------------- */

static const struct {
    const char *field, *kernel;
} kernels[CLNORM_GEMM_KERNELS] = {
    [CLNORM_GEMM_INDIRECT] = {"gemm", "Xgemm"},
    [CLNORM_GEMM_DIRECT] = {"gemm_direct", "XgemmDirect"},
    [CLNORM_GEMV_COLUMNS] = {"gemv", "XgemvFast"},
    [CLNORM_GEMV_ROWS] = {"gemv_t", "XgemvFastRot"},
};

static const struct {
    const char *field;
    size_t offset;
} numbers[] = {
    {"min_indirect", offsetof(clnorm_gemm_tuning, min_indirect)},
    {"gemv_rows", offsetof(clnorm_gemm_tuning, gemv_rows[0])},
    {"gemv_rows_t", offsetof(clnorm_gemm_tuning, gemv_rows[1])},
};
enum { NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

const char *clnorm_gemm_kernel_name(clnorm_gemm_kernel kernel) { return kernels[kernel].kernel; }

static bool set_number(const char *text, unsigned *to)
{
    uint64_t value;
    if (!clnorm_field_count(text, &value) || value > MOST_NUMBER)
        return false;
    *to = (unsigned)value;
    return true;
}

static clnorm_status set_kernel(const clnorm_field *field, char to[CLNORM_GEMM_TEXT],
                                clnorm_error *error)
{
    clnorm_gemm_parameters parameters;
    if (!clnorm_gemm_parameters_parse(field->value, &parameters))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s is '%s'; allowed is NAME=VALUE NAME=VALUE in quotes, values up to "
                           "99999, with less than %d characters",
                           field->name, field->value, CLNORM_GEMM_TEXT);
    strcpy(to, field->value);
    return CLNORM_OK;
}

bool clnorm_gemm_tuning_field(const clnorm_field *field, clnorm_gemm_tuning *tuning,
                              clnorm_status *status, clnorm_error *error)
{
    for (size_t i = 0; i < CLNORM_GEMM_KERNELS; i++)
        if (strcmp(field->name, kernels[i].field) == 0) {
            *status = set_kernel(field, tuning->kernels[i], error);
            return true;
        }
    for (size_t i = 0; i < NUMBERS; i++) {
        if (strcmp(field->name, numbers[i].field) != 0)
            continue;
        *status = CLNORM_OK;
        if (!set_number(field->value, (unsigned *)(void *)((char *)tuning + numbers[i].offset)))
            *status =
                clnorm_fail(error, CLNORM_BAD_ARGS, "%s is '%s'; allowed is a number from 1 to %d",
                            field->name, field->value, MOST_NUMBER);
        return true;
    }
    return false;
}

/* Names and numbers beside the texts. */
_Static_assert(CLNORM_GEMM_TUNING_TEXT >= CLNORM_GEMM_KERNELS * (CLNORM_GEMM_TEXT + 16) + 128,
               "a tuning has no room");

void clnorm_gemm_tuning_text(const clnorm_gemm_tuning *t, char text[CLNORM_GEMM_TUNING_TEXT])
{
    size_t used = 0;
#define ADD(...) used += (size_t)snprintf(text + used, CLNORM_GEMM_TUNING_TEXT - used, __VA_ARGS__)
    for (size_t i = 0; i < CLNORM_GEMM_KERNELS; i++)
        if (i == 0 || *t->kernels[i]) /* the first says what the line is about */
            ADD("%s%s=\"%s\"", i ? " " : "", kernels[i].field, t->kernels[i]);
    for (size_t i = 0; i < NUMBERS; i++) {
        const unsigned value =
            *(const unsigned *)(const void *)((const char *)t + numbers[i].offset);
        if (value)
            ADD(" %s=%u", numbers[i].field, value);
    }
#undef ADD
}
