/* SPDX-License-Identifier: MIT */
/* Tables of what was measured: a record a line, "KEY... PARAMETER...", such as
 *
 *   # notes
 *   device="AMD EPYC" units=2 platform="Intel OpenCL" driver="2026.22" kind=layer_norm dtype=f32
 *       cols=512..895 form=sequential vec=8                                 (in one line)
 *   type=gpu vendor=AMD stream=never
 *   device="AMD EPYC" units=2 gemm="MWG=32 NWG=32 ..." gemv_rows=4
 *
 * A key that is left out fits everything. Names are those of clnorm_hardware_name. */
#ifndef CLNORM_BASE_TUNING_TABLE_H
#define CLNORM_BASE_TUNING_TABLE_H

#include "base/gemm_tuning.h"

typedef enum clnorm_device_class {
    CLNORM_ANY_DEVICE,
    CLNORM_CPU_DEVICE,
    CLNORM_GPU_DEVICE,
    CLNORM_ACC_DEVICE
} clnorm_device_class;

typedef struct clnorm_tuning_key {
    char device[256], platform[128], vendor[128]; /* "": any */
    char driver[128]; /* with which it was measured: no condition */
    unsigned units; /* 0: any */
    clnorm_device_class type;
    int kind, dtype; /* -1: any */
    uint64_t least_cols, most_cols; /* 0 .. UINT64_MAX: any */
} clnorm_tuning_key;

/* A key that fits everything. */
clnorm_tuning_key clnorm_tuning_any(void);

typedef struct clnorm_tuning_record {
    clnorm_tuning_key key;
    clnorm_tuning tuning;
    clnorm_gemm_tuning gemm;
    unsigned names; /* CLNORM_TUNES_... of its line, where "form=auto" is a kernel, too */
} clnorm_tuning_record;

typedef struct clnorm_tuning_table {
    clnorm_tuning_record *records;
    size_t count, capacity;
    bool told; /* a driver that differs is told once */
} clnorm_tuning_table;

enum { CLNORM_TUNING_LINE = 3072 };

/* Nothing but spaces, or notes. */
bool clnorm_tuning_is_blank(const char *line);
clnorm_status clnorm_tuning_record_parse(const char *line, clnorm_tuning_record *record,
                                         clnorm_error *error);
/* Without a newline. */
void clnorm_tuning_record_text(const clnorm_tuning_record *record, char text[CLNORM_TUNING_LINE]);
/* Whether they are of the same measurement, whatever the driver. */
bool clnorm_tuning_same_key(const clnorm_tuning_record *a, const clnorm_tuning_record *b);

/* Adds a line; one that is blank adds nothing. */
clnorm_status clnorm_tuning_table_add(clnorm_tuning_table *table, const char *line,
                                      clnorm_error *error);
void clnorm_tuning_table_release(clnorm_tuning_table *table);
/* The record that names a kernel (or a store) for `key`, which has every field: of several, the one
 * that knows its device by name, else by vendor, else by type; of several of these the last one.
 * NULL: none. */
const clnorm_tuning_record *clnorm_tuning_table_find(const clnorm_tuning_table *table,
                                                     const clnorm_tuning_key *key, unsigned names);

#endif
