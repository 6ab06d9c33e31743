/* SPDX-License-Identifier: MIT */
/* What the C workers of bench/peers share: they read a command a line on stdin and answer each with
 * a line on stdout. The commands are in bench/README.md; bench/peer/worker.py is the same for
 * Python. A worker that cannot go on says "error TEXT" and exits. */
#ifndef BENCH_PEER_WORKER_H
#define BENCH_PEER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORKER_TENSORS = 16, WORKER_WORDS = 64 };

typedef struct worker_tensor {
    const char *name, *dtype; /* "x", "f32" */
    uint64_t rows, cols;
    size_t row_bytes, bytes;
    bool output;
    void *data; /* of an input: its file, mapped read-only; of an output: the peer's */
} worker_tensor;

typedef struct worker_word {
    const char *key, *value;
} worker_word;

typedef struct worker_case {
    worker_word words[WORKER_WORDS];
    size_t n_words;
    worker_tensor tensors[WORKER_TENSORS];
    size_t n_tensors;
} worker_case;

/* NULL if the case has no such word. */
const char *worker_value(const worker_case *c, const char *key);
/* The word's number; it must be there. */
double worker_number(const worker_case *c, const char *key);
bool worker_is(const worker_case *c, const char *key, const char *value);
/* NULL if the case has no such tensor. */
worker_tensor *worker_find(worker_case *c, const char *name);

typedef struct worker_peer {
    void (*open)(void); /* the driver alone, nothing of a case; NULL: nothing to do */
    void (*versions)(void); /* prints " key=value"...; '_' for spaces */
    const char *(*prepare)(worker_case *c); /* NULL, or what the peer lacks for it */
    void (*call)(const char *what); /* "op", "copy"...: start it, wait for nothing */
    void (*finish)(void); /* wait for all that was started */
    void (*read_row)(const worker_tensor *output, uint64_t row, void *to);
    void (*release)(worker_case *c);
} worker_peer;

/* Serves stdin until it ends; returns the exit code of main. */
int worker_serve(const worker_peer *peer);

double worker_seconds(void);
_Noreturn void worker_fail(const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 1, 2)))
#endif
    ;

/* A call of a library that gives 0 when it went well. */
#define WORKER_MUST(call)                                                                          \
    do {                                                                                           \
        const int code_ = (int)(call);                                                             \
        if (code_ != 0)                                                                            \
            worker_fail("%s gave %d", #call, code_);                                               \
    } while (0)

#endif
