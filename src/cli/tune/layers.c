/* SPDX-License-Identifier: MIT */
#include "cli/tune/layers.h"

#include <string.h>

static bool take_layer(const char **text, struct layer *layer)
{
    uint64_t *const sizes[] = {&layer->batch, &layer->inputs, &layer->outputs};
    const uint64_t most = (uint64_t)1 << 20;
    for (int i = 0; i < 3; i++) {
        if (i > 0 && *(*text)++ != 'x')
            return false;
        if (!parse_digits(text, sizes[i]) || *sizes[i] < 1 || *sizes[i] > most)
            return false;
    }
    return true;
}

bool layers_parse(const char *text, struct layers *layers, clnorm_error *error)
{
    const char *at = text;
    layers->n = 0;
    do {
        if (layers->n == MOST_LAYERS || !take_layer(&at, &layers->of[layers->n++]) ||
            (*at && *at != ','))
            return refuse(error,
                          "--gemm '%s': must be up to %d layers, BATCHxINPUTSxOUTPUTS with numbers "
                          "from 1 to 1048576, such as 128x784x1000,4x784x1000",
                          text, MOST_LAYERS);
    } while (*at++ == ',');
    return true;
}

void layers_text(const struct layers *layers, char text[LAYERS_TEXT])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < layers->n; i++) {
        const struct layer *l = &layers->of[i];
        used += (size_t)snprintf(text + used, LAYERS_TEXT - used, "%s%llux%llux%llu", i ? "," : "",
                                 (unsigned long long)l->batch, (unsigned long long)l->inputs,
                                 (unsigned long long)l->outputs);
    }
}

clnorm_gemm_case layers_product(const struct layers *layers, size_t i)
{
    const struct layer *l = &layers->of[i / PRODUCTS_OF_LAYER];
    const clnorm_gemm_case products[PRODUCTS_OF_LAYER] = {
        {l->batch, l->outputs, l->inputs, false, true}, /* x w^T */
        {l->batch, l->inputs, l->outputs, false, false}, /* dy w */
        {l->outputs, l->inputs, l->batch, true, false}, /* dy^T x */
    };
    return products[i % PRODUCTS_OF_LAYER];
}
