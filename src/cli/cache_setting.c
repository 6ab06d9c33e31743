/* SPDX-License-Identifier: MIT */
#include "cli/cache_setting.h"
#include "cli/variable.h"

bool cache_setting_read(struct cache_setting *setting, clnorm_error *error)
{
    setting->directory = variable("CLNORM_CACHE_DIR");
    return variable_switch("CLNORM_CACHE", &setting->on, error);
}

bool cache_setting_use(clnorm_context *context, clnorm_error *error)
{
    struct cache_setting setting;
    if (!cache_setting_read(&setting, error))
        return false;
    return !setting.on ||
           clnorm_context_set_cache(context, setting.directory, 0, error) == CLNORM_OK;
}
