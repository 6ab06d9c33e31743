/* SPDX-License-Identifier: MIT */
#include "base/tuning_table.h"

#include "base/kind.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const classes[] = {"any", "cpu", "gpu", "acc"};
enum { CLASSES = sizeof(classes) / sizeof(classes[0]) };

clnorm_tuning_key clnorm_tuning_any(void)
{
    return (clnorm_tuning_key){.kind = -1, .dtype = -1, .most_cols = UINT64_MAX};
}

/* ---- values of a key: each gives false where `text` is not one ----------------------------- */

static bool set_text(char *to, size_t room, const char *text)
{
    const size_t length = strlen(text);
    if (length == 0 || length >= room)
        return false;
    memcpy(to, text, length + 1);
    return true;
}

static bool set_device(clnorm_tuning_key *key, const char *text)
{
    return set_text(key->device, sizeof(key->device), text);
}

static bool set_platform(clnorm_tuning_key *key, const char *text)
{
    return set_text(key->platform, sizeof(key->platform), text);
}

static bool set_vendor(clnorm_tuning_key *key, const char *text)
{
    return set_text(key->vendor, sizeof(key->vendor), text);
}

static bool set_driver(clnorm_tuning_key *key, const char *text)
{
    return set_text(key->driver, sizeof(key->driver), text);
}

static bool set_units(clnorm_tuning_key *key, const char *text)
{
    uint64_t units;
    if (!clnorm_field_count(text, &units) || units > UINT32_MAX)
        return false;
    key->units = (unsigned)units;
    return true;
}

static bool set_type(clnorm_tuning_key *key, const char *text)
{
    for (int i = CLNORM_CPU_DEVICE; i < CLASSES; i++)
        if (strcmp(text, classes[i]) == 0)
            key->type = (clnorm_device_class)i;
    return key->type != CLNORM_ANY_DEVICE;
}

static bool set_kind(clnorm_tuning_key *key, const char *text)
{
    for (int i = 0; i <= CLNORM_MVN; i++)
        if (strcmp(text, clnorm_kind_name((clnorm_kind)i)) == 0)
            key->kind = i;
    return key->kind >= 0;
}

static bool set_dtype(clnorm_tuning_key *key, const char *text)
{
    for (int i = 0; i <= CLNORM_F64; i++)
        if (strcmp(text, clnorm_dtype_name((clnorm_dtype)i)) == 0)
            key->dtype = i;
    return key->dtype >= 0;
}

static bool set_cols(clnorm_tuning_key *key, const char *text)
{
    const char *dots = strstr(text, "..");
    char first[24] = "";
    if (!dots || (size_t)(dots - text) >= sizeof(first))
        return false;
    memcpy(first, text, (size_t)(dots - text));
    return clnorm_field_count(first, &key->least_cols) &&
           clnorm_field_count(dots + 2, &key->most_cols) && key->least_cols <= key->most_cols;
}

static const struct {
    const char *name;
    bool (*set)(clnorm_tuning_key *key, const char *text);
    const char *allowed;
} fields[] = {
    {"device", set_device, "a name"},
    {"units", set_units, "a number from 1 on"},
    {"platform", set_platform, "a name"},
    {"vendor", set_vendor, "a name"},
    {"type", set_type, "cpu, gpu or acc"},
    {"driver", set_driver, "a version"},
    {"kind", set_kind, "layer_norm, rms_norm and so on"},
    {"dtype", set_dtype, "f32, f16, bf16 or f64"},
    {"cols", set_cols, "FIRST..LAST, such as 512..1023"},
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static bool set_key(const clnorm_field *field, clnorm_tuning_key *key, clnorm_status *status,
                    clnorm_error *error)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (strcmp(field->name, fields[i].name) != 0)
            continue;
        *status = CLNORM_OK;
        if (!fields[i].set(key, field->value))
            *status = clnorm_fail(error, CLNORM_BAD_ARGS, "%s is '%s'; allowed is %s", field->name,
                                  field->value, fields[i].allowed);
        return true;
    }
    return false;
}

/* ---- a line -------------------------------------------------------------------------------- */

bool clnorm_tuning_is_blank(const char *line)
{
    line += strspn(line, " \t\r");
    return !*line || *line == '#';
}

static bool set_parameter(const clnorm_field *field, clnorm_tuning_record *record,
                          clnorm_status *status, clnorm_error *error)
{
    const bool gemm = clnorm_gemm_tuning_field(field, &record->gemm, status, error);
    record->names |= gemm                                 ? CLNORM_TUNES_GEMM
                     : strcmp(field->name, "stream") == 0 ? CLNORM_TUNES_STREAM
                                                          : CLNORM_TUNES_KERNEL;
    return gemm || clnorm_tuning_field(field, &record->tuning, status, error);
}

clnorm_status clnorm_tuning_record_parse(const char *line, clnorm_tuning_record *record,
                                         clnorm_error *error)
{
    enum { MOST = 24 }; /* more than there are names */
    char seen[MOST][sizeof(((clnorm_field *)0)->name)];
    clnorm_status status = CLNORM_OK;
    clnorm_field field;
    *record = (clnorm_tuning_record){.key = clnorm_tuning_any()};
    for (size_t count = 0; clnorm_field_next(&line, &field, error); count++) {
        for (size_t i = 0; i < count; i++)
            if (strcmp(seen[i], field.name) == 0)
                return clnorm_fail(error, CLNORM_BAD_ARGS, "%s is given twice", field.name);
        if (!set_key(&field, &record->key, &status, error) &&
            !set_parameter(&field, record, &status, error))
            return clnorm_fail(error, CLNORM_BAD_ARGS, "unknown field '%s'", field.name);
        if (status != CLNORM_OK)
            return status;
        memcpy(seen[count], field.name, sizeof(field.name));
    }
    if (error->status != CLNORM_OK)
        return error->status;
    if (!record->names)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "no parameter is given; allowed are %s",
                           clnorm_tuning_fields());
    return clnorm_tuning_check(&record->tuning, error);
}

