/* SPDX-License-Identifier: MIT */
/* Shapes that models have: rows are samples times tokens. */
#include "cli/bench/presets.h"

#include <stddef.h>
#include <string.h>

static const char *const smoke[] = {
    "layer_norm f32 forward 16x768",
    "layer_norm f32 forward 4096x768",
    "layer_norm f16 forward 4096x768",
    "layer_norm bf16 forward 4096x768",
    "layer_norm f32 backward 4096x768",
    "rms_norm f32 forward 4096x1024",
    "rms_norm f16 backward 1024x4096",
    "layer_norm f32 forward 16x65536",
    NULL,
};

static const char *const transformer[] = {
    /* GPT-2: 8 x 1024 tokens */
    "layer_norm f32 forward 8192x768",
    "layer_norm f16 forward 8192x768",
    "layer_norm f32 backward 8192x768",
    "layer_norm f16 backward 8192x768",
    "layer_norm+residual f16 forward 8192x768",
    /* BERT large: 8 x 512 */
    "layer_norm f32 forward 4096x1024",
    "layer_norm f16 forward 4096x1024",
    "layer_norm f32 backward 4096x1024",
    "layer_norm+residual f32 forward 4096x1024",
    /* Llama: 2048 tokens of 4096 and 8192 columns, and one of each of 8 samples */
    "rms_norm f16 forward 2048x4096",
    "rms_norm bf16 forward 2048x4096",
    "rms_norm bf16 backward 2048x4096",
    "rms_norm+residual+exact bf16 forward 2048x4096",
    "rms_norm f16 forward 2048x8192",
    "rms_norm bf16 forward 2048x8192",
    "rms_norm f16 forward 8x4096",
    "rms_norm+i8/row f16 forward 2048x4096",
    /* ViT-B/16: 64 x 197 */
    "layer_norm f32 forward 12608x768",
    "layer_norm f16 forward 12608x768",
    "layer_norm f32 backward 12608x768",
    /* DiT-XL/2: 16 x 256, modulated by sample */
    "layer_norm+modulation/sample f32 forward 4096x1152 rows_per_mod=256",
    "layer_norm+modulation/sample f16 forward 4096x1152 rows_per_mod=256",
    "layer_norm+modulation/sample f32 backward 4096x1152 rows_per_mod=256",
    NULL,
};

static const char *const vision[] = {
    /* a U-Net of latent diffusion: 2 x 320 x 64 x 64, 2 x 1280 x 16 x 16 */
    "group_norm/nchw f32 forward 2x1310720 channels=320 groups=32",
    "group_norm/nchw f16 forward 2x1310720 channels=320 groups=32",
    "group_norm/nchw f32 backward 2x1310720 channels=320 groups=32",
    "group_norm/nhwc f16 forward 2x1310720 channels=320 groups=32",
    "group_norm/nchw f16 forward 2x327680 channels=1280 groups=32",
    /* style transfer: 4 x 64 x 128 x 128 */
    "instance_norm/nchw f32 forward 4x1048576 channels=64",
    "instance_norm/nchw f32 backward 4x1048576 channels=64",
    /* ResNet-50: 8 x 64 x 56 x 56, 8 x 512 x 7 x 7 */
    "batch_norm/nchw f32 forward 8x200704 channels=64",
    "batch_norm/nchw f32 backward 8x200704 channels=64",
    "batch_norm/nhwc f32 forward 8x200704 channels=64",
    "batch_norm+running/nchw f32 forward 8x200704 channels=64",
    "batch_norm/nchw f32 forward 8x25088 channels=512",
    /* ConvNeXt-T: 8 x 56 x 56 of 96, Swin-T: 8 x 3136 of 96 */
    "layer_norm f32 forward 25088x96",
    "layer_norm f16 forward 25088x96",
    "layer_norm f32 backward 25088x96",
    NULL,
};

static const char *const launch[] = {
    "layer_norm f32 forward 1x64",
    "layer_norm f32 forward 1x768",
    "layer_norm f32 forward 1x4096",
    "layer_norm f32 forward 8x4096",
    "layer_norm f32 forward 16x768",
    "layer_norm f32 backward 16x768",
    "layer_norm f16 forward 16x768",
    "rms_norm f16 forward 1x4096",
    "rms_norm f16 forward 8x4096",
    "rms_norm f32 backward 8x4096",
    NULL,
};

static const char *const long_rows[] = {
    "layer_norm f32 forward 2048x8192",   "layer_norm f32 forward 256x65536",
    "layer_norm f32 forward 16x1048576",  "layer_norm f32 forward 1x16777216",
    "layer_norm f32 backward 2048x8192",  "layer_norm f32 backward 256x65536",
    "layer_norm f32 backward 16x1048576", "rms_norm f16 forward 256x65536",
    "layer_norm f32 forward 262144x64",   NULL,
};

static const struct {
    const char *name, *const *cases;
} presets[] = {
    {"smoke", smoke},   {"transformer", transformer}, {"vision", vision},
    {"launch", launch}, {"long", long_rows},
};

const char *const *bench_preset(const char *name)
{
    for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
        if (strcmp(presets[i].name, name) == 0)
            return presets[i].cases;
    return NULL;
}
