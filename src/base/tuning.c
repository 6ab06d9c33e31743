/* SPDX-License-Identifier: MIT */
#include "base/tuning.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const forms[] = {"auto", "sequential", "sliced", "held", "cooperative"};
static const char *const subgroups[] = {"auto", "off", "intel", "khr"};
enum { FORMS = sizeof(forms) / sizeof(forms[0]), SUBGROUPS = 4, MOST_GROUP = 1024 };

const char *clnorm_form_name(clnorm_form form) { return forms[form]; }

/* ---- fields -------------------------------------------------------------------------------- */

static bool bad_field(clnorm_error *error, const char *at)
{
    clnorm_fail(error, CLNORM_BAD_ARGS,
                "'%.40s': must be fields of the form name=value or name=\"value\", with less than "
                "256 characters",
                at);
    return false;
}

/* Up to a space, or to the quote that ends it. */
static const char *take_value(const char *text, char *value, size_t room)
{
    const bool quoted = *text == '"';
    size_t used = 0;
    for (text += quoted; *text && *text != (quoted ? '"' : ' '); text++) {
        if (quoted && *text == '\\' && (text[1] == '"' || text[1] == '\\'))
            text++;
        else if ((unsigned char)*text < ' ' || (!quoted && *text == '"'))
            return NULL;
        if (used + 1 >= room)
            return NULL;
        value[used++] = *text;
    }
    value[used] = '\0';
    if (!quoted)
        return used ? text : NULL;
    return *text == '"' && (text[1] == ' ' || !text[1]) ? text + 1 : NULL;
}

bool clnorm_field_next(const char **text, clnorm_field *field, clnorm_error *error)
{
    error->status = CLNORM_OK;
    *text += strspn(*text, " ");
    if (!**text)
        return false;
    const size_t length = strspn(*text, "abcdefghijklmnopqrstuvwxyz_");
    if (length == 0 || length >= sizeof(field->name) || (*text)[length] != '=')
        return bad_field(error, *text);
    memcpy(field->name, *text, length);
    field->name[length] = '\0';
    const char *end = take_value(*text + length + 1, field->value, sizeof(field->value));
    if (!end)
        return bad_field(error, *text);
    *text = end;
    return true;
}

bool clnorm_field_count(const char *text, uint64_t *value)
{
    *value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        const uint64_t digit = (uint64_t)(*text - '0');
        if (*text < '0' || *text > '9' || *value > (UINT64_MAX - digit) / 10)
            return false;
        *value = 10 * *value + digit;
    }
    return *value > 0;
}

/* ---- values: each gives false where `text` is not one -------------------------------------- */

static unsigned place_of(const char *text, const char *const *names, unsigned count)
{
    unsigned place = 0;
    while (place < count && strcmp(text, names[place]) != 0)
        place++;
    return place;
}

static bool set_form(clnorm_tuning *tuning, const char *text)
{
    const unsigned place = place_of(text, forms, FORMS);
    tuning->form = (clnorm_form)place;
    return place < FORMS;
}

static bool set_subgroups(clnorm_tuning *tuning, const char *text)
{
    const unsigned place = place_of(text, subgroups, SUBGROUPS);
    tuning->subgroups = place;
    return place != CLNORM_SUBGROUPS_AUTO && place < SUBGROUPS;
}

static bool power_of_two(const char *text, uint64_t least, uint64_t most, unsigned *value)
{
    uint64_t number;
    if (!clnorm_field_count(text, &number) || number < least || number > most ||
        (number & (number - 1)))
        return false;
    *value = (unsigned)number;
    return true;
}

static bool set_vec(clnorm_tuning *tuning, const char *text)
{
    return power_of_two(text, 2, 16, &tuning->vec);
}

static bool set_group(clnorm_tuning *tuning, const char *text)
{
    return power_of_two(text, 1, MOST_GROUP, &tuning->group);
}

static bool set_team(clnorm_tuning *tuning, const char *text)
{
    return power_of_two(text, 1, MOST_GROUP, &tuning->team);
}

static bool set_stream(clnorm_tuning *tuning, const char *text)
{
    if (strcmp(text, "never") != 0)
        return clnorm_field_count(text, &tuning->stream);
    tuning->stream = UINT64_MAX;
    return true;
}

