/* SPDX-License-Identifier: MIT */
/* How a verdict came about: the rounds as they are, the test, and the rule. */
#include "cli/compare/compare.h"
#include "cli/result/rounds.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 60 };

/* From low on the left to high on the right, as logarithms. */
struct scale {
    double low, high;
};

static void widen(struct scale *scale, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        scale->low = fmin(scale->low, values[i]);
        scale->high = fmax(scale->high, values[i]);
    }
}

static size_t column_of(const struct scale *scale, double value)
{
    const double width = log(scale->high / scale->low);
    const double share = width > 0 ? log(value / scale->low) / width : 0.5;
    return (size_t)lrint(fmin(fmax(share, 0), 1) * (WIDTH - 1));
}

/* A dot for a round, a digit where several are in one place. */
static void print_dots(FILE *stream, const char *label, const struct scale *scale,
                       const double *values, size_t n)
{
    char line[WIDTH + 1];
    memset(line, ' ', WIDTH);
    line[WIDTH] = '\0';
    for (size_t i = 0; i < n; i++) {
        char *c = &line[column_of(scale, values[i])];
        *c = *c == ' ' ? '.' : *c == '.' ? '2' : *c < '9' ? (char)(*c + 1) : '9';
    }
    fprintf(stream, "  %-5s |%s| %zu rounds\n", label, line, n);
}

/* The metric of each round; the times where that is what is judged. */
static const double *metric(const struct result_rounds *rounds, bool by_time)
{
    return by_time ? rounds->seconds : rounds->of_copy;
}

static bool print_rounds(const struct comparison *c, const struct compare_row *row, bool by_time,
                         FILE *stream, clnorm_error *error)
{
    struct result_rounds a = {0}, b = {0};
    struct scale scale = {INFINITY, 0};
    const bool ok = result_rounds_read(&a, row->a.result, error) &&
                    result_rounds_read(&b, row->b.result, error);
    if (ok) {
        widen(&scale, metric(&a, by_time), a.n);
        widen(&scale, metric(&b, by_time), b.n);
        fprintf(stream, "  %s of each round, from %.4g to %.4g%s\n",
                by_time ? "time" : "share of the copy", by_time ? 1e6 * scale.low : scale.low,
                by_time ? 1e6 * scale.high : scale.high, by_time ? " us" : "");
        print_dots(stream, c->a->label, &scale, metric(&a, by_time), a.n);
        print_dots(stream, c->b->label, &scale, metric(&b, by_time), b.n);
    }
    result_rounds_release(&a);
    result_rounds_release(&b);
    return ok;
}

static void print_test(const struct comparison *c, const struct compare_row *row, FILE *stream)
{
    char factor[COMPARE_INTERVAL_TEXT];
    compare_interval_text(row->factor, row->interval, factor);
    fprintf(stream, "  %s/%s is %s at 95 %%", c->b->label, c->a->label, factor);
    if (isnan(row->interval[0])) {
        fputs(": one round has no interval\n", stream);
        return;
    }
    fprintf(stream, ", %.3f-%.3f at 90 %%, %.3f-%.3f at 99 %%\n", row->same_interval[0],
            row->same_interval[1], row->gate_interval[0], row->gate_interval[1]);
    fprintf(stream,
            "  Welch's test on the logarithms: difference %.4f, error %.4f, %.1f degrees, p = "
            "%.3g",
            row->welch.difference, row->welch.error, row->welch.degrees, row->welch.p);
    if (row->is_tested)
        fprintf(stream, "; of %zu cases, after Benjamini and Hochberg, p = %.3g", c->n_tested,
                row->p);
    putc('\n', stream);
}

/* Why the least effect is not the threshold. */
static void print_margin(const struct comparison *c, const struct compare_row *row, FILE *stream)
{
    const bool both = row->a.is_launch_bound && row->b.is_launch_bound;
    const char *const bound = row->a.is_launch_bound ? c->a->label : c->b->label;
    char text[512];
    if (row->rough[COMPARE_LAUNCHES])
        fprintf(stream,
                "  %.3g %% is the least effect: the case takes less than three empty kernels on "
                "%s%s%s\n",
                100 * row->margin, bound, both ? " and " : "", both ? c->b->label : "");
    if (!row->rough[COMPARE_COPIES])
        return;
    snprintf(text, sizeof(text), "the copy beside %s is '%.160s', beside %s '%.160s'", c->a->label,
             row->a.copy, c->b->label, row->b.copy);
    make_printable(text);
    fprintf(stream, "  %.3g %% is the least effect: %s\n", 100 * row->margin, text);
}

