/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_BASE_USER_PATH_H
#define CLNORM_BASE_USER_PATH_H

#include "base/status.h"

/* "$VARIABLE/REST", or "$HOME/UNDER_HOME/REST" where the variable is no absolute path; freed by the
 * caller. NULL with CLNORM_BAD_ARGS ("no WHAT: ...") where neither is one, also in a process that
 * has more rights than who started it. */
char *clnorm_user_path(const char *variable, const char *under_home, const char *rest,
                       const char *what, clnorm_error *error);

/* Of the user's table of parameters. */
char *clnorm_tuning_path(clnorm_error *error);

#endif
