/* SPDX-License-Identifier: MIT */
/* clnorm run: what its files have in common. */
#ifndef CLNORM_CLI_RUN_H
#define CLNORM_CLI_RUN_H

#include "cli/cli.h"
#include "cli/input_file.h"
#include "cli/progress.h"

struct run_options {
    char *input, *output, *weight, *bias, *mean, *rstd, *device;
    int op, dtype, out_dtype; /* a clnorm_kind, a clnorm_dtype; -1: not given */
    double eps;
    uint64_t axes, max_device_bytes;
    bool verify, json, no_color;
};

/* ---- what is normalized (run_job.c) -------------------------------------------------------- */

struct run_job {
    const struct run_options *options;
    struct input_file x, weight, bias; /* path NULL: not given */
    clnorm_desc desc;
    uint64_t rows;
    unsigned row_axes; /* the last axes of x, which form a row */
};

/* Opens the inputs and compares them with one another and with the options. */
bool run_job_open(struct run_job *job, const struct run_options *options, clnorm_error *error);
void run_job_close(struct run_job *job);

/* Inputs of the rows from `first` on; outputs are the caller's to set. */
clnorm_host_args run_job_args(const struct run_job *job, uint64_t first);
uint64_t run_x_row_bytes(const struct run_job *job);
uint64_t run_y_row_bytes(const struct run_job *job);

/* ---- on a device (run_device.c) ------------------------------------------------------------ */

struct run_devices {
    clnorm_device *list;
    size_t count;
    size_t *chosen; /* places in the list */
    size_t n_chosen; /* 1, unless the selector is "all" and `several` was true */
};

bool run_devices_choose(struct run_devices *devices, const char *selector, bool several,
                        clnorm_error *error);
void run_devices_release(struct run_devices *devices);

struct run_session {
    clnorm_context *context;
    clnorm_op *op;
};

bool run_session_open(struct run_session *session, const struct run_job *job,
                      const clnorm_device *device, clnorm_error *error);
void run_session_close(struct run_session *session);

/* Called with the rows that are done, counted from the first row of args. */
struct run_watch {
    struct progress progress;
    uint64_t rows_before; /* done in earlier calls */
    void (*done)(void *user, uint64_t rows); /* or NULL */
    void *user;
};

/* Both stop with CLNORM_CANCELLED when a signal asks for it. */
bool run_forward(const struct run_session *session, const struct run_job *job, uint64_t rows,
                 const clnorm_host_args *args, struct run_watch *watch, clnorm_host_report *report,
                 clnorm_error *error);
/* first: row of x where args begin. */
bool run_verify(const struct run_session *session, const struct run_job *job, uint64_t first,
                uint64_t rows, const clnorm_host_args *args, struct run_watch *watch,
                clnorm_verdict *verdict, clnorm_error *error);

/* ---- the two ways to run (run_file.c, run_compare.c): exit codes --------------------------- */

int run_to_file(const struct run_job *job);
/* Every device that is meant proves its result and is timed; the results are dropped. */
int run_compare(const struct run_job *job);

/* What is the same in both reports: input, op, shape. NULL: out of memory. */
json_t *run_job_json(const struct run_job *job);
/* Adds what the verdict found to an object. */
void run_verdict_json(json_t *object, const clnorm_verdict *verdict);
/* The worst element, in one line. */
void run_complain_wrong(const clnorm_device *device, const clnorm_verdict *verdict);

#endif
