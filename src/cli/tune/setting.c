/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "cli/tune/setting.h"

#include "base/user_path.h"
#include "cli/variable.h"

#include <stdlib.h>
#include <string.h>

bool tune_setting_read(struct tune_setting *setting, clnorm_error *error)
{
    const char *path = variable("CLNORM_TUNE_FILE");
    clnorm_error reason;
    *setting = (struct tune_setting){.is_default = !path};
    if (!variable_switch("CLNORM_TUNE", &setting->on, error))
        return false;
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
