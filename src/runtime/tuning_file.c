/* SPDX-License-Identifier: MIT */
#include "base/user_path.h"
#include "runtime/context.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 10000 };

/* Reads a line without its newline. False at the end; *too_long: the rest of it was dropped. */
static bool read_line(FILE *file, char line[CLNORM_TUNING_LINE], bool *too_long)
{
    size_t used = 0;
    int c;
    *too_long = false;
    while ((c = getc(file)) != EOF && c != '\n') {
        if (used + 1 < CLNORM_TUNING_LINE)
            line[used++] = (char)(c ? c : '\1'); /* a zero is as wrong, and does not end the text */
        else
            *too_long = true;
    }
    if (used > 0 && line[used - 1] == '\r')
        used--;
    line[used] = '\0';
    return c != EOF || used > 0;
}

static void read_table(clnorm_context *context, const char *path, FILE *file)
{
    char line[CLNORM_TUNING_LINE];
    clnorm_error error;
    bool too_long;
    unsigned number = 0;
    while (number < MOST_LINES && read_line(file, line, &too_long)) {
        number++;
        clnorm_status status = CLNORM_OK;
        if (too_long)
            status = clnorm_fail(&error, CLNORM_BAD_ARGS, "it has more than %d characters",
                                 CLNORM_TUNING_LINE - 1);
        else
            status = clnorm_tuning_table_add(&context->tuning, line, &error);
        if (status != CLNORM_OK)
            clnorm_log(context, CLNORM_LOG_WARNING, "%s:%u is left out: %s", path, number,
                       error.text);
    }
    if (ferror(file))
        clnorm_log(context, CLNORM_LOG_WARNING, "%s: %s", path, strerror(errno));
    else if (number == MOST_LINES && !feof(file))
        clnorm_log(context, CLNORM_LOG_WARNING, "%s: lines after %u are left out", path, number);
}

static void use_file(clnorm_context *context, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        clnorm_log(context, errno == ENOENT ? CLNORM_LOG_INFO : CLNORM_LOG_WARNING, "%s: %s", path,
                   strerror(errno));
        return;
    }
    read_table(context, path, file);
    fclose(file);
    clnorm_log(context, CLNORM_LOG_INFO, "%s: %zu records", path, context->tuning.count);
}

clnorm_status clnorm_context_set_tuning(clnorm_context *context, const char *path,
                                        clnorm_error *error)
{
    clnorm_error reason;
    if (!context || (path && !*path))
        return clnorm_fail(error, CLNORM_BAD_ARGS, "%s",
                           !context ? "context is NULL" : "the path is an empty text");
    char *own = path ? NULL : clnorm_tuning_path(&reason);
    lock_take(&context->lock);
    clnorm_tuning_table_release(&context->tuning);
    context->gemm_ready = false;
    if (path || own)
        use_file(context, path ? path : own);
    else
        clnorm_log(context, CLNORM_LOG_INFO, "%s", reason.text);
    lock_give(&context->lock);
    free(own);
    return CLNORM_OK;
}
