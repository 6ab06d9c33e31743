/* SPDX-License-Identifier: MIT */
/* One case on one device, measured in rounds beside its companion. Nothing is timed that was not
 * found right before, and what was timed is compared with that to the bit. */
#ifndef CLNORM_CHECK_BENCH_H
#define CLNORM_CHECK_BENCH_H

#include "check/bench_device.h"
#include "check/variants.h"
#include "check/verify.h"

typedef struct clnorm_bench_case {
    const clnorm_variant *variant;
    clnorm_desc desc;
    clnorm_direction direction;
    uint64_t rows;
    bool warm; /* the same tensors again and again; else such as are in no cache */
} clnorm_bench_case;

typedef struct clnorm_bench_options {
    uint64_t seed;
    unsigned least_samples; /* of a round, at least 1 */
    double round_seconds; /* of samples, companions not counted: more of them until then */
    /* Asked before each sample: false ends the round with CLNORM_CANCELLED. */
    bool (*goes_on)(void *user);
    void *user;
} clnorm_bench_options;

/* A call, and its companion beside it. By the device's clock, see clnorm_bench_device. */
typedef struct clnorm_bench_sample {
    double seconds, copy_seconds;
    double event_seconds, host_seconds; /* of the call, by either clock; 0: not known */
} clnorm_bench_sample;

enum { CLNORM_MOST_SAMPLES = 4096 };

typedef struct clnorm_bench_round {
    clnorm_bench_sample *samples; /* freed by the caller */
    unsigned count;
    uint64_t sets; /* that it went through in turns */
    unsigned calls; /* in a sample */
    bool is_cold; /* the sets together take clnorm_bench_cold_bytes */
    uint64_t last; /* set of the last call */
    bool differs; /* what that wrote has other bits than the result that was verified */
} clnorm_bench_round;

typedef struct clnorm_bench clnorm_bench;

typedef struct clnorm_bench_facts {
    uint64_t bytes, copy_bytes; /* that a call has to move, each once; that its companion moves */
    uint64_t peak_bytes; /* that a round takes on the device, for the smallest ring */
    double build_seconds, first_seconds; /* making the op; the first call */
    clnorm_verdict verdict; /* wrong: nothing may be timed */
    bool differs; /* rows that are there again have other bits: the same */
    uint64_t ulp_counts[CLNORM_ULP_BINS];
    clnorm_form form;
    char tuning[CLNORM_TUNING_BYTES];
} clnorm_bench_facts;

/* How bytes are counted here. What counts in another way has another number. */
enum { CLNORM_TRAFFIC_MODEL = 1 };
/* What facts say of traffic, of a case that is not opened. Fails as clnorm_desc_check. */
clnorm_status clnorm_bench_bytes(const clnorm_bench_case *c, uint64_t *bytes, uint64_t *copy_bytes,
                                 clnorm_error *error);
/* Builds, runs once and verifies. The case is copied. CLNORM_UNSUPPORTED, CLNORM_OUT_OF_MEMORY:
 * the device cannot do it. facts->verdict.wrong > 0 with CLNORM_OK: wrong. CLNORM_OPENCL and
 * facts->differs: rows that are the same have other bits. */
clnorm_status clnorm_bench_open(clnorm_bench_device *device, const clnorm_bench_case *c,
                                const clnorm_bench_options *options, clnorm_bench **bench,
                                clnorm_bench_facts *facts, clnorm_error *error);
/* CLNORM_OPENCL with a text and round->differs if a result is not the one that was verified. */
clnorm_status clnorm_bench_run_round(clnorm_bench *bench, clnorm_bench_round *round,
                                     clnorm_error *error);
/* How the companion moves: see clnorm_companion_way_name. */
const char *clnorm_bench_copy_name(const clnorm_bench *bench);
/* NULL is allowed. */
void clnorm_bench_close(clnorm_bench *bench);

#endif
