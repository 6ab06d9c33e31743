/* SPDX-License-Identifier: MIT */
#include "cli/run/run.h"

#include <string.h>

#define FLOATS "f32|f16|bf16|f64"
#define AT(field) offsetof(struct run_options, field)

static const struct {
    const char *name;
    char letter; /* or 0 */
    enum option_type type;
    size_t place;
    const char *argument, *help;
} switches[] = {
    {"INPUT", 0, OPTION_OPERAND, AT(input), NULL, NULL},
    {"op", 0, OPTION_CHOICE, AT(op),
     "layer_norm|rms_norm|group_norm|instance_norm|batch_norm|lp_norm|l2_norm|weight_norm|mvn",
     "layer_norm (the default), rms_norm, group_norm, instance_norm, batch_norm, lp_norm, "
     "l2_norm (lp_norm with p 2), weight_norm, mvn"},
    {"axes", 0, OPTION_COUNT, AT(axes), "N", "trailing axes that form a row (1)"},
    {"channels", 0, OPTION_COUNT, AT(desc.channels), "C",
     "of a sample (the size of their axis); mvn: normalize channels over all samples"},
    {"groups", 0, OPTION_COUNT, AT(desc.groups), "G", "of channels, or equal parts of a row (1)"},
    {"layout", 0, OPTION_CHOICE, AT(layout), "nchw|nhwc",
     "whether channels are the second axis or the last one (nchw)"},
    {"eps", 0, OPTION_NUMBER, AT(desc.eps), "E",
     "1e-5; 1e-12 for lp_norm and l2_norm, 0 for weight_norm, 1e-9 for mvn"},
    {"eps-inside", 0, OPTION_FLAG, AT(eps_inside), NULL,
     "divide by sqrt(variance + eps): the rule but for lp_norm, l2_norm, mvn"},
    {"eps-outside", 0, OPTION_FLAG, AT(eps_outside), NULL,
     "divide by sqrt(variance) + eps: the rule for mvn"},
    {"eps-clamp", 0, OPTION_FLAG, AT(eps_clamp), NULL,
     "divide by the larger of sqrt(variance) and eps: the rule for lp_norm, l2_norm"},
    {"ddof", 0, OPTION_CHOICE, AT(ddof), "0|1",
     "the variance is divided by the number of elements less this (0)"},
    {"stats-cols", 0, OPTION_COUNT, AT(desc.stats_cols), "K",
     "rms_norm: statistics of the first K columns"},
    {"p", 0, OPTION_NUMBER, AT(desc.p), "P", "of lp_norm (2)"},
    {"center-only", 0, OPTION_FLAG, AT(center_only), NULL, "subtract the mean, do not divide"},
    {"weight-offset", 0, OPTION_NUMBER, AT(desc.weight_offset), "V", "added to the weight (0)"},
    {"cast-first", 0, OPTION_FLAG, AT(cast_first), NULL,
     "round to the type of OUT before the weight, as ONNX does"},
    {"alpha", 0, OPTION_NUMBER, AT(desc.alpha), "A", "multiplies the residual (1)"},
    {"sum-exact", 0, OPTION_FLAG, AT(sum_exact), NULL,
     "normalize the sum before it is rounded, not after"},
    {"rows-per-mod", 0, OPTION_COUNT, AT(desc.rows_per_mod), "N",
     "rows that share a row of gate, scale, shift (what their shape gives)"},
    {"scale-offset", 0, OPTION_NUMBER, AT(desc.scale_offset), "V", "added to the scale (1)"},
    {"dropout", 0, OPTION_NUMBER, AT(desc.dropout), "P", "drop elements of INPUT (0)"},
    {"seed", 0, OPTION_COUNT, AT(seed), "N", "of the dropout (0)"},
    {"momentum", 0, OPTION_NUMBER, AT(desc.momentum), "M", "of running statistics (0.1)"},
    {"running-biased", 0, OPTION_FLAG, AT(running_biased), NULL,
     "running variances are divided by N, not N - 1"},
    {"from-output", 0, OPTION_FLAG, AT(from_output), NULL,
     "with --backward: INPUT is the result, not what was normalized"},
    {"dtype", 0, OPTION_CHOICE, AT(dtype), FLOATS,
     "what INPUT holds; bf16 takes uint16 files as bfloat16"},
    {"bf16", 0, OPTION_FLAG, AT(bf16), NULL, "take uint16 files as bfloat16"},
    {"out-dtype", 0, OPTION_CHOICE, AT(out_dtype), FLOATS "|i8|e4m3|e5m2",
     "what OUT holds (the type of INPUT)"},
    {"grad-dtype", 0, OPTION_CHOICE, AT(grad_dtype), FLOATS,
     "what gradients hold (the type of INPUT, of the weight)"},
    {"quant", 0, OPTION_CHOICE, AT(quant), "static|row|group",
     "how an OUT of i8, e4m3, e5m2 is scaled"},
    {"asymmetric", 0, OPTION_FLAG, AT(asymmetric), NULL,
     "i8: each scale has a zero point, see --qzero"},
    {"quant-group", 0, OPTION_COUNT, AT(desc.quant_group), "N", "columns that share a scale"},
    {"qscale-min", 0, OPTION_NUMBER, AT(desc.qscale_min), "V", "no scale is less"},
    {"qscale-max", 0, OPTION_NUMBER, AT(desc.qscale_max), "V", "no scale is larger"},
    {"device", 'd', OPTION_TEXT, AT(device), "SELECTOR",
     "auto, all, gpu, acc, cpu, N, P:D, name=TEXT, platform=TEXT or uuid=HEX"},
    {"max-device-bytes", 0, OPTION_SIZE, AT(max_device_bytes), "BYTES",
     "tensors take no more of the device, such as 512M or 2G"},
    {"verify", 0, OPTION_FLAG, AT(verify), NULL, "compare with the host reference"},
    {"json", 0, OPTION_FLAG, AT(json), NULL, "print JSON"},
    {"no-color", 0, OPTION_FLAG, AT(no_color), NULL, "no colours"},
};
enum { SWITCHES = sizeof(switches) / sizeof(switches[0]) };
_Static_assert(RUN_TENSOR_OPTIONS + SWITCHES <= RUN_OPTIONS, "RUN_OPTIONS is too small");

void run_options_init(struct run_options *o)
{
    *o = (struct run_options){.desc = CLNORM_DESC_INIT,
                              .dtype = -1,
                              .out_dtype = -1,
                              .grad_dtype = -1,
                              .quant = -1,
                              .axes = 1};
    struct cli_option *option = o->table;
    for (size_t i = 0; i < RUN_TENSOR_OPTIONS; i++, option++) {
        const struct run_tensor_option *t = &run_tensor_options[i];
        *option = (struct cli_option){.name = t->name + 2,
                                      .letter = t->letter,
                                      .type = OPTION_FILE,
                                      .value = &o->tensors[i],
                                      .argument = t->argument,
                                      .help = t->help};
    }
    for (size_t i = 0; i < SWITCHES; i++, option++)
        *option = (struct cli_option){.name = switches[i].name,
                                      .letter = switches[i].letter,
                                      .type = switches[i].type,
                                      .value = (char *)o + switches[i].place,
                                      .argument = switches[i].argument,
                                      .help = switches[i].help};
    *option = (struct cli_option){.type = OPTION_END};
}

bool run_is_given(const struct run_options *options, const char *name)
{
    size_t i = 0;
    while (options->table[i].type != OPTION_END && strcmp(options->table[i].name, name) != 0)
        i++;
    return options->given[i];
}
