/* SPDX-License-Identifier: MIT */
/* The layer of layer.cpp, as a test program sees it. The OpenCL loader takes it from the
 * environment,
 *
 *   OPENCL_LAYERS           its absolute path; a file that is missing is passed over in silence, so
 *                           every test proves that the layer is there: layer_find, or the report
 *   CLNORM_LAYER_FALSIFY    a rule, as of falsify() below
 *   CLNORM_LAYER_LOSE       "KERNEL:N": launches of that kernel after the first N do nothing
 *   CLNORM_LAYER_REPORT     a file, best one that is new: at its end the process writes "FUNCTION
 *                           CALLS" lines there, and "falsified LAUNCHES"; none after an abort */
#ifndef CLNORM_TESTS_LAYER_H
#define CLNORM_TESTS_LAYER_H

struct layer {
    /* Of one OpenCL 1.2 function, and of all, since the last reset; ULONG_MAX for a name that is
     * none. Extensions and newer functions are not counted. */
    unsigned long (*calls)(const char *function);
    unsigned long (*all_calls)(void);
    void (*reset)(void);
    /* What was called, a line each, on stdout. */
    void (*print)(void);
    /* "KERNEL" or "KERNEL:TEXT": after each launch of that kernel, if TEXT is in the build options
     * of its program (which have a space before and behind them here), the buffer of the kernel's
     * first argument is overwritten from the offset on that the second one gives. The launch's
     * event is then that of the overwriting. NULL: nothing is falsified. */
    void (*falsify)(const char *rule);
    /* Launches that were, since the last reset. */
    unsigned long (*falsified)(void);
};

#endif
