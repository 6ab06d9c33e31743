/* SPDX-License-Identifier: MIT */
#include "cli/cache_setting.h"

#include <stdlib.h>
#include <string.h>

/* NULL if it is empty, too. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool cache_setting_read(struct cache_setting *setting, clnorm_error *error)
{
    const char *state = variable("CLNORM_CACHE");
    setting->on = !state || strcmp(state, "on") == 0;
    setting->directory = variable("CLNORM_CACHE_DIR");
    if (setting->on || strcmp(state, "off") == 0)
        return true;
    return refuse(error, "CLNORM_CACHE is '%s': must be on or off", state);
}

bool cache_setting_use(clnorm_context *context, clnorm_error *error)
{
    struct cache_setting setting;
    if (!cache_setting_read(&setting, error))
        return false;
    return !setting.on ||
           clnorm_context_set_cache(context, setting.directory, 0, error) == CLNORM_OK;
}
