/* SPDX-License-Identifier: MIT */
#include "cli/explain/explain.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

bool explain_number(const char **text, double *number)
{
    char *end;
    *number = strtod(*text, &end);
    const bool is_number = end > *text;
    *text = end;
    return is_number;
}

bool explain_float(double number, float *cell)
{
    *cell = fabs(number) <= FLT_MAX ? (float)number : 0;
    return fabs(number) <= FLT_MAX;
}
