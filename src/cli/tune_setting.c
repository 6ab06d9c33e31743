/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/tune_setting.h"

#include "base/user_path.h"

#include <stdlib.h>
#include <string.h>

/* NULL if it is empty, too. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool tune_setting_read(struct tune_setting *setting, clnorm_error *error)
{
    const char *state = variable("CLNORM_TUNE"), *path = variable("CLNORM_TUNE_FILE");
    clnorm_error reason;
    *setting = (struct tune_setting){.on = !state || strcmp(state, "on") == 0, .is_default = !path};
    if (!setting->on && strcmp(state, "off") != 0)
        return refuse(error, "CLNORM_TUNE is '%s': must be on or off", state);
    setting->path = path ? strdup(path) : clnorm_tuning_path(&reason);
    return !path || setting->path || out_of_memory(error, strlen(path));
}

void tune_setting_release(struct tune_setting *setting)
{
    free(setting->path);
    setting->path = NULL;
}

bool tune_setting_use(clnorm_context *context, clnorm_error *error)
{
    struct tune_setting setting;
    if (!tune_setting_read(&setting, error))
        return false;
    const bool ok = !setting.on || !setting.path ||
                    clnorm_context_set_tuning(context, setting.path, error) == CLNORM_OK;
    tune_setting_release(&setting);
    return ok;
}
