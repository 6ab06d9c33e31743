/* SPDX-License-Identifier: MIT */
/* What `bench` measured, and the document that is made of it: clnorm.bench/1, of which all formats
 * are views. docs/bench.md has every key. */
#ifndef CLNORM_CLI_BENCH_REPORT_H
#define CLNORM_CLI_BENCH_REPORT_H

#include "cli/bench/case.h"

#include <time.h>

enum bench_status {
    BENCH_OK,
    BENCH_WRONG, /* an element outside of its bound, or other bits while it was timed */
    BENCH_UNSUPPORTED,
    BENCH_OUT_OF_MEMORY,
    BENCH_ERROR
};

struct bench_row {
    size_t machine; /* place in the report */
    clnorm_bench_case c;
    enum bench_status status;
    char reason[512]; /* "" with BENCH_OK */
    clnorm_bench_facts facts;
    const char *copy_way;
    const char *fallback; /* see clnorm_bench_fallback; or NULL */
    clnorm_bench_round *rounds; /* those that are whole */
    size_t n_rounds;
};

struct bench_machine {
    const clnorm_device *device;
    clnorm_bench_device measured; /* its context and queue are gone */
    char problem[512]; /* why it could not be used; "" */
};

struct bench_settings {
    const char *command;
    const char *preset; /* that cases are of; NULL: none */
    json_t *filter; /* what chose among them: texts as they were typed */
    char *title; /* NULL: none */
    unsigned rounds, least_samples;
    double round_seconds;
    uint64_t seed;
    int timer; /* a clnorm_timer */
};

/* What the machine was at before anything was measured, which would be a load itself. */
struct bench_host {
    time_t created;
    double load; /* of the minute before; negative: not known */
    long cpus;
    bool on_battery;
};

struct bench_report {
    struct bench_host host;
    struct bench_settings settings;
    struct bench_machine *machines;
    size_t n_machines;
    struct bench_row *rows;
    size_t n_rows;
    bool complete;
};

void bench_report_release(struct bench_report *report);

/* What the rounds of a row say. */
struct bench_numbers {
    double median, low, high; /* seconds of a call: median of the rounds', and 95 % of it */
    double noise; /* standard deviation of the logarithms of the rounds' medians */
    double min, q1, q3, p99; /* of all samples */
    size_t samples;
    double copy, of_copy, of_copy_low, of_copy_high;
    double event, host; /* medians by either clock; 0: not known */
    double drift; /* last third of the rounds over the first; 1 of fewer than 6 rounds */
};

enum { BENCH_MOST_ROUNDS = 200 };

/* n_rounds is not 0. False: no memory. */
bool bench_numbers_of(const struct bench_row *row, struct bench_numbers *numbers);

/* A list of what is to be said about a row: {"code", "value", "text"}. */
json_t *bench_warnings_of(const struct bench_report *report, const struct bench_row *row,
                          const struct bench_numbers *numbers);
/* What a shell takes for these arguments; the first are the words of the command. Freed by the
 * caller; NULL: no memory. */
char *bench_command(int argc, const char **argv);
void bench_host_look(struct bench_host *host);
/* Whether a battery of the machine (not of a mouse) feeds it: directory is where Linux lists power
 * supplies, and need not be there. */
bool bench_on_battery(const char *directory);
/* Facts about this machine and this build. */
json_t *bench_host_facts(const struct bench_host *host);
json_t *bench_tool(void);

/* With these rows of the report, as far as there is anything to say of them. A new reference; NULL:
 * no memory. */
json_t *bench_document(const struct bench_report *report, size_t first, size_t count);

/* ---- views of a document ---- */

/* "table|markdown|csv|json|jsonl|sql" */
#define BENCH_FORMATS "table|markdown|csv|json|jsonl|sql"
enum bench_format { BENCH_TABLE, BENCH_MARKDOWN, BENCH_CSV, BENCH_JSON, BENCH_JSONL, BENCH_SQL };

struct bench_view {
    FILE *stream;
    unsigned width; /* of a terminal; 0: as wide as it takes */
    bool color;
};

/* Returns an exit code. */
int bench_print(const json_t *document, enum bench_format format, const struct bench_view *view);
int bench_print_table(const json_t *document, const struct bench_view *view);
int bench_print_markdown(const json_t *document, const struct bench_view *view);

#endif