static void print_rule(const struct compare_row *row, FILE *stream)
{
    const double percent = 100 * row->margin;
    fprintf(stream, "  %s: ", compare_verdict_names[row->verdict]);
    if (!row->is_tested)
        fprintf(stream, "nothing is said of less than %d rounds a side", COMPARE_LEAST_ROUNDS);
    else if (row->verdict == COMPARE_FAST || row->verdict == COMPARE_SLOW)
        fprintf(stream, "p is below 0.01, and the effect is %.3g %% or more", percent);
    else if (row->verdict == COMPARE_SAME)
        fputs("the interval of 90 % lies within 10 % of 1", stream);
    else
        fprintf(stream,
                "neither is p below 0.01 with an effect of %.3g %% or more, nor is it shown to "
                "be within 10 %%; %.0f rounds a side would find such an effect in 4 of 5 runs",
                percent, row->rounds_needed);
    putc('\n', stream);
}

/* Its rule looks at the row alone, and asks for more of it. */
static void print_gate(const struct compare_row *row, FILE *stream)
{
    const bool is_hit = row->gate_fast || row->gate_slow;
    if (row->is_tested)
        fprintf(stream, "  --fail-on: the interval of 99 %% %s wholly beyond %.3g %%: %s\n",
                is_hit ? "lies" : "does not lie", 100 * row->margin,
                row->gate_fast   ? "FAST"
                : row->gate_slow ? "SLOW"
                                 : "passes");
}

static void print_one_sided(const struct compare_row *row, FILE *stream)
{
    static const char *const texts[] = {
        [COMPARE_NEW] = "measured on the second side only",
        [COMPARE_GONE] = "measured on the first side only",
        [COMPARE_WRONG] = "a result is wrong, and nothing wrong is measured",
        [COMPARE_NEITHER] = "measured on neither side",
    };
    const json_t *result = row->b.result && !row->b.is_ok ? row->b.result : row->a.result;
    const char *reason = json_string_value(json_object_get(result, "reason"));
    char line[512];
    snprintf(line, sizeof(line), "%s%s", reason ? ": " : "", reason ? reason : "");
    make_printable(line);
    fprintf(stream, "  %s: %s%s\n", compare_verdict_names[row->verdict], texts[row->verdict], line);
}

static bool explain_row(const struct comparison *c, const struct compare_row *row, bool by_time,
                        FILE *stream, clnorm_error *error)
{
    char name[512];
    snprintf(name, sizeof(name), "%s", row->name);
    make_printable(name);
    fprintf(stream, "%s\n", name);
    if (!row->a.is_ok || !row->b.is_ok) {
        print_one_sided(row, stream);
        return true;
    }
    if (!print_rounds(c, row, by_time, stream, error))
        return false;
    print_test(c, row, stream);
    print_margin(c, row, stream);
    print_rule(row, stream);
    print_gate(row, stream);
    return true;
}

/* The case of this name alone, or all that have it in theirs. */
static bool has_case(const struct comparison *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < list[i].n; k++)
            if (!strcmp(list[i].rows[k].name, text))
                return true;
    return false;
}

int compare_explain(const struct comparison *list, size_t n, const char *text,
                    const struct compare_rules *rules, const struct compare_output *output)
{
    const bool is_whole = has_case(list, n, text);
    clnorm_error error;
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < list[i].n; k++) {
            const struct compare_row *row = &list[i].rows[k];
            if (is_whole ? strcmp(row->name, text) != 0 : !strstr(row->name, text))
                continue;
            if (found++ > 0)
                putc('\n', output->stream);
            if (!explain_row(&list[i], row, rules->by_time, output->stream, &error))
                return complain_error(&error);
        }
    if (found > 0)
        return CLI_OK;
    complain("--explain '%s': no case has this in its name; the first is '%s'", text,
             n > 0 && list[0].n > 0 ? list[0].rows[0].name : "none");
    return CLI_USAGE;
}