static size_t add_quoted(char *text, size_t used, const char *name, const char *value)
{
    if (!*value)
        return used;
    used +=
        (size_t)snprintf(text + used, CLNORM_TUNING_LINE - used, "%s%s=\"", used ? " " : "", name);
    for (; *value && used + 4 < CLNORM_TUNING_LINE; value++) {
        if (*value == '"' || *value == '\\')
            text[used++] = '\\';
        text[used++] = (unsigned char)*value < ' ' ? '?' : *value;
    }
    text[used++] = '"';
    text[used] = '\0';
    return used;
}

void clnorm_tuning_record_text(const clnorm_tuning_record *record, char text[CLNORM_TUNING_LINE])
{
    const clnorm_tuning_key *key = &record->key;
    char parameters[CLNORM_GEMM_TUNING_TEXT];
    size_t used = add_quoted(text, 0, "device", key->device);
#define ADD(...) used += (size_t)snprintf(text + used, CLNORM_TUNING_LINE - used, __VA_ARGS__)
    if (key->units)
        ADD("%sunits=%u", used ? " " : "", key->units);
    used = add_quoted(text, used, "platform", key->platform);
    used = add_quoted(text, used, "vendor", key->vendor);
    if (key->type)
        ADD("%stype=%s", used ? " " : "", classes[key->type]);
    used = add_quoted(text, used, "driver", key->driver);
    if (key->kind >= 0)
        ADD("%skind=%s", used ? " " : "", clnorm_kind_name((clnorm_kind)key->kind));
    if (key->dtype >= 0)
        ADD("%sdtype=%s", used ? " " : "", clnorm_dtype_name((clnorm_dtype)key->dtype));
    if (key->least_cols)
        ADD("%scols=%" PRIu64 "..%" PRIu64, used ? " " : "", key->least_cols, key->most_cols);
    if (record->names & CLNORM_TUNES_GEMM)
        clnorm_gemm_tuning_text(&record->gemm, parameters);
    else
        clnorm_tuning_text(&record->tuning, parameters);
    ADD("%s%s", used ? " " : "", parameters);
#undef ADD
}

bool clnorm_tuning_same_key(const clnorm_tuning_record *a, const clnorm_tuning_record *b)
{
    const clnorm_tuning_key *k = &a->key, *l = &b->key;
    return a->names == b->names && !strcmp(k->device, l->device) &&
           !strcmp(k->platform, l->platform) && !strcmp(k->vendor, l->vendor) &&
           k->units == l->units && k->type == l->type && k->kind == l->kind &&
           k->dtype == l->dtype && k->least_cols == l->least_cols && k->most_cols == l->most_cols;
}

/* ---- a table ------------------------------------------------------------------------------- */

clnorm_status clnorm_tuning_table_add(clnorm_tuning_table *table, const char *line,
                                      clnorm_error *error)
{
    clnorm_tuning_record record;
    if (clnorm_tuning_is_blank(line))
        return CLNORM_OK;
    const clnorm_status status = clnorm_tuning_record_parse(line, &record, error);
    if (status != CLNORM_OK)
        return status;
    if (table->count == table->capacity) {
        const size_t capacity = table->capacity ? 2 * table->capacity : 16;
        clnorm_tuning_record *larger = realloc(table->records, capacity * sizeof(*larger));
        if (!larger)
            return clnorm_fail(error, CLNORM_OUT_OF_MEMORY, "no host memory for %zu records",
                               capacity);
        table->records = larger;
        table->capacity = capacity;
    }
    table->records[table->count++] = record;
    return CLNORM_OK;
}

void clnorm_tuning_table_release(clnorm_tuning_table *table)
{
    free(table->records);
    *table = (clnorm_tuning_table){.count = 0};
}

static bool fits_text(const char *wanted, const char *is)
{
    return !*wanted || strcmp(wanted, is) == 0;
}

static bool fits(const clnorm_tuning_key *wanted, const clnorm_tuning_key *is)
{
    return fits_text(wanted->device, is->device) && fits_text(wanted->platform, is->platform) &&
           fits_text(wanted->vendor, is->vendor) &&
           (!wanted->units || wanted->units == is->units) &&
           (!wanted->type || wanted->type == is->type) &&
           (wanted->kind < 0 || wanted->kind == is->kind) &&
           (wanted->dtype < 0 || wanted->dtype == is->dtype) &&
           wanted->least_cols <= is->least_cols && is->most_cols <= wanted->most_cols;
}

static int rank(const clnorm_tuning_key *key)
{
    return key->device[0] ? 3 : key->vendor[0] ? 2 : key->type ? 1 : 0;
}

const clnorm_tuning_record *clnorm_tuning_table_find(const clnorm_tuning_table *table,
                                                     const clnorm_tuning_key *key, unsigned names)
{
    const clnorm_tuning_record *best = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const clnorm_tuning_record *record = &table->records[i];
        if ((record->names & names) && fits(&record->key, key) &&
            (!best || rank(&record->key) >= rank(&best->key)))
            best = record;
    }
    return best;
}
