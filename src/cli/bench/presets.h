/* SPDX-License-Identifier: MIT */
#ifndef CLNORM_CLI_BENCH_PRESETS_H
#define CLNORM_CLI_BENCH_PRESETS_H

/* "smoke|transformer|vision|launch|long" */
#define BENCH_PRESETS "smoke|transformer|vision|launch|long"

/* The cases of a preset, up to NULL; NULL if there is none of that name. */
const char *const *bench_preset(const char *name);

#endif
