/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_BASE_DESC_RULES_H
#define CLNORM_BASE_DESC_RULES_H

#include "clnorm/clnorm.h"

/* CLNORM_BAD_DESC for fields that are right by themselves, and make no sense together. desc is
 * resolved. */
clnorm_status clnorm_desc_rules(const clnorm_desc *desc, clnorm_error *error);

#endif
