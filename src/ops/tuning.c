/* SPDX-License-Identifier: MIT */
#include "ops/tuning.h"

#include "base/hardware_name.h"

#include <string.h>

/* ---- the tables ---------------------------------------------------------------------------- */

static clnorm_device_class class_of(cl_device_type type)
{
    return type & CL_DEVICE_TYPE_GPU           ? CLNORM_GPU_DEVICE
           : type & CL_DEVICE_TYPE_ACCELERATOR ? CLNORM_ACC_DEVICE
                                               : CLNORM_CPU_DEVICE;
}

clnorm_tuning_key clnorm_tuning_device_key(const clnorm_device *device)
{
    clnorm_tuning_key key = clnorm_tuning_any();
    key.units = device->compute_units;
    key.type = class_of(device->type);
    clnorm_hardware_name(device->name, key.device, sizeof(key.device));
    clnorm_hardware_name(device->platform_name, key.platform, sizeof(key.platform));
    clnorm_hardware_name(device->vendor, key.vendor, sizeof(key.vendor));
    memcpy(key.driver, device->driver, sizeof(key.driver));
    return key;
}

clnorm_tuning_key clnorm_tuning_key_of(const clnorm_device *device, const clnorm_desc *desc)
{
    clnorm_tuning_key key = clnorm_tuning_device_key(device);
    key.kind = (int)desc->kind;
    key.dtype = (int)desc->x_dtype;
    key.least_cols = key.most_cols = clnorm_sets_of(desc, 1).run;
    return key;
}

static void take_kernel(clnorm_tuning *to, const clnorm_tuning *from)
{
    const uint64_t stream = to->stream;
    *to = *from;
    to->stream = stream;
}

/* Takes over what is still missing, of CLNORM_TUNES_...; returns what is missing then. */
static unsigned take_from(const clnorm_tuning_table *table, const clnorm_tuning_key *key,
                          unsigned missing, clnorm_tuning *tuning)
{
    const clnorm_tuning_record *kernel = clnorm_tuning_table_find(table, key, CLNORM_TUNES_KERNEL);
    const clnorm_tuning_record *stream = clnorm_tuning_table_find(table, key, CLNORM_TUNES_STREAM);
    if (kernel && (missing & CLNORM_TUNES_KERNEL))
        take_kernel(tuning, &kernel->tuning);
    if (stream && (missing & CLNORM_TUNES_STREAM))
        tuning->stream = stream->tuning.stream;
    return missing & ~((kernel ? CLNORM_TUNES_KERNEL : 0u) | (stream ? CLNORM_TUNES_STREAM : 0u));
}

static clnorm_tuning_table table_of(const char *const *lines)
{
    clnorm_tuning_table table = {.count = 0};
    clnorm_error error;
    for (; *lines; lines++)
        (void)clnorm_tuning_table_add(&table, *lines, &error); /* without memory: the heuristic */
    return table;
}

clnorm_tuning clnorm_tuning_choose(const clnorm_tuning_table *user, const char *const *builtin,
                                   const clnorm_tuning_key *key)
{
    clnorm_tuning tuning = {.form = CLNORM_FORM_AUTO};
    clnorm_tuning_table own = table_of(builtin);
    const unsigned all = CLNORM_TUNES_KERNEL | CLNORM_TUNES_STREAM;
    take_from(&own, key, take_from(user, key, all, &tuning), &tuning);
    clnorm_tuning_table_release(&own);
    return tuning;
}

/* ---- the op -------------------------------------------------------------------------------- */

/* Once: what is measured again changes all records. */
void clnorm_tuning_tell_driver(clnorm_context *context, const clnorm_tuning_record *record,
                               const clnorm_tuning_key *key)
{
    const char *driver = record ? record->key.driver : "";
    if (!*driver || strcmp(driver, key->driver) == 0 || context->tuning.told)
        return;
    context->tuning.told = true;
    clnorm_log(context, CLNORM_LOG_WARNING,
               "%s: parameters were measured with driver %s, which is %s now; clnorm tune measures "
               "again",
               key->device, driver, key->driver);
}

clnorm_tuning clnorm_op_take_tuning(clnorm_op *op)
{
    const clnorm_tuning_key key = clnorm_tuning_key_of(&op->context->device, &op->desc);
    clnorm_tuning own = {.form = CLNORM_FORM_AUTO}, tuning;
    if (op->desc.tuning) /* clnorm_desc_resolve checked it */
        (void)clnorm_tuning_parse(op->desc.tuning, &own, NULL);
    op->desc.tuning = NULL;
    lock_take(&op->context->lock);
    clnorm_tuning_tell_driver(op->context,
                              clnorm_tuning_table_find(&op->context->tuning, &key,
                                                       CLNORM_TUNES_KERNEL | CLNORM_TUNES_STREAM),
                              &key);
    tuning = clnorm_tuning_choose(&op->context->tuning, clnorm_tuning_builtin, &key);
    lock_give(&op->context->lock);
    /* a form that is asked for has no use for the parameters of another one */
    if (op->desc.form && tuning.form != op->desc.form)
        take_kernel(&tuning, &(clnorm_tuning){.form = op->desc.form});
    if (clnorm_tuning_names(&own) & CLNORM_TUNES_KERNEL)
        take_kernel(&tuning, &own);
    if (op->desc.form)
        tuning.form = op->desc.form;
    if (own.stream)
        tuning.stream = own.stream;
    return tuning;
}

clnorm_status clnorm_op_tuning(const clnorm_op *op, char *text, size_t bytes, clnorm_error *error)
{
    const clnorm_geometry *g = &op->geometry;
    const clnorm_subgroups has = op->context->subgroups;
    const bool could_have = g->team_size > 1 && (has.intel || has.khr);
    const clnorm_tuning tuning = {.form = g->form,
                                  .vec = g->vec,
                                  .group = g->group_size,
                                  .team = g->team_size,
                                  .subgroups = g->subgroup > 1    ? CLNORM_SUBGROUPS_INTEL
                                               : g->subgroup == 1 ? CLNORM_SUBGROUPS_KHR
                                               : could_have       ? CLNORM_SUBGROUPS_OFF
                                                                  : CLNORM_SUBGROUPS_AUTO,
                                  .stream = g->cpu_hints ? g->stream_bytes : 0};
    char all[CLNORM_TUNING_TEXT];
    clnorm_tuning_text(&tuning, all);
    const size_t needed = strlen(all) + 1;
    if (!text || bytes < needed)
        return clnorm_fail(error, CLNORM_BAD_ARGS,
                           "text is %s and bytes is %zu; allowed is room for %zu bytes",
                           text ? "given" : "NULL", bytes, needed);
    memcpy(text, all, needed);
    return CLNORM_OK;
}
