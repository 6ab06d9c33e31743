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

static double median_of(const json_t *array, double *room)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        room[i] = json_number_value(json_array_get(array, i));
    return clnorm_median(room, json_array_size(array));
}

/* Of the samples, each beside its copy. */
static double median_of_shares(const json_t *copies, const json_t *calls, double *room)
{
    const size_t n_calls = json_array_size(calls), n_copies = json_array_size(copies);
    const size_t n = n_calls < n_copies ? n_calls : n_copies;
    for (size_t i = 0; i < n; i++)
        room[i] = json_number_value(json_array_get(copies, i)) /
                  json_number_value(json_array_get(calls, i));
    return clnorm_median(room, n);
}

static size_t most_samples(const json_t *list)
{
    size_t most = 1;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *round = json_array_get(list, i);
        const size_t calls = json_array_size(json_object_get(round, "seconds"));
        const size_t copies = json_array_size(json_object_get(round, "copy_seconds"));
        most = calls > most ? calls : most;
        most = copies > most ? copies : most;
    }
    return most;
}

bool result_rounds_read(struct result_rounds *rounds, const json_t *result, clnorm_error *error)
{
    const json_t *list = json_object_get(result, "rounds");
    const size_t n = json_array_size(list);
    const double more = json_number_at(result, "bytes") / json_number_at(result, "copy_bytes");
    const size_t bytes = (3 * n + most_samples(list)) * sizeof(*rounds->seconds);
    double *const values = malloc(bytes), *const room = values + 3 * n;
    *rounds = (struct result_rounds){.n = n, .seconds = values};
    if (!values)
        return out_of_memory(error, bytes);
    rounds->copy_seconds = values + n;
    rounds->of_copy = values + 2 * n;
    for (size_t i = 0; i < n; i++) {
        const json_t *round = json_array_get(list, i);
        const json_t *calls = json_object_get(round, "seconds");
        const json_t *copies = json_object_get(round, "copy_seconds");
        rounds->seconds[i] = median_of(calls, room);
        rounds->copy_seconds[i] = median_of(copies, room);
        rounds->of_copy[i] = more * median_of_shares(copies, calls, room);
    }
    return true;
}

void result_rounds_release(struct result_rounds *rounds)
{
    free(rounds->seconds);
    *rounds = (struct result_rounds){0};
}
