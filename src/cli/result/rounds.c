/* SPDX-License-Identifier: MIT */
#include "cli/result/rounds.h"

#include <stdlib.h>

double *result_numbers(const json_t *array)
{
    const size_t n = json_array_size(array);
    double *numbers = malloc((n ? n : 1) * sizeof(*numbers));
    for (size_t i = 0; numbers && i < n; i++)
        numbers[i] = json_number_value(json_array_get(array, i));
    return numbers;
}

static bool median_of(const json_t *array, double *median)
{
    double *numbers = result_numbers(array);
    if (numbers)
        *median = clnorm_median(numbers, json_array_size(array));
    free(numbers);
    return numbers != NULL;
}

bool result_rounds_read(struct result_rounds *rounds, const json_t *result, clnorm_error *error)
{
    const json_t *list = json_object_get(result, "rounds");
    const size_t n = json_array_size(list);
    const double more = json_number_at(result, "bytes") / json_number_at(result, "copy_bytes");
    const size_t bytes = 3 * (n ? n : 1) * sizeof(*rounds->seconds);
    double *values = malloc(bytes);
    *rounds = (struct result_rounds){.n = n, .seconds = values};
    if (!values)
        return out_of_memory(error, bytes);
    rounds->copy_seconds = values + n;
    rounds->of_copy = values + 2 * n;
    for (size_t i = 0; i < n; i++) {
        const json_t *round = json_array_get(list, i);
        if (!median_of(json_object_get(round, "seconds"), &rounds->seconds[i]) ||
            !median_of(json_object_get(round, "copy_seconds"), &rounds->copy_seconds[i]))
            return out_of_memory(error, bytes);
        rounds->of_copy[i] = more * rounds->copy_seconds[i] / rounds->seconds[i];
    }
    return true;
}

void result_rounds_release(struct result_rounds *rounds)
{
    free(rounds->seconds);
    *rounds = (struct result_rounds){0};
}
