/* SPDX-License-Identifier: MIT */
#include "cli/variable.h"

#include <stdlib.h>
#include <string.h>

const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool variable_switch(const char *name, bool *on, clnorm_error *error)
{
    const char *state = variable(name);
    *on = !state || strcmp(state, "on") == 0;
    return *on || strcmp(state, "off") == 0 ||
           refuse(error, "%s is '%s': must be on or off", name, state);
}
