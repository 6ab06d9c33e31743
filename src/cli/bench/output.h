/* SPDX-License-Identifier: MIT */
/* Where the result of `bench` goes. */
#ifndef CLNORM_CLI_BENCH_OUTPUT_H
#define CLNORM_CLI_BENCH_OUTPUT_H

#include "cli/bench/run.h"

/* Whether these files can be written, before anything is measured, as that takes its time. */
bool bench_files_check(const struct cli_texts *paths, clnorm_error *error);
/* The end of the name says how. */
bool bench_file_write(json_t *document, const char *path, clnorm_error *error);

/* Lines of JSONL on stdout, each as soon as there is its result. */
struct bench_stream {
    struct bench_report *report;
    size_t rows; /* of the whole run */
    size_t told;
    int code; /* not CLI_OK: that of the line that could not be printed, behind which is none */
};

/* Its user is a bench_stream. */
void bench_stream_tell(void *user, size_t row);

#endif
