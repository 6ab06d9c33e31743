/* SPDX-License-Identifier: MIT */
#include "base/desc.h"
#include "base/tuning.h"
#include "check/cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *clnorm_direction_name(clnorm_direction direction)
{
    return direction == CLNORM_FORWARD ? "forward" : "backward";
}

/* All but x's, and what each is by default. A quantised y is part of its variant. */
typedef struct {
    const char *name;
    clnorm_dtype dtype, usual;
} other_dtype;

enum { OTHERS = 6 };

static void others_of(const clnorm_desc *d, other_dtype others[OTHERS])
{
    const clnorm_dtype x = d->x_dtype, y = d->quant ? x : d->y_dtype;
    const other_dtype list[OTHERS] = {
        {"y", y, x},
        {"params", d->param_dtype, x},
        {"residual", d->residual_dtype, x},
        {"dy", d->dy_dtype, y},
        {"dx", d->dx_dtype, x},
        {"dparams", d->dparam_dtype, d->param_dtype},
    };
    memcpy(others, list, sizeof(list));
}

const char *clnorm_check_dtype_name(const clnorm_desc *desc)
{
    other_dtype others[OTHERS];
    clnorm_desc resolved;
    if (clnorm_desc_resolve(desc, &resolved, NULL) != CLNORM_OK)
        return "?";
    others_of(&resolved, others);
    for (int i = 0; i < OTHERS; i++)
        if (others[i].dtype != resolved.x_dtype)
            return "mixed";
    return clnorm_dtype_name(resolved.x_dtype);
}

static void append(char *text, size_t bytes, const char *before, const char *name)
{
    const size_t used = strlen(text);
    snprintf(text + used, bytes - used, "%s%s", before, name);
}

void clnorm_check_case_name(const clnorm_check_case *c, char *text, size_t bytes)
{
    other_dtype others[OTHERS];
    clnorm_desc desc = c->desc;
    clnorm_desc_resolve(&c->desc, &desc, NULL);
    others_of(&desc, others);
    snprintf(text, bytes, "%s %s", c->variant->name, clnorm_dtype_name(desc.x_dtype));
    for (int i = 0; i < OTHERS; i++)
        if (others[i].dtype != others[i].usual) {
            append(text, bytes, " ", others[i].name);
            append(text, bytes, ":", clnorm_dtype_name(others[i].dtype));
        }
    const size_t used = strlen(text);
    snprintf(text + used, bytes - used, " %s %" PRIu64 "x%" PRIu64 " %s",
             clnorm_direction_name(c->direction), c->rows, desc.cols, clnorm_form_name(desc.form));
}
