/* SPDX-License-Identifier: MIT */
#include "cli/files/csv.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void csv_text(struct csv *csv, const char *text)
{
    if (csv->n_fields++ > 0)
        putc(',', csv->stream);
    if (!text)
        return;
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, csv->stream);
        return;
    }
    putc('"', csv->stream);
    for (; *text; text++)
        fprintf(csv->stream, "%s%c", *text == '"' ? "\"" : "", *text);
    putc('"', csv->stream);
}

void csv_number(struct csv *csv, double value)
{
    char text[32];
    const bool is_whole = value == floor(value) && fabs(value) < 0x1p53;
    snprintf(text, sizeof(text), is_whole ? "%.0f" : "%.9g", value);
    csv_text(csv, isfinite(value) ? text : NULL);
}

void csv_end_line(struct csv *csv)
{
    fputs("\r\n", csv->stream);
    csv->n_fields = 0;
}
