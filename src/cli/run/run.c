/* SPDX-License-Identifier: MIT */
#include "cli/run/run.h"

#include <string.h>

static const struct cli_usage usage = {
    .summary = "INPUT [-o OUT] [OPTION...]",
    .examples =
        "Normalize INPUT, a .npy file (float32, float16, float64, uint8, or bfloat16 kept as\n"
        "uint16) or an idx file, plain or gzip. The last --axes axes are a row; for group_norm,\n"
        "instance_norm and batch_norm the first axis is one of samples, the others are a row. A\n"
        "file larger than memory, and one larger than the device's memory, is worked on piece by\n"
        "piece; batch_norm that calculates statistics needs all of it on the device.\n"
        "\n"
        "With -o, the best device that --device matches does it. Without -o, and with --verify,\n"
        "the results are compared with the host reference and dropped; --device all then gives a\n"
        "line for every device. With --backward, the outputs are gradients.\n"
        "\n"
        "bfloat16 is written as uint16, i8 as int8, e4m3 and e5m2 (8-bit floats) as uint8.\n"
        "\n"
        "Examples:\n"
        "  clnorm run x.npy -o y.npy --weight w.npy --bias b.npy\n"
        "  clnorm run x.npy -o y.npy --op rms_norm --eps 1e-6 --out-dtype f16 --verify\n"
        "  clnorm run x.npy -o y.npy --mean mean.npy --rstd rstd.npy --device gpu\n"
        "  clnorm run x.npy -o y.npy --op rms_norm --residual r.npy --sum s.npy\n"
        "  clnorm run x.npy -o q.npy --out-dtype i8 --quant row --qscale s.npy\n"
        "  clnorm run x.npy --backward dy.npy --dx dx.npy --weight w.npy --dweight dw.npy\n"
        "  clnorm run x.npy -o y.npy --op batch_norm --running-mean m.npy --running-var v.npy\n"
        "  clnorm run train-images-idx3-ubyte.gz --axes 2 --device all --verify\n",
};

/* ---- wrong together ------------------------------------------------------------------------ */

static bool is_gradient(size_t i)
{
    return run_tensor_options[i].id >= TENSOR_dx; /* the last tensors of the table */
}

static int check_backward(const struct run_options *options)
{
    for (size_t i = 0; i < RUN_TENSOR_OPTIONS; i++)
        if (options->tensors[i] && is_gradient(i))
            return CLI_GO_ON;
    complain(
        "--backward needs a gradient to write: --dx, --dweight and so on; without outputs only "
        "forward results are compared");
    return CLI_USAGE;
}

static int check_options(const struct run_options *options)
{
    char *const *paths = options->tensors;
    int code = CLI_GO_ON;
    if (paths[RUN_BACKWARD])
        code = check_backward(options);
    else if (!paths[RUN_OUTPUT] && !options->verify) {
        complain("-o OUT is missing; without it, --verify is needed");
        code = CLI_USAGE;
    }
    for (size_t i = 0; i < RUN_TENSOR_OPTIONS && code == CLI_GO_ON; i++)
        if (paths[i] && strcmp(paths[i], "-") == 0) {
            complain("%s '-': must be the name of a file",
                     i == RUN_OUTPUT ? "-o" : run_tensor_options[i].name);
            code = CLI_USAGE;
        }
    if (code == CLI_GO_ON && options->axes == 0) {
        complain("--axes 0: must be at least 1");
        code = CLI_USAGE;
    }
    return code;
}

static int run(const struct run_options *options)
{
    struct run_job job;
    clnorm_error error = {0};
    int code = check_options(options);
    if (code != CLI_GO_ON)
        return code;
    if (!run_job_open(&job, options, &error))
        return complain_error(&error);
    const bool writes = options->tensors[RUN_OUTPUT] || options->tensors[RUN_BACKWARD];
    code = writes ? run_to_file(&job) : run_compare(&job);
    run_job_close(&job);
    return code;
}

int cmd_run(int argc, const char **argv)
{
    struct run_options o;
    run_options_init(&o);
    int code = options_parse(argc, argv, o.table, &usage, o.given);
    if (code == CLI_GO_ON)
        code = run(&o);
    options_release(o.table);
    return code;
}
