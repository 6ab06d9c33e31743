/* SPDX-License-Identifier: MIT */
#include "base/tuning.h"

const char *clnorm_form_name(clnorm_form form)
{
    static const char *const names[] = {"auto", "sequential", "sliced", "held", "cooperative"};
    return names[form];
}
