/* SPDX-License-Identifier: MIT */
#include "cli/run.h"

#include <string.h>

static const struct cli_usage usage = {
    .summary = "INPUT [-o OUT] [OPTION...]",
    .examples =
        "Normalize the rows of INPUT, a .npy file (float32, float16, float64, uint8, or bfloat16\n"
        "kept as uint16) or an idx file, plain or gzip. A file larger than memory, and one larger\n"
        "than the device's memory, is worked on piece by piece.\n"
        "\n"
        "With -o, the best device that --device matches does it. Without -o, and with --verify,\n"
        "the results are compared with the host reference and dropped; --device all then gives a\n"
        "line for every device.\n"
        "\n"
        "Examples:\n"
        "  clnorm run x.npy -o y.npy --weight w.npy --bias b.npy\n"
        "  clnorm run x.npy -o y.npy --op rms_norm --eps 1e-6 --out-dtype f16 --verify\n"
        "  clnorm run x.npy -o y.npy --mean mean.npy --rstd rstd.npy --device gpu\n"
        "  clnorm run train-images-idx3-ubyte.gz --axes 2 --device all --verify\n",
};

static int check_options(const struct run_options *options)
{
    if (!options->output && !options->verify) {
        complain("-o OUT is missing; without it, --verify is needed");
        return CLI_USAGE;
    }
    if (!options->output && (options->mean || options->rstd)) {
        complain("--%s needs -o OUT", options->mean ? "mean" : "rstd");
        return CLI_USAGE;
    }
    const char *const outputs[][2] = {
        {"-o", options->output}, {"--mean", options->mean}, {"--rstd", options->rstd}};
    for (size_t i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
        if (outputs[i][1] && strcmp(outputs[i][1], "-") == 0) {
            complain("%s '-': must be the name of a file", outputs[i][0]);
            return CLI_USAGE;
        }
    if (options->axes == 0) {
        complain("--axes 0: must be at least 1");
        return CLI_USAGE;
    }
    return CLI_GO_ON;
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
    code = options->output ? run_to_file(&job) : run_compare(&job);
    run_job_close(&job);
    return code;
}

int cmd_run(int argc, const char **argv)
{
    struct run_options o = {.dtype = -1, .out_dtype = -1, .eps = 1e-5, .axes = 1};
    const struct cli_option options[] = {
        {"INPUT", 0, OPTION_OPERAND, &o.input, NULL, NULL},
        {"output", 'o', OPTION_FILE, &o.output, "OUT", "write the result to this .npy file"},
        {"op", 0, OPTION_CHOICE, &o.op, "layer_norm|rms_norm", "the operator (layer_norm)"},
        {"weight", 0, OPTION_FILE, &o.weight, "W.npy", "multiply by these, one per column"},
        {"bias", 0, OPTION_FILE, &o.bias, "B.npy", "add these, one per column"},
        {"eps", 0, OPTION_NUMBER, &o.eps, "E", "added to the variance (1e-5)"},
        {"axes", 0, OPTION_COUNT, &o.axes, "N", "trailing axes that form a row (1)"},
        {"dtype", 0, OPTION_CHOICE, &o.dtype, "f32|f16|bf16|f64",
         "what INPUT holds; bf16 takes uint16 files as bfloat16"},
        {"out-dtype", 0, OPTION_CHOICE, &o.out_dtype, "f32|f16|bf16|f64",
         "what OUT holds (the type of INPUT)"},
        {"mean", 0, OPTION_FILE, &o.mean, "M.npy", "write the mean of each row"},
        {"rstd", 0, OPTION_FILE, &o.rstd, "R.npy", "write 1 / standard deviation of each row"},
        {"device", 'd', OPTION_TEXT, &o.device, "SELECTOR",
         "auto, all, gpu, acc, cpu, N, P:D, name=TEXT, platform=TEXT or uuid=HEX"},
        {"max-device-bytes", 0, OPTION_SIZE, &o.max_device_bytes, "BYTES",
         "tensors take no more of the device, such as 512M or 2G"},
        {"verify", 0, OPTION_FLAG, &o.verify, NULL, "compare with the host reference"},
        {"json", 0, OPTION_FLAG, &o.json, NULL, "print JSON"},
        {"no-color", 0, OPTION_FLAG, &o.no_color, NULL, "no colours"},
        {.type = OPTION_END},
    };
    int code = options_parse(argc, argv, options, &usage);
    if (code == CLI_GO_ON)
        code = run(&o);
    options_release(options);
    return code;
}
