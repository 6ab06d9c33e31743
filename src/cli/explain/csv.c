/* SPDX-License-Identifier: MIT */
#include "cli/explain/explain.h"

#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r";

static bool append(struct explain_csv *csv, uint64_t *count, double number, clnorm_error *error)
{
    if ((*count & (*count - 1)) == 0) { /* a power of two: full */
        const size_t bytes = (*count ? 2 * *count : 1) * sizeof(csv->x[0]);
        double *larger = realloc(csv->x, bytes);
        if (!larger)
            return out_of_memory(error, bytes);
        csv->x = larger;
    }
    csv->x[(*count)++] = number;
    return true;
}

/* What stands between two commas, for a message. */
static int field_length(const char *field)
{
    enum { MOST = 40 };
    const size_t length = strcspn(field, ",\n");
    return length < MOST ? (int)length : MOST;
}

/* Reads the numbers of one line, which ends at a newline or 0; *text is moved there. */
static bool parse_line(const char *name, uint64_t line, const char **text, struct explain_csv *csv,
                       uint64_t *count, clnorm_error *error)
{
    for (uint64_t field = 1;; field++) {
        const char *begin = *text + strspn(*text, blanks);
        double number = 0;
        *text = begin;
        const bool is_number = *begin != '\n' && explain_number(text, &number);
        *text += strspn(*text, blanks);
        if (!is_number || !strchr(",\n", **text)) /* 0 is found, too */
            return refuse(error, "%s: line %llu, number %llu is '%.*s'; must be a number", name,
                          (unsigned long long)line, (unsigned long long)field, field_length(begin),
                          begin);
        if (!append(csv, count, number, error))
            return false;
        if (**text != ',')
            return true;
        ++*text;
    }
}

static bool take_line(const char *name, uint64_t line, uint64_t n, struct explain_csv *csv,
                      clnorm_error *error)
{
    if (csv->rows == 0)
        csv->cols = n;
    if (n != csv->cols)
        return refuse(error, "%s: line %llu has %llu numbers; must have %llu, as the lines above",
                      name, (unsigned long long)line, (unsigned long long)n,
                      (unsigned long long)csv->cols);
    csv->rows++;
    return true;
}

bool explain_csv_parse(const char *name, const char *text, size_t bytes, struct explain_csv *csv,
                       clnorm_error *error)
{
    const char *const end = text + bytes;
    uint64_t count = 0;
    *csv = (struct explain_csv){.x = NULL};
    if (strlen(text) < bytes)
        return refuse(error, "%s: is neither a .npy nor an idx file nor text; must be one of them",
                      name);
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) /* how spreadsheets mark UTF-8 */
        text += 3;
    for (uint64_t line = 1; text < end; line++, text++) {
        const uint64_t before = count;
        const size_t blank = strspn(text, blanks);
        if (text[blank] == '\n' || text[blank] == '\0')
            text += blank;
        else if (!parse_line(name, line, &text, csv, &count, error) ||
                 !take_line(name, line, count - before, csv, error))
            return false;
    }
    if (count == 0)
        return refuse(error, "%s: has no numbers; must have lines of them, with commas between",
                      name);
    return true;
}