static const struct {
    const char *name;
    bool (*set)(clnorm_tuning *tuning, const char *text);
    const char *allowed;
} fields[] = {
    {"form", set_form, "auto, sequential, sliced, held or cooperative"},
    {"vec", set_vec, "2, 4, 8 or 16"},
    {"group", set_group, "a power of two up to 1024"},
    {"team", set_team, "a power of two up to 1024"},
    {"subgroups", set_subgroups, "off, intel or khr"},
    {"stream", set_stream, "a number of bytes from 1 on, or never"},
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

const char *clnorm_tuning_fields(void) { return "form, vec, group, team, subgroups, stream"; }

bool clnorm_tuning_field(const clnorm_field *field, clnorm_tuning *tuning, clnorm_status *status,
                         clnorm_error *error)
{
    for (size_t i = 0; i < FIELDS; i++) {
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

/* ---- all of it ----------------------------------------------------------------------------- */

clnorm_status clnorm_tuning_check(const clnorm_tuning *t, clnorm_error *error)
{
    const bool sequential = t->form == CLNORM_FORM_SEQUENTIAL;
    const bool whole = t->form == CLNORM_FORM_HELD || t->form == CLNORM_FORM_COOPERATIVE;
    if ((t->group || t->team) && t->form == CLNORM_FORM_AUTO)
        return clnorm_fail(
            error, CLNORM_BAD_ARGS,
            "%s is %u, and no form= is named beside it; allowed is one with the form "
            "that it is for, such as form=held",
            t->group ? "group" : "team", t->group ? t->group : t->team);
    if (sequential && (t->group > 1 || t->team > 1))
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "%s is %u; allowed is 1 with form=sequential, where a work-item works "
                           "alone",
                           t->group > 1 ? "group" : "team", t->group > 1 ? t->group : t->team);
    if (!sequential && t->group == 1)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "group is 1; allowed with form=sequential only");
    if (t->team && !t->group && !sequential)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "team is %u, and no group= is named beside it; allowed is one with a "
                           "group that it divides",
                           t->team);
    if (t->team > t->group && !sequential)
        return clnorm_fail(error, CLNORM_BAD_ARGS, "team is %u; allowed are divisors of group, %u",
                           t->team, t->group);
    if (whole && t->team && t->team != t->group)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "team is %u; allowed is group, %u, as all of a group shares a row with "
                           "form=%s",
                           t->team, t->group, clnorm_form_name(t->form));
    return CLNORM_OK;
}

clnorm_status clnorm_tuning_parse(const char *text, clnorm_tuning *tuning, clnorm_error *error)
{
    clnorm_error own;
    clnorm_error *const e = error ? error : &own;
    clnorm_field field, seen[FIELDS];
    size_t count = 0;
    clnorm_status status = CLNORM_OK;
    *tuning = (clnorm_tuning){.form = CLNORM_FORM_AUTO};
    while (status == CLNORM_OK && clnorm_field_next(&text, &field, e)) {
        for (size_t i = 0; i < count; i++)
            if (strcmp(seen[i].name, field.name) == 0)
                return clnorm_fail(e, CLNORM_BAD_ARGS, "%s is given twice; allowed is once",
                                   field.name);
        if (!clnorm_tuning_field(&field, tuning, &status, e))
            return clnorm_fail(e, CLNORM_BAD_ARGS, "unknown '%s'; allowed are %s", field.name,
                               clnorm_tuning_fields());
        seen[count++] = field;
    }
    if (status != CLNORM_OK || e->status != CLNORM_OK)
        return e->status;
    if (count == 0)
        return clnorm_fail(e, CLNORM_BAD_ARGS, "nothing is named; allowed are %s",
                           clnorm_tuning_fields());
    return clnorm_tuning_check(tuning, e);
}

void clnorm_tuning_text(const clnorm_tuning *t, char text[CLNORM_TUNING_TEXT])
{
    const struct {
        const char *name;
        unsigned value;
    } numbers[] = {{"vec", t->vec}, {"group", t->group}, {"team", t->team}};
    size_t used = 0;
    text[0] = '\0';
#define ADD(...) used += (size_t)snprintf(text + used, CLNORM_TUNING_TEXT - used, __VA_ARGS__)
    if (t->form || !clnorm_tuning_names(t))
        ADD("form=%s", clnorm_form_name(t->form));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        if (numbers[i].value)
            ADD("%s%s=%u", used ? " " : "", numbers[i].name, numbers[i].value);
    if (t->subgroups)
        ADD("%ssubgroups=%s", used ? " " : "", subgroups[t->subgroups]);
    if (t->stream == UINT64_MAX)
        ADD("%sstream=never", used ? " " : "");
    else if (t->stream)
        ADD("%sstream=%" PRIu64, used ? " " : "", t->stream);
#undef ADD
}

unsigned clnorm_tuning_names(const clnorm_tuning *t)
{
    const bool kernel = t->form || t->vec || t->group || t->team || t->subgroups;
    return (kernel ? CLNORM_TUNES_KERNEL : 0u) | (t->stream ? CLNORM_TUNES_STREAM : 0u);
}
