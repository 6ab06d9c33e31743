/* SPDX-License-Identifier: MIT */
/* The table that clnorm tune writes. Lines that are not its own, notes and those of a newer version
 * too, stay as they are. */
#ifndef CLNORM_CLI_TUNE_FILE_H
#define CLNORM_CLI_TUNE_FILE_H

#include "base/tuning_table.h"
#include "cli/cli.h"

/* Before minutes of work: refuses a table that cannot be read or written. Makes the directories of
 * the default place, where they are missing. */
bool tune_file_prepare(const char *path, bool is_default, clnorm_error *error);
/* Whether there is a record of the same key and driver; *found is set to it. */
bool tune_file_find(const char *path, const clnorm_tuning_record *wanted,
                    clnorm_tuning_record *found);
/* Puts the record in the place of that with its key, or at the end. Several processes may do so at
 * once. */
bool tune_file_put(const char *path, const clnorm_tuning_record *record, clnorm_error *error);

#endif
