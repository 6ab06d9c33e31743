/* SPDX-License-Identifier: MIT */
/* clnorm run: what its files have in common. */
#ifndef CLNORM_CLI_RUN_RUN_H
#define CLNORM_CLI_RUN_RUN_H

#include "base/tensor.h"
#include "cli/cli.h"
#include "cli/files/input_file.h"
#include "cli/files/output_file.h"
#include "cli/progress.h"

/* ---- options that name the file of a tensor (run_tensors.c) -------------------------------- */

/* Whether the file is read or written follows from what the call does with the tensor. */
struct run_tensor_option {
    const char *name; /* with its dashes */
    char letter; /* or 0 */
    clnorm_tensor_id id;
    const char *argument, *help;
};

enum run_tensor_place { /* in the table: those that mean more than a tensor */
                        RUN_OUTPUT = 0,
                        RUN_BACKWARD,
                        RUN_GIVEN_MEAN,
                        RUN_GIVEN_RSTD,
                        RUN_SILU_AFTER,
                        RUN_SILU_BEFORE,
                        RUN_NEW_RUNNING_MEAN,
                        RUN_NEW_RUNNING_VAR,
                        RUN_OTHER_TENSORS
};
enum { RUN_TENSOR_OPTIONS = 35, RUN_OPTIONS = RUN_TENSOR_OPTIONS + 40 /* at most */ };
extern const struct run_tensor_option run_tensor_options[RUN_TENSOR_OPTIONS];

struct run_options {
    char *input, *device;
    char *tensors[RUN_TENSOR_OPTIONS]; /* paths, at the places of run_tensor_options */
    clnorm_desc desc; /* its numbers; what else it holds follows in run_desc_make */
    int op, ddof, dtype, out_dtype, grad_dtype, layout, quant; /* -1: not given */
    uint64_t axes, seed, max_device_bytes;
    bool eps_inside, eps_outside, eps_clamp, cast_first, center_only, sum_exact, running_biased;
    bool asymmetric, bf16, from_output, verify, json, no_color;
    struct cli_option table[RUN_OPTIONS + 1];
    bool given[RUN_OPTIONS + 1]; /* at the places of the table */
};

enum { RUN_L2_NORM = 6 }; /* of the choices of --op, one that is no kind of its own */

/* What they are when none is given, with the table for options_parse (run_options.c). */
void run_options_init(struct run_options *options);
/* name: without its dashes. */
bool run_is_given(const struct run_options *options, const char *name);

/* ---- what is normalized (run_job.c) -------------------------------------------------------- */

struct run_job {
    const struct run_options *options;
    clnorm_direction direction;
    clnorm_desc asked; /* what options and files say */
    clnorm_desc desc; /* the same, resolved */
    uint64_t rows;
    unsigned row_axes; /* the last axes of INPUT, which form a row */
    /* where the options have the path of a tensor, NULL if not; of INPUT it is "INPUT" */
    const char *names[TENSOR_COUNT], *paths[TENSOR_COUNT];
    struct input_file files[TENSOR_COUNT]; /* path NULL: not read */
    clnorm_tensor_id main; /* the tensor of INPUT: x, or y of a backward pass from the output */
};

/* Opens the inputs and compares them with one another and with the options. */
bool run_job_open(struct run_job *job, const struct run_options *options, clnorm_error *error);
void run_job_close(struct run_job *job);

/* The inputs, whole. Outputs are the caller's to set. */
clnorm_host_args run_job_args(const struct run_job *job);
/* The same call's rows from `first` on. */
clnorm_host_args run_later_args(const struct run_job *job, const clnorm_host_args *args,
                                uint64_t first);
/* Bytes of a tensor for rows of x; 0 if it does not depend on them. */
uint64_t run_bytes_of_rows(const struct run_job *job, clnorm_tensor_id id, uint64_t rows);
/* Rows up to this one are done: their inputs leave the memory. */
void run_drop_inputs(const struct run_job *job, uint64_t rows);
/* Rows that can be worked on by themselves are multiples of this. */
uint64_t run_rows_step(const struct run_job *job);

/* ---- what goes with what (run_rules.c) ----------------------------------------------------- */

/* Refuses options that mean nothing, or make no sense, with the others. */
bool run_rules_check(const struct run_job *job, clnorm_error *error);

/* ---- the descriptor (run_desc.c) ----------------------------------------------------------- */

/* All of it but sizes and dtypes. */
bool run_desc_make(struct run_job *job, clnorm_error *error);
/* Dtypes: those of the files that are open, and those that options ask for. */
bool run_desc_dtypes(struct run_job *job, clnorm_error *error);

/* ---- shapes (run_shape.c) ------------------------------------------------------------------ */

clnorm_tensor_use run_use(const struct run_job *job, clnorm_tensor_id id);
/* Rows, columns, channels from the shape of INPUT. */
bool run_shape_split(struct run_job *job, clnorm_error *error);
/* rows_per_mod, from the shapes of the files. */
bool run_shape_mods(struct run_job *job, clnorm_error *error);
/* Compares the shape of an input with what the call needs. */
bool run_shape_check(const struct run_job *job, clnorm_tensor_id id, clnorm_error *error);
/* What a file that holds this tensor looks like. */
struct shape run_shape_of(const struct run_job *job, clnorm_tensor_id id);

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

/* false with CLNORM_CANCELLED once a signal asked to stop. */
bool run_goes_on(clnorm_error *error);
/* Both stop so. */
bool run_call(const struct run_session *session, const struct run_job *job, uint64_t rows,
              const clnorm_host_args *args, struct run_watch *watch, clnorm_host_report *report,
              clnorm_error *error);
/* args, before: from row `first` of INPUT on. */
bool run_verify(const struct run_session *session, const struct run_job *job, uint64_t first,
                uint64_t rows, const clnorm_host_args *args, const clnorm_host_args *before,
                struct run_watch *watch, clnorm_verdict *verdict, clnorm_error *error);

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
