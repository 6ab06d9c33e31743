/* SPDX-License-Identifier: MIT */
#include "common/options.h"
#include "common/error.h"

#include <stdio.h>
#include <string.h>

void ex_options(int argc, char **argv, const struct poptOption *table)
{
    const struct poptOption all[] = {
        {NULL, 0, POPT_ARG_INCLUDE_TABLE, (void *)(uintptr_t)table, 0, "Options:", NULL},
        POPT_AUTOHELP POPT_TABLEEND};
    poptContext context = poptGetContext(NULL, argc, (const char **)(uintptr_t)argv, all, 0);
    const int code = poptGetNextOpt(context);
    if (code < -1)
        ex_die(EX_USAGE, "%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS),
               poptStrerror(code));
    const char *word = poptGetArg(context);
    if (word)
        ex_die(EX_USAGE, "'%s': only options are taken; see --help", word);
    poptFreeContext(context);
}

void ex_in_range(const char *name, long long value, long long least, long long most)
{
    if (value < least || value > most)
        ex_die(EX_USAGE, "%s is %lld; must be %lld to %lld", name, value, least, most);
}

void ex_in_range_number(const char *name, double value, double least, double most)
{
    if (!(value >= least && value <= most)) /* nor NaN */
        ex_die(EX_USAGE, "%s is %g; must be %g to %g", name, value, least, most);
}

int ex_choice(const char *name, const char *text, const char *const *names)
{
    char allowed[256] = "";
    for (int i = 0; names[i]; i++) {
        if (strcmp(text, names[i]) == 0)
            return i;
        snprintf(allowed + strlen(allowed), sizeof(allowed) - strlen(allowed), "%s%s",
                 i ? ", " : "", names[i]);
    }
    ex_die(EX_USAGE, "%s is '%s'; must be one of %s", name, text, allowed);
}
