/* SPDX-License-Identifier: MIT */
/* Which devices are put beside which. */
#include "cli/compare/compare.h"

#include <stdlib.h>
#include <string.h>

static bool add_pair(struct compare_pairs *pairs, const struct compare_side *a,
                     const struct compare_side *b, const struct compare_rules *rules,
                     clnorm_error *error)
{
    const size_t bytes = (pairs->n + 1) * sizeof(pairs->list[0]);
    struct comparison *larger = realloc(pairs->list, bytes);
    if (!larger)
        return out_of_memory(error, bytes);
    pairs->list = larger;
    return comparison_make(&pairs->list[pairs->n++], a, b, rules, error);
}

void compare_pairs_release(struct compare_pairs *pairs)
{
    for (size_t i = 0; i < pairs->n; i++)
        comparison_release(&pairs->list[i]);
    free(pairs->list);
    *pairs = (struct compare_pairs){0};
}

static bool refuse_pair(const char *text, const struct compare_sides *sides, clnorm_error *error)
{
    char labels[512] = "";
    for (size_t i = 0; i < sides->n; i++) {
        const size_t used = strlen(labels);
        snprintf(labels + used, sizeof(labels) - used, "%s%s", i ? ", " : "", sides->list[i].label);
    }
    return refuse(error, "--pair '%s': must be two of %s, such as %s=%s", text, labels,
                  sides->list[0].label, sides->list[1].label);
}

/* "A:0=B:1" */
static bool add_named_pair(struct compare_pairs *pairs, const char *text,
                           const struct compare_sides *sides, const struct compare_rules *rules,
                           clnorm_error *error)
{
    char first[16];
    const char *equals = strchr(text, '=');
    if (!equals || (size_t)(equals - text) >= sizeof(first))
        return refuse_pair(text, sides, error);
    snprintf(first, sizeof(first), "%.*s", (int)(equals - text), text);
    const struct compare_side *a = compare_side_named(sides, first);
    const struct compare_side *b = compare_side_named(sides, equals + 1);
    if (!a || !b || a == b)
        return refuse_pair(text, sides, error);
    return add_pair(pairs, a, b, rules, error);
}

static bool has_measured(const struct compare_side *side)
{
    const char *name;
    json_t *result;
    json_object_foreach(side->cases, name, result)
    {
        if (!strcmp(json_text_at(result, "status"), "ok"))
            return true;
    }
    return false;
}

/* Of two files: the devices that are in both. */
static bool add_same_devices(struct compare_pairs *pairs, const struct compare_sides *sides,
                             const struct compare_rules *rules, clnorm_error *error)
{
    bool ok = true;
    for (size_t i = 0; ok && i < sides->n; i++) {
        const struct compare_side *side = &sides->list[i];
        const struct compare_side *other = compare_side_like(sides, side, !side->file_place);
        const bool is_first = side->file_place == 0;
        if (!other)
            complain("%s, '%s', is in %s only", side->label, json_text_at(side->device, "name"),
                     side->file->name);
        if (other && is_first)
            ok = add_pair(pairs, side, other, rules, error);
        else if (is_first)
            pairs->gone += has_measured(side);
    }
    return ok;
}

static bool has_same_devices(const struct compare_sides *sides)
{
    for (size_t i = 0; i < sides->n; i++)
        if (sides->list[i].file_place == 0 && compare_side_like(sides, &sides->list[i], 1))
            return true;
    return false;
}

bool compare_pairs_make(struct compare_pairs *pairs, const struct compare_sides *sides,
                        const char *named, size_t n_files, const struct compare_rules *rules,
                        clnorm_error *error)
{
    if (named)
        return add_named_pair(pairs, named, sides, rules, error);
    if (sides->n == 2)
        return add_pair(pairs, &sides->list[0], &sides->list[1], rules, error);
    return n_files != 2 || !has_same_devices(sides) || add_same_devices(pairs, sides, rules, error);
}
